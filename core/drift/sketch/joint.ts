import type { JointBaseline } from '../../contracts/baseline.ts';

/** Least squared rest that is told apart from none: below it lies the rounding of the components. */
const LEAST_Q = 1e-9;

/** T² and Q of rows against the components of a baseline (Jackson & Mudholkar 1979), without an allocation a row. */
export class JointDistance {
  readonly #mean: Float64Array;
  readonly #perScale: Float64Array;
  readonly #loadings: readonly Float64Array[];
  readonly #variances: readonly number[];
  readonly #row: Float64Array;
  /** Mahalanobis distance within the kept components, √T², and length of what they leave, √Q; NaN where a value is missing. */
  t = Number.NaN;
  q = Number.NaN;

  constructor({ mean, scale, loadings, variances }: JointBaseline) {
    this.#mean = Float64Array.from(mean);
    this.#perScale = Float64Array.from(scale, (s) => 1 / s);
    this.#loadings = loadings.map((l) => Float64Array.from(l));
    this.#variances = variances;
    this.#row = new Float64Array(mean.length);
  }

  /** How many features a row has. */
  get width(): number {
    return this.#row.length;
  }

  /** Sets {@link t} and {@link q}. @param x the features in the baseline's order; more are not looked at. */
  measure(x: ArrayLike<number>): void {
    const row = this.#row;
    const width = row.length;
    let rest = 0;
    for (let i = 0; i < width; i++) {
      const z = ((x[i] as number) - (this.#mean[i] as number)) * (this.#perScale[i] as number);
      row[i] = z;
      rest += z * z;
    }
    if (!Number.isFinite(rest)) {
      this.t = Number.NaN;
      this.q = Number.NaN;
      return;
    }
    let t2 = 0;
    // Taken off one after the other: the rest of a difference of squares would be rounding where little is left.
    for (const [k, loading] of this.#loadings.entries()) {
      let score = 0;
      for (let i = 0; i < width; i++) score += (loading[i] as number) * (row[i] as number);
      for (let i = 0; i < width; i++) row[i] = (row[i] as number) - score * (loading[i] as number);
      t2 += (score * score) / (this.#variances[k] as number);
    }
    let q = 0;
    for (let i = 0; i < width; i++) q += (row[i] as number) * (row[i] as number);
    this.t = Math.sqrt(t2);
    this.q = Math.sqrt(Math.max(q, LEAST_Q));
  }
}
