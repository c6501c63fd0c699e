import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { DriftWindow, WindowEvidence } from '../../contracts/drift.ts';
import type { Digest } from '../../contracts/primitives.ts';
import { digestOf } from '../../lineage/digest.ts';
import { onceEach } from '../../policy/once-each.ts';
import { oncePer } from '../../policy/once-per.ts';
import { driftRules } from '../policy.ts';
import { WindowSet } from '../sketch/merge.ts';
import { chartLimits } from './chart-limits.ts';
import { takeEvents } from './device-events.ts';
import { type DeviceState, KEPT_ASSETS, KEPT_CONTEXTS, newest, startOf, withEnd, withEntry } from './device-state.ts';
import { type JudgedBy, judge } from './judged.ts';
import { seasonal } from './reference.ts';
import { warmUpBegins } from './warm-up.ts';
import { evidenceOf } from './window-evidence.ts';
import { weigh } from './window-kind.ts';

/** Of the rules of this fold. Raise it with every change after which the same windows give another evidence. */
export const FOLD_VERSION = 3;

export interface Folded {
  readonly state: DeviceState;
  readonly evidence: WindowEvidence;
}

/** Windows of other contexts weigh less with every window. */
const MIX_DECAY = 0.5 ** (1 / 50);

const digestOnce = oncePer((document: object): Digest => digestOf(document));

/** By the windows of a baseline, or of its cells of the season: one seed, for a large one is slow to digest. */
const limitsOf = oncePer((baseline: BaselineSpec) =>
  oncePer((by: BaselineSpec) =>
    onceEach((arl0: number) => {
      const seed = Number.parseInt(digestOnce(baseline).slice('sha256:'.length).slice(0, 8), 16);
      return chartLimits(by, arl0, seed);
    }),
  ),
);

/**
 * Judges one window of one device: quality of the data first, then context and tagged changes, then each feature against
 * its reference, then what comes slowly. A function of its arguments alone, so that who has the windows computes the same
 * evidence again, byte by byte.
 * @param state as the fold before left it; null at the first window of a package on a device.
 * @param windows that make up the judged window: of one device, package and context, together `baseline.windows.rows` rows or more.
 * @throws {RangeError} when there is none, or they are not of one device, package, context and baseline.
 */
export const foldWindow = (state: DeviceState | null, windows: readonly DriftWindow[], of: JudgedBy): Folded => {
  const set = WindowSet.of(windows);
  const window = set.total();
  const inOrder = set.toJSON();
  const [first] = inOrder as readonly [DriftWindow, ...DriftWindow[]];
  const other = windows.find((w) => w.site !== first.site || w.device !== first.device);
  if (other !== undefined)
    throw new RangeError(
      `windows of ${first.site}/${first.device} and ${other.site}/${other.device} are not judged together: fold each device alone`,
    );
  const rules = driftRules(of.policy.drift);
  const limit = limitsOf(of.baseline)(seasonal(of.baseline, rules.season) ?? of.baseline)(rules.arl0);
  const start = state === null ? startOf(window.from) : withEnd(state, window.from, rules.learnDays);
  const { state: told, events, begun } = takeEvents(start, of.events, window, rules);
  const contexts = window.assets.reduce((all, a) => withEntry(all, a, window.context), told.contexts);
  const here = { ...told, contexts: newest(contexts, KEPT_ASSETS) };
  // By machine: two that run different contexts at the same time change none.
  const came = window.assets.filter((a) => (told.contexts[a] ?? window.context) !== window.context);
  const warming = [...new Set([...came, ...begun.map((e) => e.asset)])].map((asset) => ({
    asset,
    from: told.contexts[asset] ?? null,
    to: contexts[asset] ?? window.context,
    isTold: begun.some((e) => e.asset === asset),
  }));
  const begins = rules.warmUpRows > 0 && warming.length > 0;
  const ready = begins ? warmUpBegins(here, warming, rules.warmUpRows) : here;
  const judged = judge(ready, window, inOrder, of, rules);
  const straddles = begun.some((e) => e.validTime > window.from);
  const { state: folded, kind } =
    straddles && judged.faults.length === 0
      ? { state: ready, kind: 'warm-up' as const }
      : weigh(ready, judged, of, rules, limit);
  const mix = Object.fromEntries(Object.entries(folded.mix).map(([c, n]) => [c, n * MIX_DECAY]));
  const after: DeviceState = {
    ...folded,
    kind,
    since: state !== null && state.kind === kind ? state.since : window.from,
    last: { boot: first.boot, windowStart: first.windowStart, from: first.from, assets: window.assets },
    mix: newest(withEntry(mix, window.context, (mix[window.context] ?? 0) + 1), KEPT_CONTEXTS),
  };
  const evidence = evidenceOf({
    before: ready,
    state: after,
    judged,
    of,
    rules,
    events,
    limit,
    windows: inOrder.map((w) => ({
      boot: w.boot,
      windowStart: w.windowStart,
      digest: (of.windowDigest ?? digestOf)(w),
    })),
    baselineDigest: digestOnce(of.baseline),
    policyDigest: digestOnce(of.policy),
    first,
    version: FOLD_VERSION,
  });
  return { state: { ...after, sequence: evidence.sequence, head: evidence.hash }, evidence };
};
