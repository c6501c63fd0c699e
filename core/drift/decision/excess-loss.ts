import type { AssetLoss } from './line-e-value.ts';

/** Sum of losses above the expected one since they began to be, by weight. */
interface Episode {
  readonly sum: number;
  readonly weight: number;
  /** knownTime of its first outcome; null while there is none. */
  readonly since: string | null;
}

interface Counted extends Episode {
  readonly outcomes: number;
}

const NONE: Episode = { sum: 0, weight: 0, since: null };

/** Page's cumulative sum: it is at zero where a larger loss most likely began (Page 1954; Hinkley 1971). */
const goOn = (e: Episode, over: number, weight: number, at: string): Episode => {
  const sum = e.sum + weight * over;
  return sum <= 0 ? NONE : { sum, weight: e.weight + weight, since: e.since ?? at };
};
const meanOf = (e: Episode): number => (e.weight === 0 ? 0 : e.sum / e.weight);

/** By how much outcomes are worse than expected since they became worse, over all and on each asset. */
export class ExcessLoss {
  readonly #expected: number;
  readonly #all: Episode;
  readonly #assets: ReadonlyMap<string, Counted>;
  readonly #outcomes: number;

  private constructor(expected: number, all: Episode, assets: ReadonlyMap<string, Counted>, outcomes: number) {
    this.#expected = expected;
    this.#all = all;
    this.#assets = assets;
    this.#outcomes = outcomes;
  }

  static start(expected: number): ExcessLoss {
    return new ExcessLoss(expected, NONE, new Map(), 0);
  }

  update({ asset, loss, weight = 1, knownTime }: AssetLoss & { readonly knownTime: string }): ExcessLoss {
    const over = loss - this.#expected;
    const before = this.#assets.get(asset) ?? { ...NONE, outcomes: 0 };
    const assets = new Map(this.#assets).set(asset, {
      ...goOn(before, over, weight, knownTime),
      outcomes: before.outcomes + 1,
    });
    return new ExcessLoss(this.#expected, goOn(this.#all, over, weight, knownTime), assets, this.#outcomes + 1);
  }

  /**
   * Excess that a next outcome of the line has on the average: what all outcomes say, or what one asset alone says times
   * its share of the outcomes, the larger; otherwise one machine that changed would be worth nothing among many that did not.
   */
  get perOutcome(): number {
    let most = meanOf(this.#all);
    for (const asset of this.#assets.values()) most = Math.max(most, (meanOf(asset) * asset.outcomes) / this.#outcomes);
    return most;
  }

  /** When it most likely began, on one asset or over all; null while nothing is worse than expected. */
  since(asset: string | null): string | null {
    return (asset === null ? undefined : this.#assets.get(asset)?.since) ?? this.#all.since;
  }
}
