import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { ReleaseRecord, WaveResult } from '#core/contracts/release.ts';
import { RetrainRecord } from '#core/contracts/retrain.ts';
import type { StoredRecord } from '#core/ports/registry.ts';
import { findDecision, findPackage, findRecord, isDecisionId, wasJudged } from '../find.ts';
import { ago, answer, facts, figure, headline, type Output, paint, say, sentence, short, table } from '../output.ts';
import type { World } from '../world.ts';
import { showAlert } from './alerts.ts';
import { findEvaluation, printEvaluation } from './explain-evaluation.ts';
import { featureViews } from './feature-views.ts';
import { explainLine } from './lines.ts';

const explainDecision = async (world: World, out: Output, id: string): Promise<void> => {
  const { record, key } = await findDecision(world, id);
  const found = record.packageDigest === null ? null : await findPackage(world, record.modelLine, record.packageDigest);
  const views = found === null ? [] : featureViews(record, found);
  const thresholds = found?.manifest.thresholds ?? null;
  answer(out, { decision: record, object: key, thresholds, features: views }, () => {
    const unit = found?.manifest.label.unit ?? '';
    headline(out, 'bold', record.verdict, record.reason);
    facts(out, [
      ['decision', record.id],
      ['frame', `${record.asset}, run ${record.run}, number ${record.index}, at ${record.sourceTime}`],
      ['estimate', record.value === null ? 'none' : `${figure(record.value)} ${unit}`],
      [
        'thresholds',
        thresholds === null
          ? 'no model decided'
          : `fail below ${thresholds.alarmBelow} ${unit}, undecided below ${thresholds.undecidedBelow} ${unit}`,
      ],
      ['package', record.packageDigest === null ? 'none' : `${short(record.packageDigest)} as ${record.variant}`],
      ...(record.shadow
        ? [
            [
              'champion',
              `${short(record.shadow.packageDigest)} said ${record.shadow.verdict}, ${record.shadow.value === null ? 'no estimate' : `${figure(record.shadow.value)} ${unit}`}`,
            ] as const,
          ]
        : []),
      [
        'latency',
        record.latencyMs === null
          ? '–'
          : `${figure(record.latencyMs, 1)} ms of ${found?.manifest.latencyBudgetMs ?? '–'} ms`,
      ],
      ['input', record.inputDigest],
      ['object', key],
    ]);
    if (views.length === 0) return;
    say(out);
    table(
      out,
      views,
      [
        { title: 'FEATURE', of: (f) => f.name },
        { title: 'VALUE', of: (f) => figure(f.value, 4), align: 'right' },
        { title: 'TRAINING MEAN', of: (f) => figure(f.trainingMean, 4), align: 'right' },
        {
          title: 'AWAY (STD)',
          of: (f) => figure(f.distance, 1),
          align: 'right',
          style: (f) => (Math.abs(f.distance ?? 0) > 3 ? 'yellow' : null),
        },
        {
          title: 'VALIDATED RANGE',
          of: (f) => (f.range === null ? '–' : `${figure(f.range[0], 3)} … ${figure(f.range[1], 3)}`),
        },
        { title: '', of: (f) => (f.outside ? 'outside' : ''), style: () => 'red' },
      ],
      '',
    );
  });
};

const explainRetrain = async (world: World, out: Output, record: RetrainRecord): Promise<void> => {
  const [judged, execution] = await Promise.all([
    findEvaluation(world, record.snapshotDigest),
    record.status === 'running' ? world.execution(record.execution) : null,
  ]);
  answer(out, { retrain: record, gate: judged?.gate ?? null, evaluation: judged?.report ?? null, execution }, () => {
    const good = record.status === 'candidate';
    headline(out, good ? 'green' : record.status === 'running' ? 'yellow' : 'red', record.status, record.detail);
    facts(out, [
      ['retrain', record.requestId],
      ['model line', record.modelLine],
      ['asked by', `${record.requestedBy} (${record.cause}): ${record.reason}`],
      [record.status === 'running' ? 'runs' : 'ended at', execution?.step ?? record.step],
      ['snapshot', record.snapshotDigest ?? '–'],
      ['package', record.packageDigest ?? '–'],
    ]);
    if (judged === null) return;
    say(out);
    printEvaluation(out, judged);
  });
};

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const sayShadow = (shadow: NonNullable<ReleaseRecord['waves'][number]['shadow']>): string =>
  [
    `against champion ${short(shadow.champion)}:`,
    shadow.disagreement === null
      ? 'nothing was compared'
      : `they disagree on ${percent(shadow.disagreement)} of the frames of ${shadow.batches} batches, ${percent(shadow.expected)} is acceptable; e-value against ${Number(shadow.against.toPrecision(3))}, in favour ${Number(shadow.inFavour.toPrecision(3))}`,
    ...(shadow.noReference.length === 0 ? [] : [`(no reference: ${shadow.noReference.join(', ')})`]),
  ].join(' ');

const RingSoFar = z.looseObject({ ring: z.int(), deployedAt: z.string(), wave: WaveResult.nullable() });

/** Rings that a release that goes on has come to: its record has them when it has ended. */
const ringsSoFar = async (world: World, releaseId: string) =>
  (await world.fleet())
    .filter((i) => i['pk'] === `RELEASE#${releaseId}` && String(i['sk']).startsWith('RING#'))
    .map((i) => parseAs(RingSoFar, i['item'], `a ring of ${releaseId} in the fleet table`))
    .sort((a, b) => a.ring - b.ring);

const printWave = (out: Output, wave: WaveResult): void => {
  const { ring, verdict, reasons } = wave;
  sentence(out, `Ring ${ring}: ${verdict}${reasons.length > 0 ? `, ${reasons.join('; ')}` : ''}`);
  table(
    out,
    wave.devices,
    [
      { title: 'DEVICE', of: (d) => d.device },
      { title: 'STATUS', of: (d) => d.status, style: (d) => (d.status === 'adopted' ? 'green' : 'yellow') },
      { title: 'DECISIONS', of: (d) => String(d.decisions), align: 'right' },
      { title: 'FALLBACK', of: (d) => `${(d.fallbackShare * 100).toFixed(0)} %`, align: 'right' },
      { title: 'P99 MS', of: (d) => figure(d.p99Ms, 1), align: 'right' },
      { title: 'AS', of: (d) => d.variant ?? '–' },
    ],
    '  no device in this ring',
  );
  if (wave.shadow) sentence(out, sayShadow(wave.shadow), '  ');
};

const explainRelease = async (world: World, out: Output, record: ReleaseRecord): Promise<void> => {
  const rings = record.status === 'rolling-out' ? await ringsSoFar(world, record.releaseId) : null;
  const waves = rings === null ? record.waves : rings.flatMap((r) => r.wave ?? []);
  const good = record.status === 'released';
  answer(out, { release: record, ...(rings === null ? {} : { rings }) }, () => {
    headline(out, good ? 'green' : 'yellow', record.status, record.reason);
    facts(out, [
      ['release', record.releaseId],
      ['package', record.packageDigest],
      ['component', `${record.componentName} ${record.componentVersion}`],
      ['asked by', record.requestedBy],
      ['approved by', record.approvedBy],
      ['from, to', `${record.startedAt}, ${record.finishedAt ?? 'not ended'}`],
    ]);
    for (const wave of waves) {
      say(out);
      printWave(out, wave);
    }
    for (const { ring, deployedAt } of (rings ?? []).filter((r) => r.wave === null))
      say(out, `\nRing ${ring}: got the package ${ago(deployedAt, world.now())} and is watched`);
  });
};

const explainOther = (out: Output, record: StoredRecord): void =>
  answer(out, record, () => {
    say(
      out,
      `${paint(out, 'bold', `${record.class} ${record.id}`)}  version ${record.version}, ${record.at}, by ${record.actor}`,
    );
    say(out, JSON.stringify(record.body, null, 2));
  });

/** Why a decision, an alert, a retrain, a release, a package or what the judge says of a model line is as it is. */
export const explain = async (world: World, out: Output, id: string): Promise<void> => {
  if (isDecisionId(id)) return explainDecision(world, out, id);
  const record = await findRecord(world, id);
  const retrain = RetrainRecord.safeParse(record.body);
  if (retrain.success) return explainRetrain(world, out, retrain.data);
  const release = ReleaseRecord.safeParse(record.body);
  if (release.success) return explainRelease(world, out, release.data);
  if (record.class === 'model-line') return explainLine(world, out, record.id);
  if (record.class === 'alert') return showAlert(world, out, record.id);
  if (record.class !== 'package') return explainOther(out, record);
  const { manifest } = await findPackage(world, String(record.body['modelLine']), record.id);
  // One that was made by hand names the snapshot of the package it was made from, and was judged by nobody.
  const judged = (await wasJudged(world, record.id)) ? await findEvaluation(world, manifest.snapshotDigest) : null;
  answer(out, { manifest, gate: judged?.gate ?? null, evaluation: judged?.report ?? null }, () => {
    say(out, `${paint(out, 'bold', `package ${record.id}`)}`);
    facts(out, [
      ['model line', `${manifest.modelLine}, number ${manifest.releaseNumber}`],
      ['made', `${manifest.createdAt} by ${manifest.trainingJob}; expires ${manifest.expiresAt}`],
      ['learnt from', manifest.snapshotDigest],
      [
        'features',
        `${manifest.featureSet.features.length} of ${manifest.featureSet.id} (${short(manifest.featureSetDigest)})`,
      ],
      ...manifest.variants.map(
        (v) =>
          [
            v.name,
            `${judged === null ? '' : `${figure(v.testRmse)} ${manifest.label.unit} RMSE on sealed runs, `}${v.bytes} bytes${v.admitted ? '' : ', not admitted'}`,
          ] as const,
      ),
    ]);
    say(out);
    if (judged === null)
      sentence(
        out,
        'Gate: none; no retrain of this platform judged it, and only "releases start --force" releases it.',
      );
    else printEvaluation(out, judged);
  });
};
