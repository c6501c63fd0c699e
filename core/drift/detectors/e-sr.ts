import type { Detector } from '../detector.ts';

/** Bets as shares of the largest one that keeps every factor positive: small ones find small changes, large ones find large ones soon. */
const BETS = [0.05, 0.1, 0.2, 0.4, 0.7] as const;
/** The statistic stays a finite number, and comes down again in finite time after a long bad period. */
const LIMIT = 1e12;

/**
 * Shiryaev–Roberts e-detector of a mean that is larger than it should be, for observations in [0, 1] (Shin, Ramdas and
 * Rinaldo 2022, "E-detectors"): `S ← (S + 1) · (1 + λ (x − m))`, averaged over several bets λ. While the conditional mean
 * of the observations is at most `m`, the expected number of observations until the value reaches A is at least A: no
 * independence is assumed.
 */
export class ESr implements Detector<number, ESr> {
  readonly #mean: number;
  readonly #bets: readonly number[];
  readonly #states: readonly number[];
  readonly value: number;

  private constructor(mean: number, bets: readonly number[], states: readonly number[]) {
    this.#mean = mean;
    this.#bets = bets;
    this.#states = states;
    this.value = states.reduce((sum, s) => sum + s, 0) / states.length;
  }

  /**
   * @param o.mean largest mean that is still as it should be, in (0, 1).
   * @param o.bets λ · mean, each in (0, 1).
   * @throws {RangeError} when the mean or a bet is outside its range, or there is no bet.
   */
  static start(o: { readonly mean: number; readonly bets?: readonly number[] }): ESr {
    const bets = o.bets ?? BETS;
    if (!(o.mean > 0 && o.mean < 1)) throw new RangeError(`e-SR: expected a mean between 0 and 1, got ${o.mean}`);
    if (bets.length === 0 || bets.some((b) => !(b > 0 && b < 1)))
      throw new RangeError(`e-SR: expected bets between 0 and 1, at least one, got [${bets.join(', ')}]`);
    return new ESr(
      o.mean,
      bets,
      bets.map(() => 0),
    );
  }

  /** @throws {RangeError} when the observation is outside [0, 1]. */
  update(x: number): ESr {
    if (!(x >= 0 && x <= 1))
      throw new RangeError(`e-SR: expected an observation in [0, 1], got ${x}; bound the loss before`);
    const states = this.#states.map((s, i) => {
      const lambda = (this.#bets[i] as number) / this.#mean;
      return Math.min(LIMIT, (s + 1) * (1 + lambda * (x - this.#mean)));
    });
    return new ESr(this.#mean, this.#bets, states);
  }

  reset(): ESr {
    return ESr.start({ mean: this.#mean, bets: this.#bets });
  }

  toJSON(): unknown {
    return { mean: this.#mean, bets: this.#bets, states: this.#states };
  }
}
