import { AGEING_START, type AgeingState, type Slope, slopeOf, stepAgeing } from '../detectors/ageing-slope.ts';
import { type CusumState, cusumValue, stepCusum } from '../detectors/cusum.ts';
import { studentUpper } from '../tolerance/normal.ts';

/** Ageing chart of one feature: how far its window means went from where they should be, and the line since then. */
export interface Chart extends CusumState {
  /** Mean of the last window that was trusted, in standard deviations of the reference rows. */
  readonly last: number;
  /** Since the chart is on its way to the limit; null while it is not. */
  readonly line: AgeingState | null;
}

/** Reference value: the chart is quickest for a shift of half a standard deviation of window means. */
export const CHART_K = 0.25;
/** Share of the limit at which the line begins: before it there is no way to go on. */
const ON_ITS_WAY = 0.25;
/** One window moves a chart by no more of its limit: it is for what comes slowly; what comes at once, its window alone shows. */
const AT_ONCE = 0.25;
/** A chart goes no farther than so many limits, so that it comes down in finite time. */
const FARTHEST = 2;

/** What a chart is drawn by. */
export interface ChartRule {
  readonly limit: number;
  /** Where window means should be, and their standard deviation; in standard deviations of the reference rows. */
  readonly center: number;
  readonly sd: number;
  /** Windows that the centre was taken over: what is not known of it is added to the reference value. */
  readonly windows: number;
}

/** @param mean of the window. @param day when, counted in days from anywhere. */
export const stepChart = (chart: Chart | undefined, mean: number, day: number, rule: ChartRule): Chart => {
  const k = CHART_K + 1 / Math.sqrt(rule.windows);
  const from = chart ?? { up: 0, down: 0, last: mean, line: null };
  const z = (mean - rule.center) / rule.sd;
  const mostZ = AT_ONCE * rule.limit + k;
  const most = FARTHEST * rule.limit;
  // What is away from a side takes it down as far as it goes, so that no chart runs farther than without the bound.
  const held = {
    up: Math.min(most, stepCusum(from, Math.min(mostZ, z), k).up),
    down: Math.min(most, stepCusum(from, Math.max(-mostZ, z), k).down),
  };
  if (cusumValue(held) < ON_ITS_WAY * rule.limit) return { ...held, last: mean, line: null };
  const sameSide = held.up >= held.down === from.up >= from.down;
  const before = sameSide ? from.line : null;
  if (before !== null && day <= before.origin[0] + before.last[0]) return { ...held, last: mean, line: before };
  return { ...held, last: mean, line: stepAgeing(before ?? AGEING_START, day, mean - rule.center) };
};

/** Chance of so steep a slope where there is none: that of three standard errors which are known. */
export const BY_CHANCE = 0.00135;
/** As many standard errors by how well the error itself is known. */
const sureFrom: number[] = [];
const sureErrors = (freedom: number): number => (sureFrom[freedom] ??= studentUpper(BY_CHANCE, freedom));

/**
 * Fewer points hardly show how alike neighbours are, so that their lines are called sure up to twenty times as often as
 * {@link BY_CHANCE} says; of more, lines of slow wear are rarely sure any sooner (`npm run bench -- drift --only slopes`).
 */
const SURE_POINTS = 15;

/** The line of a chart, if it goes the way of the chart by such a share of what is sure. */
const lineOf = ({ up, down, line }: Chart, share: number): Slope | null => {
  const slope = line === null || line.n < SURE_POINTS ? null : slopeOf(line);
  if (slope === null || slope.freedom < 1) return null;
  const way = up >= down ? 1 : -1;
  return way * slope.perUnit > share * sureErrors(slope.freedom) * slope.error ? slope : null;
};

/** The line of a chart that is beyond its limit, if it surely goes the way of the chart; null otherwise. */
export const ageingOf = (chart: Chart, limit: number): Slope | null =>
  cusumValue(chart) > limit ? lineOf(chart, 1) : null;

/** Whether a chart that was surely ageing still is, half the way down from where that began. */
export const isStillAgeing = (chart: Chart, limit: number): boolean =>
  cusumValue(chart) > limit / 2 && lineOf(chart, 1 / 2) !== null;
