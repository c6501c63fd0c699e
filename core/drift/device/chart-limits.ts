import type { BaselineSpec } from '../../contracts/baseline.ts';
import { seededRandom } from '../../policy/bootstrap.ts';
import { blockLength, drawnBlocks, FEWEST_WINDOWS, type RunLength } from '../limits/block-bootstrap.ts';
import { CHART_K } from './charts.ts';
import { windowMeansOf } from './window-means.ts';

/** Limit of the charts of all features together, and what it is worth. */
export interface ChartLimits {
  /** In standard deviations of window means. */
  readonly limit: number;
  /** Windows until the first of all charts alarms although nothing changed; 90 % interval over what the reference might have been. */
  readonly arl0: RunLength;
  /** Of window means, by feature: their mean, and their deviation within contexts; null where there is none or it never varied. */
  readonly features: readonly ({ readonly mean: number; readonly sd: number } | null)[];
}

const RUNS = 300;
/** Fewer runs than this beyond the limit say too little: the tail is drawn on from where there are so many. */
const BEYOND = 10;
const FARTHER = 4;
/** Of a 90 % interval. */
const Z90 = 1.645;

const deviationOf = (x: readonly number[]): number | null => {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const sd = Math.sqrt(x.reduce((s, v) => s + (v - mean) ** 2, 0) / (x.length - 1));
  return sd > 0 ? sd : null;
};

/** What a chart believes of each series: mean and deviation of a pseudo-reference. */
type Believed = readonly { readonly mean: number; readonly sd: number }[];

const believed = (series: readonly (readonly number[])[], block: number, random: () => number): Believed => {
  const windows = (series[0] as readonly number[]).length;
  const reference = drawnBlocks(windows, windows, block, random);
  return series.map((x) => {
    let sum = 0;
    let squares = 0;
    for (const w of reference) {
      sum += x[w] as number;
      squares += (x[w] as number) ** 2;
    }
    const mean = sum / windows;
    return { mean, sd: Math.sqrt(Math.max(0, squares / windows - mean * mean)) };
  });
};

/** Farthest that any chart goes in `length` windows as those of the reference. */
const farthest = (
  series: readonly (readonly number[])[],
  of: Believed,
  length: number,
  block: number,
  random: () => number,
): number => {
  const stream = drawnBlocks((series[0] as readonly number[]).length, length, block, random);
  let most = 0;
  for (const [i, x] of series.entries()) {
    const { mean, sd } = of[i] as Believed[number];
    if (!(sd > 0)) continue;
    let up = 0;
    let down = 0;
    for (const w of stream) {
      const z = ((x[w] as number) - mean) / sd;
      up += z - CHART_K;
      if (up < 0) up = 0;
      down -= z + CHART_K;
      if (down < 0) down = 0;
      if (up > most) most = up;
      if (down > most) most = down;
    }
  }
  return most;
};

/** Covariance of two runs by the same pseudo-reference: how much the farthest depends on what the reference was. */
const covarianceOf = (pairs: readonly (readonly [number, number])[]): number => {
  const middle = pairs.reduce((sum, [a, b]) => sum + a + b, 0) / (2 * pairs.length);
  return Math.max(0, pairs.reduce((sum, [a, b]) => sum + (a - middle) * (b - middle), 0) / pairs.length);
};

const lengthOf = (length: number, beyond: number): number => -length / Math.log1p(-Math.min(RUNS - 0.5, beyond) / RUNS);

/**
 * The one limit at which the first of all charts of a device alarms once in `arl0` windows although nothing changed: a
 * moving-block bootstrap (Künsch 1989) of whole reference windows, so that neighbours stay alike and features move together
 * as they do. Times between rare alarms are exponential, so the farthest that charts go in short runs gives the limit
 * (Pollak & Tartakovsky 2009).
 * @returns null with fewer than 20 reference windows, or where no feature ever varied.
 */
export const chartLimits = (baseline: BaselineSpec, arl0: number, seed: number): ChartLimits | null => {
  const means = windowMeansOf(baseline).within;
  const windows = Math.max(0, ...means.map((m) => m.length));
  if (windows < FEWEST_WINDOWS) return null;
  const features = means.map((m, i) => {
    const varying = m.length === windows ? deviationOf(m) : null;
    const raw = baseline.features[i]?.windowMeans ?? [];
    return varying === null ? null : { mean: raw.reduce((a, b) => a + b, 0) / raw.length, sd: varying };
  });
  const series = means.filter((_, i) => features[i] !== null);
  if (series.length === 0) return null;
  const block = Math.max(...series.map(blockLength));
  const length = Math.min(1000, Math.max(50, Math.round(arl0 / 20)));
  const random = seededRandom(seed);
  const pairs = Array.from({ length: RUNS / 2 }, (): [number, number] => {
    const of = believed(series, block, random);
    return [farthest(series, of, length, block, random), farthest(series, of, length, block, random)];
  });
  const runs = pairs.flat().sort((a, b) => b - a);
  const wanted = RUNS * -Math.expm1(-length / arl0);
  const at = (beyond: number): number => runs[Math.min(RUNS - 1, Math.floor(beyond))] as number;
  const seen = Math.max(BEYOND, wanted);
  const perRun = Math.log(FARTHER) / Math.max(1e-9, at(BEYOND) - at(FARTHER * BEYOND));
  const limit = wanted >= BEYOND ? at(wanted) : at(BEYOND) + Math.log(BEYOND / wanted) / perRun;
  // Both of its logarithm: of so few runs beyond the limit, and of references that might have been.
  const spread = Math.exp(Z90 * Math.sqrt(1 / seen + perRun ** 2 * covarianceOf(pairs)));
  const value = lengthOf(length, wanted);
  return { limit, arl0: { value, interval: [value / spread, value * spread] }, features };
};
