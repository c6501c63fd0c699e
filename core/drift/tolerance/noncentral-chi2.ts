import { normalUpper } from './normal.ts';

/** Lanczos approximation, g = 7, n = 9 (Godfrey 2001); relative error below 1e-14. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
const HALF_LN_2PI = 0.9189385332046727;
/** Terms farther from the largest than this many standard deviations of a Poisson number are left out: below 1e-17 together. */
const REACH = 9;

/** ln Γ(x) for x > 0. */
export const lnGamma = (x: number): number => {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - lnGamma(1 - x);
  const y = x - 1;
  let sum = LANCZOS[0] as number;
  for (let i = 1; i < LANCZOS.length; i++) sum += (LANCZOS[i] as number) / (y + i);
  const t = y + LANCZOS.length - 1.5;
  return HALF_LN_2PI + (y + 0.5) * Math.log(t) - t + Math.log(sum);
};

/** x^a e^−x / Γ(a + 1) */
const term = (a: number, x: number): number => (x <= 0 ? 0 : Math.exp(a * Math.log(x) - x - lnGamma(a + 1)));

/**
 * Regularised lower incomplete gamma function P(a, x) for a > 0, x ≥ 0, and its complement Q: by series below a + 1, by
 * continued fraction above (Numerical Recipes §6.2, modified Lentz), so that the smaller of the two keeps its digits.
 */
export const gammaPQ = (a: number, x: number): readonly [p: number, q: number] => {
  if (x <= 0) return [0, 1];
  if (x < a + 1) {
    let add = 1;
    let sum = 1;
    for (let k = 1; add > sum * 1e-17; k++) {
      add *= x / (a + k);
      sum += add;
    }
    const p = term(a, x) * sum;
    return [p, 1 - p];
  }
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 1e6; i++) {
    const an = -i * (i - a);
    b += 2;
    d = an * d + b;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = b + an / c;
    c = Math.abs(c) < tiny ? tiny : c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  const q = term(a, x) * a * h;
  return [1 - q, q];
};

/** Walks along terms; one that is too small for a number is computed from its logarithm, so that none is lost. */
const next = (t: number, ratio: number, a: number, x: number): number => (t > 1e-290 ? t * ratio : term(a, x));

/** From the mean of the weights to where weight and density of the central χ² are largest together, which far tails rest on. */
const range = (rate: number, y: number): readonly [low: number, high: number] => {
  const both = Math.sqrt(rate * y);
  const around = (at: number): number => REACH * Math.sqrt(at) + 20;
  const low = Math.min(rate, both);
  const high = Math.max(rate, both);
  return [Math.max(0, Math.floor(low - around(low))), Math.ceil(high + around(high))];
};

/** P(X > x); see {@link noncentralChi2}. */
const upperTail = (x: number, dof: number, lambda: number): number => {
  const y = Math.max(0, x) / 2;
  const rate = lambda / 2;
  if (rate === 0) return gammaPQ(dof / 2, y)[1];
  const [low, high] = range(rate, y);
  let a = dof / 2 + low;
  let q = gammaPQ(a, y)[1];
  let t = term(a, y);
  let weight = term(low, rate);
  let sum = 0;
  for (let j = low; j <= high; j++) {
    sum += weight * q;
    q += t;
    a += 1;
    t = next(t, y / a, a, y);
    weight = next(weight, rate / (j + 1), j + 1, rate);
  }
  return Math.min(1, sum);
};

/** P(X ≤ x); see {@link noncentralChi2}. */
const lowerTail = (x: number, dof: number, lambda: number): number => {
  const y = Math.max(0, x) / 2;
  const rate = lambda / 2;
  if (rate === 0 || y === 0) return gammaPQ(dof / 2, y)[0];
  const [low, high] = range(rate, y);
  let a = dof / 2 + high;
  let p = gammaPQ(a, y)[0];
  let t = term(a - 1, y);
  let weight = term(high, rate);
  let sum = 0;
  for (let j = high; j >= low; j--) {
    sum += weight * p;
    p += t;
    a -= 1;
    t = next(t, a / y, a - 1, y);
    weight = next(weight, j / rate, j - 1, rate);
  }
  return Math.min(1, sum);
};

/**
 * Noncentral χ² distribution: a Poisson mixture of central ones (Johnson, Kotz & Balakrishnan 1995, ch. 29). Sums run in
 * the direction in which all terms are added, so tails keep their digits.
 * @param dof > 0, need not be whole. @param lambda noncentrality ≥ 0.
 * @returns P(X ≤ x) and P(X > x).
 */
export const noncentralChi2 = (
  x: number,
  dof: number,
  lambda: number,
): { readonly cdf: number; readonly sf: number } => ({
  cdf: lowerTail(x, dof, lambda),
  sf: upperTail(x, dof, lambda),
});

/** Root of an f that rises, from below 0 at 0, looked for about a guess (regula falsi, Illinois). */
const root = (f: (at: number) => number, atZero: number, guess: number): number => {
  let [low, fLow] = [0, atZero];
  let high = Math.max(1e-3, guess);
  let fHigh = f(high);
  for (let step = 1.05; fHigh < 0; step *= step) {
    [low, fLow] = [high, fHigh];
    high *= step;
    fHigh = f(high);
  }
  if (low === 0) {
    const below = f(0.95 * high);
    if (below < 0) [low, fLow] = [0.95 * high, below];
    else [high, fHigh] = [0.95 * high, below];
  }
  let side = 0;
  for (let i = 0; i < 100 && high - low > 1e-10 * high; i++) {
    const at = (fHigh * low - fLow * high) / (fHigh - fLow);
    const value = f(at);
    if (Math.abs(value) < 1e-11) return at;
    if (value < 0) {
      [low, fLow] = [at, value];
      if (side === -1) fHigh /= 2;
      side = -1;
    } else {
      [high, fHigh] = [at, value];
      if (side === 1) fLow /= 2;
      side = 1;
    }
  }
  return (low + high) / 2;
};

/** How a statistic is distributed at a given noncentrality: P(X ≤ x) and P(X > x) of the x that was observed. */
export interface Tails {
  readonly cdf: (noncentrality: number) => number;
  readonly sf: (noncentrality: number) => number;
}

/**
 * One-sided confidence bounds of the noncentrality, each at level 1 − alpha: where the observation is just as rare as that.
 * @param guesses where to look first.
 */
export const boundsOf = (
  { cdf, sf }: Tails,
  alpha: number,
  guesses: { readonly lower: number; readonly upper: number },
): { readonly lower: number; readonly upper: number } => {
  // By logarithms, which are nearly straight in the noncentrality.
  const level = Math.log(alpha);
  const log = (p: number): number => Math.log(Math.max(p, Number.MIN_VALUE)) - level;
  const [above, below] = [sf(0), cdf(0)];
  return {
    lower: above >= alpha ? 0 : root((l) => log(sf(l)), log(above), guesses.lower),
    upper: below <= alpha ? 0 : root((l) => -log(cdf(l)), -log(below), guesses.upper),
  };
};

/** By the root of the statistic, which is nearly normal with a variance of 1 (Johnson, Kotz & Balakrishnan 1995, §29.8). */
export const guessBounds = (
  x: number,
  dof: number,
  alpha: number,
): { readonly lower: number; readonly upper: number } => {
  const half = (dof - 1) / 2;
  const middle = Math.sqrt(Math.max(0, x - half));
  const z = normalUpper(alpha);
  const at = (r: number): number => Math.max(0, r) ** 2 - half;
  return { lower: at(middle - z), upper: at(middle + z) };
};

/** One-sided confidence bounds of the noncentrality, each at level 1 − alpha, from one observation x. */
export const noncentralityBounds = (
  x: number,
  dof: number,
  alpha: number,
): { readonly lower: number; readonly upper: number } =>
  boundsOf({ sf: (l) => upperTail(x, dof, l), cdf: (l) => lowerTail(x, dof, l) }, alpha, guessBounds(x, dof, alpha));
