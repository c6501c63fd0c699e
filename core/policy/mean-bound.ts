/** Values in [0, 1], one of each independent unit, and what a bound of their mean is made with. */
export interface BoundOptions {
  /** Chances of a mean above the bound, each in (0, 1). */
  readonly levels: readonly number[];
  /** Uniform in [0, 1); give a seeded one. */
  readonly random: () => number;
  /** Default: 5,000, or so many that 25 lie beyond the smallest level. */
  readonly resamples?: number;
}

const RESAMPLES = 5000;
/** Resamples beyond the smallest level at least: it is then known to a fifth. */
const BEYOND = 25;
/** Resamples with a smaller standard deviation are all of one value: rounding, no spread. */
const NO_SPREAD = 1e-12;

const momentsOf = (values: readonly number[]): { readonly mean: number; readonly sd: number } => {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, sd: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
};

/** Globals that are looked up for each number would cost more than the number where modules run in a context of their own. */
const { floor, max, sqrt } = Math;

/** By how many standard deviations a mean of resamples lies above that of the values, ascending; −∞ where they are all alike. */
const studentized = (
  values: readonly number[],
  mean: number,
  random: () => number,
  resamples: number,
): Float64Array => {
  const n = values.length;
  return Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const x = (values[floor(random() * n)] as number) - mean;
      sum += x;
      squares += x * x;
    }
    const above = sum / n;
    const sd = sqrt(max(0, squares - n * above * above) / (n - 1));
    return sd > NO_SPREAD ? above / sd : Number.NEGATIVE_INFINITY;
  }).sort();
};

/** Bets on a smaller mean, as shares of the largest that loses all on a value of 1. */
const SHARES = [0.05, 0.1, 0.2, 0.4, 0.7, 0.95] as const;
const HALVINGS = 40;

/** What bets on a mean below `m` made of 1: at most 1 on the average, while the mean is `m` or more. */
const wealth = (values: readonly number[], m: number): number =>
  SHARES.reduce((sum, c) => sum + Math.exp(values.reduce((s, x) => s + Math.log1p((c * (m - x)) / (1 - m)), 0)), 0) /
  SHARES.length;

/**
 * Upper bound of the mean of independent values in [0, 1] that holds whatever their distribution: the least mean at which
 * bets against it, an equal mixture of fixed ones, are worth 1 / `level`, which happens with chance `level` at most (Waudby-Smith
 * & Ramdas 2024, "Estimating means of bounded random variables by betting", §4; the mixture does not depend on the order of
 * the values). About −ln(`level`) / n wide where all values are alike.
 */
export const bettingBound = (values: readonly number[], level: number): number => {
  let low = momentsOf(values).mean;
  let high = 1;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (wealth(values, middle) >= 1 / level) high = middle;
    else low = middle;
  }
  return high;
};

/**
 * Upper bounds of the mean of independent values in [0, 1], one for each level: bootstrap-t (Efron 1981; Hall 1988), which
 * follows skewed values where a percentile bootstrap or Student's distribution is too low. Where it is wider than the bound
 * that holds for any distribution, or the values have no spread to go by, it is that one. Neither knows of large values so
 * rare that there is none among them: only the betting bound alone would allow for them.
 * @throws {Error} when there is no value, or one is not in [0, 1].
 */
export const upperMeanBounds = (
  values: readonly number[],
  { levels, random, resamples = Math.max(RESAMPLES, Math.ceil(BEYOND / Math.min(...levels))) }: BoundOptions,
): readonly number[] => {
  if (values.length === 0) throw new Error('bound of a mean: expected at least one value, got none');
  const odd = values.find((x) => !(x >= 0 && x <= 1));
  if (odd !== undefined) throw new Error(`bound of a mean: expected values from 0 to 1, got ${odd}`);
  const { mean, sd } = momentsOf(values);
  const ascending = sd > NO_SPREAD ? studentized(values, mean, random, resamples) : [Number.NEGATIVE_INFINITY];
  return levels.map((level) => {
    const t = ascending[Math.floor(level * ascending.length)] as number;
    return Math.max(mean, Math.min(mean - t * Math.max(sd, NO_SPREAD), bettingBound(values, level)));
  });
};
