import { seededRandom } from '../policy/bootstrap.ts';

/** One unit's answer and what turned out to be true, label units. */
export interface ScoredAnswer {
  readonly unit: string;
  readonly predicted: number;
  readonly truth: number;
}

/** A figure and its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/** Root mean square error, label units. */
export const rmse = (answers: readonly ScoredAnswer[]): number =>
  Math.sqrt(answers.reduce((sum, a) => sum + (a.predicted - a.truth) ** 2, 0) / answers.length);

/**
 * Score of the PHM 2008 data challenge: Σ exp(−d/13) − 1 for answers too early (d < 0) and Σ exp(d/10) − 1 for answers
 * too late, d = predicted − true in flights; a sum over units, lower is better (Saxena, Goebel, Simon, Eklund 2008, eq. 11).
 */
export const nasaScore = (answers: readonly ScoredAnswer[]): number =>
  answers.reduce((sum, { predicted, truth }) => {
    const late = predicted - truth;
    return sum + Math.expm1(late < 0 ? -late / 13 : late / 10);
  }, 0);

/** The same answers against truths that are not above `cap`: the convention of labels that are capped. */
export const againstCapped = (answers: readonly ScoredAnswer[], cap: number): readonly ScoredAnswer[] =>
  answers.map((a) => ({ ...a, truth: Math.min(a.truth, cap) }));

/**
 * A statistic of answers with its 95 % percentile bootstrap interval over units (Efron & Tibshirani 1993, ch. 13). The
 * same answers in any order and the same seed give the same interval.
 * @throws {Error} without answers, naming a unit that is there twice, or one whose answer or truth is no finite number.
 */
export const bootstrapOverUnits = (
  answers: readonly ScoredAnswer[],
  statistic: (answers: readonly ScoredAnswer[]) => number,
  seed: number,
  resamples = 2000,
): Interval => {
  if (answers.length === 0) throw new Error('a score needs the answer for at least one unit; got none');
  const sorted = [...answers].sort((a, b) => (a.unit < b.unit ? -1 : 1));
  for (const [i, a] of sorted.entries()) {
    if (a.unit === sorted[i + 1]?.unit) throw new Error(`unit ${a.unit} is there twice: give one answer for each unit`);
    if (!Number.isFinite(a.predicted) || !Number.isFinite(a.truth))
      throw new Error(`unit ${a.unit}: expected finite numbers, got answer ${a.predicted} and truth ${a.truth}`);
  }
  const random = seededRandom(seed);
  const values = Array.from({ length: resamples }, () =>
    statistic(sorted.map(() => sorted[Math.floor(random() * sorted.length)] as ScoredAnswer)),
  ).sort((a, b) => a - b);
  const at = (q: number): number => values[Math.min(resamples - 1, Math.floor(q * resamples))] as number;
  const value = statistic(sorted);
  return { value, lower: Math.min(value, at(0.025)), upper: Math.max(value, at(0.975)) };
};
