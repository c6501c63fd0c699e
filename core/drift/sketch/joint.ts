import type { JointBaseline } from '../../contracts/baseline.ts';

/** Least squared rest that is told apart from none: below it lies the rounding of the components. */
const LEAST_Q = 1e-6;

/** T² and Q of rows against the components of a baseline (Jackson & Mudholkar 1979), without an allocation a row. */
export class JointDistance {
  readonly #mean: Float64Array;
  readonly #perScale: Float64Array;
  readonly #loadings: readonly Float64Array[];
  readonly #variances: readonly number[];
  readonly #row: Float64Array;
  /**
   * Mahalanobis distance within the kept components, √T², and length of what they leave, √Q; NaN where a value is missing.
   * To float32: the trainer adds in another order, and values on an edge must fall on the same side.
   */
  t = Number.NaN;
  q = Number.NaN;

  constructor({ mean, scale, loadings, variances }: JointBaseline) {
    this.#mean = Float64Array.from(mean);
    this.#perScale = Float64Array.from(scale, (s) => 1 / s);
    this.#loadings = loadings.map((l) => Float64Array.from(l));
    this.#variances = variances;
    this.#row = new Float64Array(mean.length);
  }

  /** Sets {@link t} and {@link q}. @param x the features in the baseline's order; more are not looked at. */
  measure(x: ArrayLike<number | string | null>): void {
    const row = this.#row;
    const width = row.length;
    let rest = 0;
    for (let i = 0; i < width; i++) {
      const value = x[i];
      const centered = typeof value === 'number' ? value - (this.#mean[i] as number) : Number.NaN;
      const z = centered * (this.#perScale[i] as number);
      row[i] = z;
      rest += z * z;
    }
    if (!Number.isFinite(rest)) {
      this.t = Number.NaN;
      this.q = Number.NaN;
      return;
    }
    let t2 = 0;
    for (let k = 0; k < this.#loadings.length; k++) {
      const loading = this.#loadings[k] as Float64Array;
      let score = 0;
      for (let i = 0; i < width; i++) score += (loading[i] as number) * (row[i] as number);
      rest -= score * score;
      t2 += (score * score) / (this.#variances[k] as number);
    }
    this.t = Math.fround(Math.sqrt(t2));
    this.q = Math.fround(Math.sqrt(Math.max(rest, LEAST_Q)));
  }
}
