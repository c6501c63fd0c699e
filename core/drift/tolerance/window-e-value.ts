import type { Detector } from '../detector.ts';

/** The statistic stays a finite number, and comes down again in finite time after a long change. */
const LIMIT = 1e12;
/** Below this −ln p the closed form loses its digits: the series is used. */
const SMALL = 1e-2;

/**
 * Calibrates a p-value to an e-value: ∫₀¹ κ p^(κ−1) dκ = (1 − p + p ln p) / (p ln² p), which needs no choice of κ (Vovk &
 * Wang 2021, "E-values: calibration, combination and applications", §2). 0.5 for p = 1; its mean is 1 at most whenever p is
 * valid, conservative or not.
 * @throws {RangeError} when p is not in [0, 1].
 */
export const eValueOf = (p: number): number => {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`window e-value: expected a p-value in [0, 1], got ${p}`);
  const u = -Math.log(p);
  if (u < SMALL) return 1 / 2 + u / 6 + (u * u) / 24 + u ** 3 / 120;
  return u > 50 ? LIMIT : Math.min(LIMIT, (Math.exp(u) - 1 - u) / (u * u));
};

/** p-values of one window by feature. */
export type WindowPs = ReadonlyMap<string, number>;

/**
 * Shiryaev–Roberts e-detector over windows: `S ← (S + 1) · e(p)` for each feature, averaged over the features (Shin, Ramdas &
 * Rinaldo 2022; an average of e-detectors is one). While each p-value is valid given the windows before, the expected
 * number of windows until the value reaches A is at least A, however often the same features are tested again and however
 * they depend on each other. What all windows share, the sampling error of the reference, is within the tolerance of the
 * test as long as the reference is much larger than cells / tolerance rows.
 */
export class WindowEValue implements Detector<WindowPs, WindowEValue> {
  readonly #states: ReadonlyMap<string, number>;
  readonly value: number;

  private constructor(states: ReadonlyMap<string, number>) {
    this.#states = states;
    let sum = 0;
    for (const s of states.values()) sum += s;
    this.value = sum / states.size;
  }

  /** @param features all that will be tested: the weight of each is fixed by their number. @throws {RangeError} without any. */
  static start(features: readonly string[]): WindowEValue {
    if (features.length === 0) throw new RangeError('window e-value: expected at least one feature, got none');
    return new WindowEValue(new Map(features.map((f) => [f, 0])));
  }

  /** @throws {RangeError} when the state is none of a window e-value. */
  static restore(state: unknown): WindowEValue {
    const entries = typeof state === 'object' && state !== null ? Object.entries(state) : [];
    if (entries.length === 0 || entries.some(([, s]) => !(typeof s === 'number' && s >= 0 && s <= LIMIT)))
      throw new RangeError(`window e-value: expected a number from 0 for each feature, got ${JSON.stringify(state)}`);
    return new WindowEValue(new Map(entries as [string, number][]));
  }

  /** Features without a p-value stay as they are. @throws {RangeError} for a feature that was not named at the start. */
  update(ps: WindowPs): WindowEValue {
    const states = new Map(this.#states);
    for (const [feature, p] of ps) {
      const s = states.get(feature);
      if (s === undefined)
        throw new RangeError(`window e-value: ${feature} is none of its features (${[...states.keys()].join(', ')})`);
      states.set(feature, Math.min(LIMIT, (s + 1) * eValueOf(p)));
    }
    return new WindowEValue(states);
  }

  /**
   * The same, of `most` at most, in the same proportions. Where `most` is the limit of an alarm the first alarm comes with the
   * same window; after it the value is soon down again, where nothing more speaks for a change.
   */
  atMost(most: number): WindowEValue {
    const share = most / this.value;
    return share < 1 ? new WindowEValue(new Map([...this.#states].map(([f, s]) => [f, s * share]))) : this;
  }

  /** Of one feature; 0 for one that is none of its features. */
  of(feature: string): number {
    return this.#states.get(feature) ?? 0;
  }

  reset(): WindowEValue {
    return WindowEValue.start([...this.#states.keys()]);
  }

  toJSON(): unknown {
    return Object.fromEntries(this.#states);
  }
}
