import type { FeatureDigest } from '../contracts/device.ts';
import type { Baseline } from '../contracts/model-package.ts';

/** A message has to fit 10 000 bytes of IPC in base64. */
const MAX_PART_BYTES = 6500;

/** Bin of a value: number of edges that are not above it. */
export const binOf = (edges: readonly number[], value: number): number => {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Counts of the features a device saw, on the edges of the serving package's baseline. */
export class FeatureHistogram {
  readonly #baseline: Baseline;
  #counts: number[][] = [];
  #first = 0;
  #last = 0;
  #decisions = 0;

  constructor(baseline: Baseline) {
    this.#baseline = baseline;
    this.clear();
  }

  get decisions(): number {
    return this.#decisions;
  }

  /** Starts anew. */
  clear(): void {
    this.#counts = this.#baseline.features.map((f) => new Array<number>(f.edges.length + 1).fill(0));
    this.#decisions = 0;
    this.#last = 0;
  }

  /** @param x feature vector in the baseline's order. */
  add(sequence: number, x: readonly number[]): void {
    this.#first = this.#decisions === 0 ? sequence : Math.min(this.#first, sequence);
    this.#last = Math.max(this.#last, sequence);
    this.#decisions += 1;
    for (const [i, f] of this.#baseline.features.entries()) {
      const counts = this.#counts[i] as number[];
      const bin = binOf(f.edges, x[i] as number);
      counts[bin] = (counts[bin] as number) + 1;
    }
  }

  /** The counts so far as messages, each small enough to send. Empty without decisions. */
  digests(
    of: Pick<FeatureDigest, 'site' | 'device' | 'boot' | 'modelLine' | 'packageDigest'>,
  ): readonly FeatureDigest[] {
    if (this.#decisions === 0) return [];
    const groups: { name: string; counts: number[] }[][] = [[]];
    let bytes = 0;
    for (const [i, f] of this.#baseline.features.entries()) {
      const entry = { name: f.name, counts: this.#counts[i] as number[] };
      const size = JSON.stringify(entry).length + 1;
      if (bytes + size > MAX_PART_BYTES && groups.at(-1)?.length !== 0) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)?.push(entry);
      bytes += size;
    }
    return groups.map((features, part) => ({
      schema: 'feature-digest/1' as const,
      ...of,
      windowStart: this.#first,
      windowEnd: this.#last,
      part,
      parts: groups.length,
      features,
    }));
  }
}
