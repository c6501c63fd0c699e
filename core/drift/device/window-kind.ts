import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { WindowKind } from '../../contracts/drift.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { daysAfter } from '../../policy/days-after.ts';
import { oncePer } from '../../policy/once-per.ts';
import { unpack } from '../baselines/counts.ts';
import { LEARN_WINDOWS, learn, type WindowCounts } from '../baselines/learned.ts';
import { recurring } from '../baselines/regimes.ts';
import { roll } from '../baselines/rolling.ts';
import { isFarOff } from '../decision/feature-votes.ts';
import { cusumValue } from '../detectors/cusum.ts';
import type { DriftRules } from '../policy.ts';
import { WindowEValue } from '../tolerance/window-e-value.ts';
import type { ChartLimits } from './chart-limits.ts';
import { ageingOf, type Chart, isStillAgeing, stepChart } from './charts.ts';
import { afresh, type DeviceState, KEPT_CONTEXTS, newest, withEntry } from './device-state.ts';
import { calmHold, FREE, type Hold, isFree, stepHold } from './hold.ts';
import { distanceTo, type JudgedFeature } from './judge-features.ts';
import { countsOf, type Judged, type JudgedBy } from './judged.ts';
import { centerOf, packageReference, type Reference } from './reference.ts';
import { warmedUp } from './warm-up.ts';

/** What a device learned of itself has to stay within so many bytes of its state: two a cell, and the mean of each feature. */
const KEPT_OWN_BYTES = 64_000;
const MEAN_BYTES = 24;
/** Contexts and cells of the season that may be learned after a change; more are held against the package. */
export const keptOwn = oncePer(({ features }: BaselineSpec): number => {
  const each = features.reduce((sum, f) => sum + 2 * f.counts.length + MEAN_BYTES, 0);
  return Math.min(KEPT_CONTEXTS, Math.max(1, Math.floor(KEPT_OWN_BYTES / each)));
});
/** Fewer features than this are no step of many at once. */
const FEWEST_STEPS = 3;
const DAY = 86_400_000;

const movedShare = (features: readonly JudgedFeature[], psiWatch: number): number =>
  features.length === 0 ? 0 : features.filter((f) => f.lower > psiWatch).length / features.length;

/** A known regime that a window is like: one of the library, or what the package has where the device learned its own since. */
const isRecurring = (state: DeviceState, judged: Judged, { baseline, policy }: JudgedBy): boolean => {
  const { reference, sketches, window, place } = judged;
  const by = reference?.baseline ?? baseline;
  const near = (counts: Reference['counts']): number => distanceTo(by, counts, sketches, policy.alpha);
  const packaged = reference?.against === 'own' ? packageReference(baseline, window.context, place) : null;
  if (packaged !== null && near(packaged.counts) < policy.psiSerious) return true;
  return recurring(state.regimes, ({ packed }) => near(unpack(packed)), policy.psiSerious) !== null;
};

/** Many features step at once where few differed before; until its time is over, or as many no longer differ. */
const suspectedOf = (
  state: DeviceState,
  judged: Judged,
  policy: JudgingPolicy,
  rules: DriftRules,
): DeviceState['suspected'] => {
  const { window, features } = judged;
  const share = movedShare(features, policy.psiWatch);
  if (state.suspected !== null)
    return share > rules.changeoverShare / 2 && window.from < state.suspected.until ? state.suspected : null;
  const steps = share > rules.changeoverShare && share * features.length >= FEWEST_STEPS;
  if (!steps || state.moved === null || state.moved > rules.changeoverShare / 2) return null;
  const until = daysAfter(window.from, rules.changeoverDays);
  return { since: window.from, until };
};

/** Draws the charts on by one window; a feature without a centre in this context waits. */
const drawn = (
  state: DeviceState,
  { window, key, place, reference }: Judged,
  learned: WindowCounts,
  { baseline }: JudgedBy,
  limit: ChartLimits | null,
): DeviceState => {
  if (limit === null || reference === null) return state;
  const overall = limit.features.map((f) => f?.mean ?? null);
  const { windows, means } = centerOf(state, { reference, key, place }, overall);
  const day = (Date.parse(window.from) + Date.parse(window.to)) / 2 / DAY;
  const charts: Record<string, Chart> = { ...state.charts };
  for (const [i, { name }] of baseline.features.entries()) {
    const sd = limit.features[i]?.sd;
    const mean = learned.means[i] ?? null;
    const center = means[i] ?? null;
    if (sd === undefined || mean === null || center === null) continue;
    charts[name] = stepChart(charts[name], mean, day, { limit: limit.limit, center, sd, windows });
  }
  return { ...state, charts };
};

const eValueOf = (kept: unknown, baseline: BaselineSpec): WindowEValue =>
  kept === null ? WindowEValue.start(baseline.features.map((f) => f.name)) : WindowEValue.restore(kept);

/** By declared rule a window after a tagged change is learned, if it differs from what the package has. */
const accepted = (
  state: DeviceState,
  judged: Judged,
  learned: WindowCounts,
  baseline: BaselineSpec,
): { state: DeviceState; isLearning: boolean } => {
  const { accepting } = state;
  const isFull = state.own[judged.key] === undefined && Object.keys(state.own).length >= keptOwn(baseline);
  if (accepting === null || isFull || judged.reference?.against === 'own') return { state, isLearning: false };
  const differs = judged.reference === null || judged.state !== 'steady';
  const before = accepting.contexts[judged.key] ?? 0;
  if (before !== 'learn' && judged.window.from >= accepting.until) return { state, isLearning: false };
  if (before !== 'learn' && before >= LEARN_WINDOWS) return { state, isLearning: false };
  const mode = before === 'learn' || differs ? 'learn' : before + 1;
  const contexts = newest(withEntry(accepting.contexts, judged.key, mode), KEPT_CONTEXTS);
  const next = { ...state, accepting: { ...accepting, contexts } };
  if (mode !== 'learn') return { state: next, isLearning: false };
  const own = withEntry(state.own, judged.key, learn(state.own[judged.key], learned));
  return { state: { ...next, own }, isLearning: true };
};

/** What is said of drift while a device is held, whatever its newest window alone is. */
const heldKind = (hold: Hold, state: Judged['state']): 'steady' | 'watch' | 'serious' => {
  if (hold.serious !== null) return 'serious';
  return isFree(hold) && state === 'steady' ? 'steady' : 'watch';
};

/** What a window is after all is weighed, and what is remembered of it. */
export const weigh = (
  given: DeviceState,
  judged: Judged,
  of: JudgedBy,
  rules: DriftRules,
  limit: ChartLimits | null,
): { readonly state: DeviceState; readonly kind: WindowKind } => {
  const { window } = judged;
  if (judged.faults.length > 0) return { state: given, kind: 'data-quality' };
  const { state: before, isLeftOut } = warmedUp(given, window);
  if (given.mutedUntil !== null && window.from < given.mutedUntil) return { state: before, kind: 'muted' };
  if (isLeftOut) return { state: before, kind: 'warm-up' };
  const learned = countsOf(of.baseline, judged);
  const { state, isLearning } = accepted(before, judged, learned, of.baseline);
  if (judged.reference === null) return { state, kind: 'new-context' };
  if (isLearning) return { state, kind: 'warm-up' };
  const rolling = roll(state.rolling, { context: judged.key, rows: learned.rows, counts: learned.counts });
  const hold = state.hold ?? FREE;
  const holdRule = { ...of.policy, threshold: rules.arl0 };
  if (judged.state !== 'steady' && isRecurring(state, judged, of)) {
    const left = calmHold(hold, holdRule);
    if (isFree(left)) return { state: { ...state, rolling, ...(isFree(hold) ? {} : afresh()) }, kind: 'recurring' };
    return { state: { ...state, rolling, hold: left }, kind: heldKind(left, judged.state) };
  }
  const isFar = isFarOff(judged.features.map((f) => f.lower));
  const suspected = suspectedOf(state, judged, of.policy, rules);
  const ps = new Map(judged.features.map((f) => [f.name, f.p]));
  const eValues = eValueOf(state.eValues, of.baseline).update(ps);
  const recent = eValueOf(state.recent === undefined ? state.eValues : state.recent, of.baseline).update(ps);
  const charted = drawn({ ...state, rolling, suspected }, judged, learned, of, limit);
  const next: DeviceState = {
    ...charted,
    moved: movedShare(judged.features, of.policy.psiWatch),
    farOffWindows: isFar ? state.farOffWindows + 1 : 0,
    eValues: eValues.toJSON(),
    // What reached the limit while a changeover was suspected is found when that is over.
    recent: (suspected === null ? recent.atMost(rules.arl0) : recent).toJSON(),
  };
  if (suspected !== null) return { state: next, kind: 'suspected-changeover' };
  const byFar = Object.entries(next.charts).sort(([, a], [, b]) => cusumValue(b) - cusumValue(a));
  const ofCharts = (is: (chart: Chart, chartLimit: number) => boolean): string[] =>
    limit === null ? [] : byFar.filter(([, chart]) => is(chart, limit.limit)).map(([name]) => name);
  const farthest = byFar[0] === undefined ? 0 : cusumValue(byFar[0][1]);
  const stepped = stepHold(
    hold,
    {
      state: judged.state,
      lower: judged.features[0]?.lower ?? 0,
      eValue: recent.value,
      chart: limit === null ? 0 : farthest / limit.limit,
      ageing: ofCharts((chart, at) => ageingOf(chart, at) !== null),
      stillAgeing: ofCharts(isStillAgeing),
    },
    holdRule,
  );
  const kind = heldKind(stepped, judged.state);
  // An alarm that is over is over for the line too: e-values begin anew, as after any alarm.
  const isOver = hold.together !== null && stepped.together === null;
  return {
    state: { ...next, ...(isOver ? { eValues: null, recent: null } : {}), hold: stepped },
    kind: kind !== 'serious' && stepped.ages != null ? 'ageing' : kind,
  };
};
