import { basename } from 'node:path';
import { z } from 'zod';
import type { WindowEvidence } from '#core/contracts/drift.ts';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { ValidationLoss } from '#core/contracts/evaluation.ts';
import { JoinedOutcomeRecord, judgementKeys } from '#core/contracts/judgement.ts';
import type { DriftDevice } from '#core/contracts/lake.ts';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import { unusedSeason } from '#core/drift/baselines/seasonal.ts';
import { DETECTORS } from '#core/drift/detectors-registry.ts';
import { type AgainstChanges, againstChanges } from '#core/drift/replay/against-changes.ts';
import { otherPolicy } from '#core/drift/replay/other-policy.ts';
import { replayDetector } from '#core/drift/replay/replay-detector.ts';
import { type RecordedDevice, type RecordedLine, replayPolicy } from '#core/drift/replay/replay-policy.ts';
import { factsOf, JudgedPackage } from '#core/outcomes/line-evidence.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import { compareText } from '#core/text/compare.ts';
import { CliError, EXIT } from '../../errors.ts';
import { folderShelf } from '../../files/folder-shelf.ts';
import { writeFile } from '../../files/write-file.ts';
import { modelLines, oneModelLine } from '../../find.ts';
import { answer, figure, many, type Output, say, table } from '../../output.ts';
import type { World } from '../../world.ts';
import { type ReplayedRow, replaySvg } from './drift-plot.ts';
import { type DriftSource, devicesWithEvidence, readDevice, sourceOf } from './read-drift.ts';

export interface ReplayDriftOptions {
  readonly policy: readonly string[];
  readonly detector: readonly string[];
  readonly line?: string;
  /** First digits of the digest of a package that served the line; absent: the champion. */
  readonly package?: string;
  readonly since?: string;
  /** Instants of changes that are known beside those that were tagged. */
  readonly change: readonly string[];
  readonly within: number;
  readonly svg?: string;
}

interface Recorded {
  readonly line: RecordedLine;
  readonly devices: readonly RecordedDevice[];
  /** As it was declared when the newest window was judged. */
  readonly policy: JudgingPolicy;
}

const policyOf = (devices: readonly RecordedDevice[], what: string): JudgingPolicy => {
  const newest = devices
    .flatMap((d) => d.chain.at(-1) ?? [])
    .sort((a, b) => compareText(a.evidence.to, b.evidence.to))
    .at(-1);
  if (newest === undefined)
    throw new CliError(`${what} has no windows to replay`, 'devices send them while a package serves', EXIT.notFound);
  return newest.policy;
};

const short = (digest: string): string => digest.replace('sha256:', '');

/** @throws {CliError} naming the packages of which windows are kept, when none or several of them are meant. */
const packageOf = (found: readonly DriftDevice[], digits: string): string => {
  const all = [...new Set(found.map((f) => f.packageDigest))];
  const [meant, ...others] = all.filter((digest) => short(digest).startsWith(short(digits)));
  if (meant !== undefined && others.length === 0) return meant;
  throw new CliError(
    `${meant === undefined ? 'no package' : 'more than one package'} "${digits}" has windows to replay`,
    all.length === 0
      ? 'devices send them while a package serves'
      : `name one of: ${all.map((digest) => short(digest).slice(0, 12)).join(', ')}`,
    meant === undefined ? EXIT.notFound : EXIT.usage,
  );
};

/** Windows and outcomes of a package of a line, by default of its champion. */
const recordedAt = async (world: World, { line: name, package: digits }: ReplayDriftOptions): Promise<Recorded> => {
  const { modelLine, site, champion } = await oneModelLine(world, name);
  const source = sourceOf(world);
  const kept = await devicesWithEvidence(source, `${modelLine}/`);
  const packageDigest = digits === undefined ? champion?.packageDigest : packageOf(kept, digits);
  if (packageDigest === undefined)
    throw new CliError(`${modelLine} has no champion`, 'ask for a first model: "millwright retrain"', EXIT.notFound);
  const found = kept.filter((f) => f.packageDigest === packageDigest);
  const [lines, items, record] = await Promise.all([
    modelLines(world),
    world.judgement(modelLine),
    world.registry.latest('package', packageDigest),
  ]);
  const headOf = ({ device }: (typeof found)[number]): string | null => {
    const { sk } = judgementKeys.features(modelLine, packageDigest, site, device);
    const newest = items.find((i) => i.sk === sk)?.['evidence'];
    return typeof newest === 'string' ? newest : null;
  };
  const devices = await inParallel(found, (of) => readDevice(source, of, headOf(of)));
  const policy = policyOf(devices, modelLine);
  const { validationLoss } = parseAs(JudgedPackage, record?.body ?? {}, `package ${packageDigest}`);
  const line = factsOf({ modelLine, site, packageDigest, policy, validationLoss }, items);
  return { line: { ...line, lines: lines.length }, devices, policy };
};

const Outcomes = z.strictObject({
  validationLoss: ValidationLoss.nullable(),
  outcomes: z.array(JoinedOutcomeRecord),
  lines: z.int().positive().default(1),
});

/**
 * The same of a folder: `drift/evidence` and `drift/windows` of the lake, `packages` of the artifacts, and, where outcomes
 * are to be replayed too, `outcomes.json` with `validationLoss` and `outcomes`, and how many `lines` share a budget of alarms.
 */
const recordedIn = async (dir: string, name: string | undefined): Promise<Recorded> => {
  const shelf = folderShelf(dir);
  const source: DriftSource = { lake: shelf, artifacts: shelf };
  const found = await devicesWithEvidence(source, name === undefined ? '' : `${name}/`);
  const packages = [...new Set(found.map((f) => `${f.modelLine} ${f.packageDigest}`))];
  if (packages.length > 1)
    throw new CliError(
      `${dir} has evidence of ${packages.length} packages`,
      `name a line with --line, or keep one package of ${packages.join(', ')}`,
      EXIT.usage,
    );
  const devices = await inParallel(found, (of) => readDevice(source, of, null));
  const policy = policyOf(devices, dir);
  const { modelLine, packageDigest, site } = found[0] as (typeof found)[number];
  const bytes = await shelf.find('outcomes.json');
  const { validationLoss, outcomes, lines } =
    bytes === null
      ? { validationLoss: null, outcomes: [], lines: 1 }
      : parseAs(Outcomes, JSON.parse(Buffer.from(bytes).toString('utf8')), 'outcomes.json');
  return {
    line: { modelLine, site, packageDigest, validationLoss, outcomes, lines, served: [], labels: [] },
    devices,
    policy,
  };
};

/** A policy file says what is other than declared. @throws {CliError} when the file is no JSON, or says what no policy has. */
const policyIn = (file: string, text: string, declared: JudgingPolicy): JudgingPolicy => {
  try {
    return otherPolicy(declared, JSON.parse(text), file);
  } catch (error) {
    throw new CliError(
      error instanceof ContractError ? error.message : `${file} is no JSON: ${(error as Error).message}`,
      'write the fields of "judging" of a use case that shall be other, such as {"alpha": 0.001}; docs/defining-a-use-case.md has them',
      EXIT.usage,
    );
  }
};

/** Policies are called as their files are, without folder and ending where that tells them apart. */
const namesOf = (files: readonly string[]): readonly string[] => {
  const short = files.map((file) => basename(file, '.json'));
  return new Set(['as declared', ...short]).size > files.length ? short : files;
};

interface Row extends ReplayedRow {
  readonly against: AgainstChanges;
}

/** What the season of a policy did with windows; null where it has none. */
const seasonText = (
  devices: readonly RecordedDevice[],
  { drift }: JudgingPolicy,
  kinds: readonly { readonly evidence: WindowEvidence }[],
): string | null => {
  if (drift?.season === undefined) return null;
  const unused = devices.flatMap((d) => unusedSeason(d.baseline, drift.season) ?? [])[0];
  const held = kinds.filter(
    ({ evidence: { against, cell } }) => against === 'season' || (against === 'own' && cell !== undefined),
  );
  return (
    unused ??
    `${held.length} of ${many(kinds.length, 'window')} held against their cell, the others against their context`
  );
};

const meanOf = (delays: AgainstChanges['delays']): number | null => {
  const found = delays.filter((d) => d !== null);
  return found.length === 0 ? null : found.reduce((a, b) => a + b, 0) / found.length;
};

const replayAll = (
  out: Output,
  { line, devices, policy }: Recorded,
  o: ReplayDriftOptions,
  readText: (file: string) => string,
): void => {
  const unknown = o.detector.find((d) => !Object.hasOwn(DETECTORS, d));
  if (unknown !== undefined)
    throw new CliError(`there is no detector "${unknown}"`, `one of: ${Object.keys(DETECTORS).join(', ')}`, EXIT.usage);
  const since = o.since ?? '';
  const names = namesOf(o.policy);
  const policies = [
    ['as declared', policy] as const,
    ...o.policy.map((file, i) => [names[i] as string, policyIn(file, readText(file), policy)] as const),
  ];
  const evidence = devices.flatMap((d) => d.chain.map((f) => f.evidence));
  const tagged = new Map(
    devices.flatMap((d) =>
      d.chain.flatMap((f) =>
        f.events
          .filter((e) => e.kind === 'changeover' || e.kind === 'tool-change')
          .map((e) => [e.eventId, { at: e.validTime, name: `${e.kind} ${e.asset}` }] as const),
      ),
    ),
  );
  const changes = o.change.map((at) => ({ at, name: 'change' })).filter((c) => c.at >= since);
  const rowOf = (name: string, alarms: ReplayedRow['alarms'], replayed: ReplayedRow['replayed']): Row => {
    const counted = alarms.filter((a) => a.at >= since);
    const against = againstChanges(
      counted.map((a) => a.at),
      changes.map((c) => c.at),
      o.within,
    );
    return { name, alarms: counted, replayed, against };
  };
  const losses = [...line.outcomes]
    .flatMap((r) => (r.loss === null ? [] : [{ at: r.knownTime, unit: `${r.asset}/${r.run}`, loss: r.loss }]))
    .sort((a, b) => compareText(a.at, b.at) || compareText(a.unit, b.unit));
  const expected = Math.min(1, (line.validationLoss?.upper ?? 0) + policy.lossTolerance);
  const rows = [
    ...policies.map(([name, p]) => {
      const replayed = replayPolicy(line, devices, p);
      return rowOf(name, replayed.alarms, replayed);
    }),
    ...o.detector.map((name) =>
      rowOf(name, replayDetector(DETECTORS[name] as (typeof DETECTORS)[string], losses, expected), null),
    ),
  ];
  const times = [...evidence.flatMap((e) => [e.from, e.to]), ...losses.map((l) => l.at)].sort();
  const span = { from: times[0] as string, to: times.at(-1) as string };
  if (o.svg !== undefined) {
    const marked = [...changes, ...tagged.values()].filter((c) => c.at >= span.from && c.at <= span.to);
    writeFile(o.svg, replaySvg(rows, marked, span, `${line.modelLine}: what policies would have done`));
  }
  const seasons = policies.flatMap(([name, p], i) => {
    const season = seasonText(devices, p, rows[i]?.replayed?.kinds ?? []);
    return season === null ? [] : [{ name, season }];
  });
  const document = rows.map(({ name, alarms, against, replayed }) => ({
    name,
    alarms,
    ...against,
    retrains: replayed?.retrains ?? null,
    held: replayed?.held ?? null,
    asks: replayed?.asks ?? null,
    states: replayed?.states ?? null,
    season: seasons.find((s) => s.name === name)?.season ?? null,
  }));
  answer(
    out,
    { modelLine: line.modelLine, ...span, windows: evidence.length, outcomes: losses.length, rows: document },
    () => {
      say(
        out,
        `${line.modelLine}: ${many(evidence.length, 'window')} of ${many(devices.length, 'device')} and ${many(losses.length, 'outcome')}, ${span.from.slice(0, 10)} … ${span.to.slice(0, 10)}`,
      );
      say(out);
      table(
        out,
        rows,
        [
          { title: 'POLICY', of: (r) => r.name },
          { title: 'ALARMS', of: (r) => String(r.alarms.length), align: 'right' },
          { title: 'FIRST', of: (r) => r.alarms[0]?.at.slice(0, 10) ?? '–' },
          { title: 'RETRAINS', of: (r) => String(r.replayed?.retrains.length ?? '–'), align: 'right' },
          { title: 'HELD', of: (r) => String(r.replayed?.held ?? '–'), align: 'right' },
          { title: 'ASKS', of: (r) => String(r.replayed?.asks ?? '–'), align: 'right' },
          {
            title: 'FOUND',
            of: ({ against: { delays } }) => `${delays.filter((d) => d !== null).length} of ${delays.length}`,
            align: 'right',
          },
          { title: 'DAYS', of: (r) => figure(meanOf(r.against.delays), 1), align: 'right' },
          { title: 'FALSE', of: (r) => String(r.against.falseAlarms), align: 'right' },
          { title: 'ENDS', of: (r) => r.replayed?.states.at(-1)?.state ?? '–' },
        ],
        '',
      );
      const outside = changes.filter((c) => c.at < span.from || c.at > span.to);
      if (outside.length > 0)
        say(out, `Outside of what was recorded, and so never found: ${outside.map((c) => c.at).join(', ')}`);
      if (changes.length === 0)
        say(out, 'No change was named with --change: every alarm counts as false. Tagged changeovers are no drift.');
      for (const { name, season } of seasons) say(out, `Season of ${name}: ${season}`);
      if (o.svg !== undefined) say(out, `Picture: ${o.svg}`);
    },
  );
};

/** What drift policies would have done with the past of a line, beside each other and beside detectors by name. */
export const replayDrift = async (
  world: World,
  out: Output,
  o: ReplayDriftOptions,
  readText: (file: string) => string,
): Promise<void> => replayAll(out, await recordedAt(world, o), o, readText);

/** The same for a folder of windows and evidence; asks no platform. */
export const replayFolder = async (
  out: Output,
  dir: string,
  o: ReplayDriftOptions,
  readText: (file: string) => string,
): Promise<void> => replayAll(out, await recordedIn(dir, o.line), o, readText);
