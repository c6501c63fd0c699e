import { lnGamma } from '#core/drift/tolerance/noncentral-chi2.ts';

/** Two-sample distances and tests on the values themselves, as scipy and the libraries that call it compute them. */

type Values = readonly number[];
const sorted = (values: Values): number[] => [...values].sort((a, b) => a - b);

/** Differences of the two empirical distribution functions after each value, and how far it is to the next. */
const steps = (x: Values, y: Values): { readonly difference: number; readonly width: number }[] => {
  const [a, b] = [sorted(x), sorted(y)];
  const all = sorted([...x, ...y]);
  let [i, j] = [0, 0];
  return all.map((at, k) => {
    while (i < a.length && (a[i] as number) <= at) i++;
    while (j < b.length && (b[j] as number) <= at) j++;
    return { difference: i / a.length - j / b.length, width: (all[k + 1] ?? at) - at };
  });
};

export const ksStatistic = (x: Values, y: Values): number =>
  Math.max(...steps(x, y).map((s) => Math.abs(s.difference)));

/**
 * P(D ≥ d) of two samples of sizes m and n from one distribution, exactly: the share of lattice paths that leave the band
 * (Kim & Jennrich 1973; the recursion of R's psmirnov).
 */
export const ksExact = (d: number, m: number, n: number): number => {
  const within = (0.5 + Math.floor(d * m * n - 1e-7)) / (m * n);
  const inside = (i: number, j: number): boolean => Math.abs(i / m - j / n) <= within;
  const u: number[] = Array.from({ length: n + 1 }, (_, j) => Number(inside(0, j)));
  for (let i = 1; i <= m; i++) {
    const weight = i / (i + n);
    u[0] = inside(i, 0) ? weight * (u[0] as number) : 0;
    for (let j = 1; j <= n; j++) u[j] = inside(i, j) ? weight * (u[j] as number) + (u[j - 1] as number) : 0;
  }
  return 1 - (u[n] as number);
};

type Matrix = readonly Float64Array[];
const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => {
    const out = new Float64Array(row.length);
    for (let k = 0; k < row.length; k++) {
      const v = row[k] as number;
      if (v !== 0) for (let j = 0; j < row.length; j++) out[j] = (out[j] as number) + v * (b[k]?.[j] as number);
    }
    return out;
  });

/** P(D > d) of one sample of n values against a known distribution, exactly (Marsaglia, Tsang & Wang 2003), for n up to 700. */
const ksMatrix = (d: number, n: number): number => {
  const k = Math.ceil(n * d);
  const size = 2 * k - 1;
  const h = k - n * d;
  const factorials = [1];
  for (let i = 1; i <= size; i++) factorials.push((factorials[i - 1] as number) * i);
  const entry = (i: number, j: number): number => {
    if (i - j + 1 < 0) return 0;
    let value = 1;
    if (j === 0) value -= h ** (i + 1);
    if (i === size - 1) value -= h ** (size - j);
    if (j === 0 && i === size - 1 && 2 * h > 1) value += (2 * h - 1) ** size;
    return value / (factorials[i - j + 1] as number);
  };
  let base: Matrix = Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (_, j) => entry(i, j)));
  let power: Matrix | null = null;
  for (let left = n; left > 0; left >>= 1) {
    if (left & 1) power = power === null ? base : times(power, base);
    if (left > 1) base = times(base, base);
  }
  let inside = power?.[k - 1]?.[k - 1] as number;
  for (let i = 1; i <= n; i++) inside *= i / n;
  return 1 - inside;
};

/** P(D⁺ ≥ d) of one sample of n values (Birnbaum & Tingey 1951). */
const ksOneSided = (d: number, n: number): number => {
  let sum = 0;
  for (let j = 0; j < n * (1 - d); j++) {
    const choose = lnGamma(n + 1) - lnGamma(j + 1) - lnGamma(n - j + 1);
    sum += Math.exp(choose + (j - 1) * Math.log(d + j / n) + (n - j) * Math.log(1 - d - j / n));
  }
  return d * sum;
};

/**
 * P(D > d) of one sample of n values as `scipy.stats.kstwo.sf` computes it (Simard & L'Ecuyer 2011): far out twice the
 * one-sided tail, which is above the exact one by about e^(−8 n d²): in V5 by 3 parts in 10⁷.
 */
export const ksOneSample = (d: number, n: number): number => (n * d * d > 2.2 ? 2 * ksOneSided(d, n) : ksMatrix(d, n));

/** scipy's `mode='asymp'`: the one-sample distribution with nm / (n + m) values, halves to the even number. */
export const ksAsymptotic = (d: number, m: number, n: number): number => {
  const size = (m * n) / (m + n);
  const half = size - Math.floor(size) === 0.5;
  return ksOneSample(d, half ? 2 * Math.round(size / 2) : Math.round(size));
};

/** Kolmogorov's limit. */
export const ksLimit = (d: number, size: number): number => {
  const x = size * d * d;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x);
  return sum;
};

export const wassersteinOf = (x: Values, y: Values): number =>
  steps(x, y).reduce((sum, { difference, width }) => sum + Math.abs(difference) * width, 0);

/** Evidently 0.7.21: over the standard deviation of the reference, at least 0.001. */
export const wassersteinEvidently = (reference: Values, values: Values): number => {
  const mean = reference.reduce((a, b) => a + b, 0) / reference.length;
  const sd = Math.sqrt(reference.reduce((sum, x) => sum + (x - mean) ** 2, 0) / reference.length);
  return wassersteinOf(reference, values) / Math.max(sd, 0.001);
};

/** deepchecks 2025-06: on values from 0 to 1 over both. */
export const wassersteinDeepchecks = (reference: Values, values: Values): number => {
  const all = [...reference, ...values];
  return wassersteinOf(reference, values) / (Math.max(...all) - Math.min(...all));
};
