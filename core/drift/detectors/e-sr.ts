import { z } from 'zod';
import { averageOf, BETS, RATE_BETS, RATE_WEIGHTS, stepShiryaevRoberts, weightedOf } from '../bets.ts';
import { defineDetector } from '../define-detector.ts';
import type { Detector } from '../detector.ts';

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
    this.value = averageOf(states);
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
    const states = stepShiryaevRoberts(this.#states, x, this.#mean, this.#bets);
    return new ESr(this.#mean, this.#bets, states);
  }

  reset(): ESr {
    return ESr.start({ mean: this.#mean, bets: this.#bets });
  }

  toJSON(): unknown {
    return { mean: this.#mean, bets: this.#bets, states: this.#states };
  }
}

export const definition = defineDetector({
  name: 'e-sr',
  watches: 'loss',
  says: 'a mean loss above the largest that is as it should be; the run length without a change is at least alarmAt',
  source: 'Shin, Ramdas & Rinaldo 2022, "E-detectors"',
  options: {
    mean: { default: 0.1, min: 1e-3, max: 0.999 },
    alarmAt: { default: 1e6, min: 1, max: 1e12 },
  },
  state: z.array(z.number().nonnegative()).length(RATE_BETS.length).readonly(),
  start: () => RATE_BETS.map(() => 0),
  step: (states, x, { mean }) => stepShiryaevRoberts(states, x, mean, RATE_BETS),
  value: (states) => weightedOf(states, RATE_WEIGHTS),
  inAlarm: (states, { alarmAt }) => weightedOf(states, RATE_WEIGHTS) >= alarmAt,
});
