import type { DeviceReport } from '../contracts/device.ts';
import type { Attempt } from './decide.ts';

type AssetTally = NonNullable<DeviceReport['shadow']>['assets'][number];

/** Assets a device reports on: more would not fit a message, and say no more about the package. */
const MAX_ASSETS = 30;
/** Bytes of all assets in a report, whose own limit is 7 kB. */
const MAX_BYTES = 4500;

/**
 * What a model said, as far as it can be held against what another one said: its value, null when it has none to give,
 * undefined when its process gave no answer in time. That says nothing about the model and is judged as fallback.
 */
export const comparable = (attempt: Attempt): number | null | undefined => {
  if (attempt.kind === 'answer') return Number.isFinite(attempt.value) ? attempt.value : null;
  return attempt.kind === 'missing-features' ? null : undefined;
};

/** Do two models disagree about a frame: they differ by more than the tolerance, or one answers and the other does not. */
export const disagree = (a: number | null, b: number | null, tolerance: number): boolean =>
  a === null || b === null ? a !== b : Math.abs(a - b) > tolerance;

/**
 * How often a package and the champion disagree, asset by asset, in batches of consecutive frames: neighbours of one run
 * are nearly the same observation, so that only a whole batch counts as one.
 */
export class ShadowTally {
  readonly #tolerance: number;
  readonly #batch: number;
  readonly #assets = new Map<string, { frames: number; disagreeing: number; readonly batches: number[] }>();
  #frames = 0;

  /**
   * @param tolerance label units.
   * @param batch frames in one observation.
   */
  constructor(tolerance: number, batch: number) {
    this.#tolerance = tolerance;
    this.#batch = batch;
  }

  /** Frames compared. */
  get frames(): number {
    return this.#frames;
  }

  /**
   * Counts a frame that both were asked about, in the order of the asset's frames.
   * @returns whether it completed a batch.
   */
  add(asset: string, value: number | null, champion: number | null): boolean {
    let seen = this.#assets.get(asset);
    if (seen === undefined) {
      if (this.#assets.size >= MAX_ASSETS) return false;
      seen = { frames: 0, disagreeing: 0, batches: new Array<number>(this.#batch + 1).fill(0) };
      this.#assets.set(asset, seen);
    }
    this.#frames += 1;
    seen.frames += 1;
    if (disagree(value, champion, this.#tolerance)) seen.disagreeing += 1;
    if (seen.frames < this.#batch) return false;
    seen.batches[seen.disagreeing] = (seen.batches[seen.disagreeing] as number) + 1;
    seen.frames = 0;
    seen.disagreeing = 0;
    return true;
  }

  /** Batches of each asset by how many of their frames disagree; of so many assets as a report has room for. */
  assets(): readonly AssetTally[] {
    const told: AssetTally[] = [];
    let bytes = 0;
    for (const [asset, { batches }] of this.#assets) {
      const entry = { asset, batches: [...batches] };
      bytes += JSON.stringify(entry).length + 1;
      if (bytes > MAX_BYTES) break;
      told.push(entry);
    }
    return told;
  }
}
