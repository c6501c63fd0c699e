import { gammaPQ } from '../tolerance/noncentral-chi2.ts';
import { gaussLegendre } from './gauss-legendre.ts';

const normalPdf = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
const normalCdf = (x: number): number => {
  const [p, q] = gammaPQ(0.5, (x * x) / 2);
  return x < 0 ? q / 2 : (1 + p) / 2;
};

/** Solves a x = b in place: Gaussian elimination with partial pivoting. @returns x. */
const solve = (a: Float64Array[], b: Float64Array): Float64Array => {
  const n = b.length;
  for (let i = 0; i < n; i++) {
    let best = i;
    for (let r = i + 1; r < n; r++)
      if (Math.abs((a[r] as Float64Array)[i] as number) > Math.abs((a[best] as Float64Array)[i] as number)) best = r;
    [a[i], a[best]] = [a[best] as Float64Array, a[i] as Float64Array];
    [b[i], b[best]] = [b[best] as number, b[i] as number];
    const pivot = a[i] as Float64Array;
    for (let r = i + 1; r < n; r++) {
      const row = a[r] as Float64Array;
      const factor = (row[i] as number) / (pivot[i] as number);
      if (factor === 0) continue;
      for (let c = i; c < n; c++) row[c] = (row[c] as number) - factor * (pivot[c] as number);
      b[r] = (b[r] as number) - factor * (b[i] as number);
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = a[i] as Float64Array;
    let rest = b[i] as number;
    for (let c = i + 1; c < n; c++) rest -= (row[c] as number) * (b[c] as number);
    b[i] = rest / (row[i] as number);
  }
  return b;
};

/** Nodes for each standard deviation of the state: eight digits of the run length. */
const NODES_PER_SD = 6;
const LEAST_NODES = 32;

/** What a chart is: reference value and limit, both in standard deviations. */
export interface CusumChart {
  readonly k: number;
  readonly h: number;
}

/**
 * Average run length of a one-sided CUSUM, started at 0, on independent N(mean, 1): the integral equation
 * `L(s) = 1 + L(0) Φ(k − s − mean) + ∫₀ʰ L(y) φ(y − s + k − mean) dy` by Gauss–Legendre quadrature (Page 1954; Vance 1986;
 * the Markov chain of Brook & Evans 1972 converges to the same).
 * @throws {RangeError} when k or h is no number above 0.
 */
export const arlOneSided = ({ k, h }: CusumChart, mean = 0): number => {
  if (!(k >= 0 && h > 0 && Number.isFinite(k + h)))
    throw new RangeError(`run length of a CUSUM: expected k ≥ 0 and h > 0, got k = ${k}, h = ${h}`);
  const nodes = gaussLegendre(Math.max(LEAST_NODES, Math.ceil(NODES_PER_SD * h)), 0, h);
  const states = [0, ...nodes.map(([at]) => at)];
  const a = states.map((s, i) => {
    const row = new Float64Array(states.length);
    row[0] = -normalCdf(k - s - mean);
    for (const [j, [y, weight]] of nodes.entries()) row[j + 1] = -weight * normalPdf(y - s + k - mean);
    row[i] = (row[i] as number) + 1;
    return row;
  });
  return solve(a, new Float64Array(states.length).fill(1))[0] as number;
};

/** Of a two-sided one: rates of its sides add up (Kemp 1961). */
export const arlTwoSided = (chart: CusumChart, mean = 0): number => {
  const up = arlOneSided(chart, mean);
  return mean === 0 ? up / 2 : 1 / (1 / up + 1 / arlOneSided(chart, -mean));
};

/** Of the limit, relative. */
const PRECISION = 1e-10;

/**
 * Limit h of a two-sided CUSUM whose average run length without any change is `arl0`, for independent N(0, 1).
 * @throws {RangeError} when arl0 is not above that of a chart that alarms nearly at once.
 */
export const limitForArl0 = (k: number, arl0: number): number => {
  const excess = (h: number): number => Math.log(arlTwoSided({ k, h })) - Math.log(arl0);
  let [low, high] = [0.1, 2];
  let fLow = excess(low);
  if (!(fLow < 0))
    throw new RangeError(
      `limit of a CUSUM: expected a run length above ${arlTwoSided({ k, h: low }).toFixed(1)}, got ${arl0}`,
    );
  let fHigh = excess(high);
  while (fHigh < 0) {
    [low, fLow] = [high, fHigh];
    high *= 1.5;
    fHigh = excess(high);
  }
  // Regula falsi (Illinois): the logarithm of the run length is nearly straight in h.
  for (let side = 0; high - low > PRECISION * high; ) {
    const at = (fHigh * low - fLow * high) / (fHigh - fLow);
    const f = excess(at);
    if (Math.abs(f) < PRECISION) return at;
    if (f < 0) {
      [low, fLow] = [at, f];
      if (side === -1) fHigh /= 2;
      side = -1;
    } else {
      [high, fHigh] = [at, f];
      if (side === 1) fLow /= 2;
      side = 1;
    }
  }
  return (low + high) / 2;
};
