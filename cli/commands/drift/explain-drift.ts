import type { WindowEvidence } from '#core/contracts/drift.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import type { DriftDevice } from '#core/contracts/lake.ts';
import { unusedSeason } from '#core/drift/baselines/seasonal.ts';
import { adviceOf } from '#core/drift/device/advice.ts';
import { type FoldVerdict, verifyFolds } from '#core/drift/replay/fold-chain.ts';
import { CliError, EXIT } from '../../errors.ts';
import { writeFile } from '../../files/write-file.ts';
import { modelLines } from '../../find.ts';
import { answer, facts, figure, headline, many, type Output, say, short, table } from '../../output.ts';
import type { World } from '../../world.ts';
import { driftSvg } from './drift-plot.ts';
import { evidenceKey, readDevice, sourceOf } from './read-drift.ts';

export const KIND_STYLES: Readonly<Record<WindowEvidence['kind'], 'green' | 'yellow' | 'red' | 'cyan'>> = {
  steady: 'green',
  watch: 'yellow',
  serious: 'red',
  ageing: 'yellow',
  'new-context': 'yellow',
  recurring: 'cyan',
  'suspected-changeover': 'yellow',
  'warm-up': 'cyan',
  muted: 'cyan',
  'data-quality': 'yellow',
};

interface Found {
  readonly of: DriftDevice;
  /** Hash of the fold that was asked for; null: the newest. */
  readonly head: string | null;
}

const EVIDENCE = /^(sha256:)?([0-9a-f]{8,64})$/;

const findEvidence = async (world: World, digits: string): Promise<Found | null> => {
  for (const { modelLine } of await modelLines(world)) {
    const keys = await world.lake.list(`drift/evidence/${modelLine}/`);
    const found = keys.flatMap((key) => evidenceKey(key) ?? []).find((k) => k.hash.startsWith(digits.slice(0, 16)));
    if (found === undefined) continue;
    const { chain } = await readDevice(sourceOf(world), found.of, null);
    const hash = chain.find((f) => f.evidence.hash.startsWith(`sha256:${digits}`))?.evidence.hash;
    if (hash !== undefined) return { of: found.of, head: hash };
  }
  return null;
};

const findDevice = async (world: World, id: string): Promise<Found | null> => {
  const device = id.split('/').at(-1) as string;
  for (const { modelLine, site } of await modelLines(world)) {
    const names = [device, `${site}/${device}`, `${modelLine}/${device}`, `${modelLine}/${site}/${device}`];
    if (!names.includes(id)) continue;
    const record = await world.registry.latest('judgement', `drift/${modelLine}/${site}/${device}`);
    const packageDigest = record?.body['packageDigest'];
    if (typeof packageDigest !== 'string') continue;
    const { sk } = judgementKeys.features(modelLine, packageDigest, site, device);
    const newest = (await world.judgement(modelLine)).find((i) => i.sk === sk)?.['evidence'];
    return { of: { modelLine, packageDigest, site, device }, head: typeof newest === 'string' ? newest : null };
  }
  return null;
};

/** Whose inputs are meant: a device by its name, also with its line, or one evidence by the digits of its hash. */
const findDrift = async (world: World, id: string): Promise<Found> => {
  const [, , digits] = EVIDENCE.exec(id) ?? [];
  const found = (await findDevice(world, id)) ?? (digits === undefined ? null : await findEvidence(world, digits));
  if (found !== null) return found;
  throw new CliError(
    `nothing was said yet of the inputs of "${id}"`,
    'give a device, line/device, or the hash of an evidence; "millwright drift" lists them',
    EXIT.notFound,
  );
};

const againstText = ({ against, cell, context }: WindowEvidence): string => {
  if (cell === undefined) return against;
  const isOfCell = against === 'season' || against === 'own';
  return isOfCell
    ? `${against}, ${context} at ${cell}`
    : `${against}, for training had too little of ${context} at ${cell}`;
};

const verdictText = (verdict: FoldVerdict, windows: number): string =>
  verdict.holds
    ? `yes: ${many(verdict.folds, 'judgement')} from ${many(windows, 'window')}, computed again to the same bytes`
    : `no, from number ${verdict.sequence} on: ${verdict.says}`;

/** Changes of kind, the newest last. */
const turns = (evidence: readonly WindowEvidence[]): readonly WindowEvidence[] =>
  evidence.filter((e, i) => e.kind !== evidence[i - 1]?.kind);
const LAST = 8;

/**
 * Why a device is said to drift or not: what changed, how sure that is, since when, on which machines, what to do; and
 * whether all of it follows from the windows that are kept. @param o.svg file for a picture of it.
 */
export const explainDrift = async (world: World, out: Output, id: string, o: { svg?: string }): Promise<void> => {
  const { of, head } = await findDrift(world, id);
  const { chain, windows, baseline } = await readDevice(sourceOf(world), of, head);
  const fold = chain.at(-1);
  if (fold === undefined)
    throw new CliError(`no evidence of ${of.device} is in the lake`, 'its retention may be over', EXIT.notFound);
  const { evidence: e } = fold;
  const advice = adviceOf(e);
  const verified = verifyFolds(chain, baseline, windows);
  const unused = unusedSeason(baseline, fold.policy.drift?.season);
  if (o.svg !== undefined) writeFile(o.svg, driftSvg(chain, `${e.kind} since ${e.since}: ${advice.what}`));
  answer(out, { evidence: e, advice, verified, svg: o.svg ?? null }, () => {
    headline(out, KIND_STYLES[e.kind], e.kind, advice.what);
    facts(out, [
      ['device', `${e.site}/${e.device}, ${e.modelLine}, package ${short(e.packageDigest)}`],
      ['since', e.since],
      ['machines', e.assets.join(', ')],
      ['how sure', advice.sure],
      ['to do', advice.next],
      ['window', `${e.rows} rows of context ${e.context}, ${e.from} … ${e.to}`],
      ['against', againstText(e)],
      ...(unused === null ? [] : [['season', unused] as const]),
      ['evidence', `number ${e.sequence}, ${e.hash}`],
      ['verified', verdictText(verified, windows.size)],
      ...(o.svg === undefined ? [] : [['picture', o.svg] as const]),
    ]);
    say(out);
    table(
      out,
      e.features.slice(0, LAST),
      [
        { title: 'FEATURE', of: (f) => f.name },
        { title: 'INDEX', of: (f) => figure(f.psi, 3), align: 'right' },
        { title: 'INTERVAL', of: (f) => `${figure(f.lower, 3)} … ${figure(f.upper, 3)}` },
        { title: 'JS', of: (f) => figure(f.js, 3), align: 'right' },
        { title: 'W1/IQR', of: (f) => figure(f.wasserstein, 3), align: 'right' },
        { title: 'KS', of: (f) => figure(f.ks, 3), align: 'right' },
        { title: 'AWAY (STD)', of: (f) => figure(f.z, 2), align: 'right' },
        {
          title: 'CUSUM (LIMIT)',
          of: (f) => (f.cusum === null ? '–' : `${figure(f.cusum, 1)} (${figure(f.cusumLimit, 1)})`),
        },
      ],
      'nothing was compared',
    );
    const all = turns(chain.map((f) => f.evidence));
    say(out);
    say(out, `What it was, from when on${all.length > LAST ? `, the last ${LAST} of ${all.length}` : ''}:`);
    table(
      out,
      all.slice(-LAST),
      [
        { title: 'FROM', of: (t) => t.from.slice(0, 16).replace('T', ' ') },
        { title: 'KIND', of: (t) => t.kind, style: (t) => KIND_STYLES[t.kind] },
        { title: 'NUMBER', of: (t) => String(t.sequence), align: 'right' },
        { title: 'SAYS', of: (t) => t.says[0] ?? '' },
      ],
      '',
    );
  });
};
