import type { FeatureSketch } from '../../contracts/drift.ts';

/** Bits that a count may have: with those left over from the one before they are exact in a double. */
const MOST_BITS = 40;

/** Whole numbers as LEB128: seven bits a byte, the low ones first. */
class Writer {
  readonly #bytes: number[] = [];

  count(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`packing a sketch: expected a whole number that is 0 at least, got ${value}`);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes.push((rest % 0x80) + 0x80);
    this.#bytes.push(rest);
    return this;
  }

  /** So many bits for each, the low ones first; a byte says how many. */
  counts(values: readonly number[]): this {
    const bits = Math.max(...values, 0).toString(2).length;
    if (bits > MOST_BITS || values.some((v) => !Number.isInteger(v) || v < 0))
      throw new RangeError(`packing a sketch: expected whole counts below 2^${MOST_BITS}, got ${values.join(', ')}`);
    this.count(values.length).#bytes.push(bits);
    let rest = 0;
    let filled = 0;
    for (const value of values) {
      rest += value * 2 ** filled;
      for (filled += bits; filled >= 8; filled -= 8) {
        this.#bytes.push(rest % 256);
        rest = Math.floor(rest / 256);
      }
    }
    if (filled > 0) this.#bytes.push(rest);
    return this;
  }

  /** Signs alternate: 0, −1, 1, −2, … */
  signed(value: number): this {
    return this.count(value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(value: number): this {
    this.#bytes.push(...new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  base64(): string {
    return Buffer.from(this.#bytes).toString('base64');
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(base64: string) {
    this.#bytes = Buffer.from(base64, 'base64');
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError(`it ends after ${this.#at} bytes`);
    this.#at += 1;
    return byte;
  }

  count(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#byte();
      value += (byte % 0x80) * factor;
      if (!Number.isSafeInteger(value)) throw new RangeError(`a number before byte ${this.#at} is too large`);
      if (byte < 0x80) return value;
    }
  }

  counts(): number[] {
    const cells = this.count();
    const bits = this.#byte();
    if (bits < 1 || bits > MOST_BITS || cells * bits > this.left * 8)
      throw new RangeError(`it names ${cells} cells of ${bits} bits and has ${this.left} bytes for them`);
    let rest = 0;
    let filled = 0;
    return Array.from({ length: cells }, () => {
      for (; filled < bits; filled += 8) rest += this.#byte() * 2 ** filled;
      const value = rest % 2 ** bits;
      rest = Math.floor(rest / 2 ** bits);
      filled -= bits;
      return value;
    });
  }

  signed(): number {
    const value = this.count();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    const bytes = Uint8Array.from({ length: 8 }, () => this.#byte());
    return new Float64Array(bytes.buffer)[0] as number;
  }
}

/**
 * A sketch as a text of about 70 characters instead of 200: base64 of how many cells there are and how many bits each of
 * their counts has, the counts, then n, z, zz, lag, lagged, longest, changes as LEB128 (z and lag with alternating
 * signs), then, unless n is 0, min and max as little-endian float64.
 * @throws {RangeError} when a number is not whole or not finite, or a sum is beyond what can be packed.
 */
export const packSketch = (s: FeatureSketch): string => {
  const w = new Writer().counts(s.counts);
  w.count(s.n).signed(s.z).count(s.zz).signed(s.lag).count(s.lagged).count(s.longest).count(s.changes);
  if (s.min !== null && s.max !== null) w.double(s.min).double(s.max);
  return w.base64();
};

/** @throws {RangeError} naming the feature when the text is no packed sketch. */
export const unpackSketch = (name: string, packed: string): FeatureSketch => {
  try {
    const r = new Reader(packed);
    const counts = r.counts();
    const sums = { n: r.count(), z: r.signed(), zz: r.count(), lag: r.signed(), lagged: r.count() };
    const runs = { longest: r.count(), changes: r.count() };
    const [min, max] = r.left === 0 ? [null, null] : [r.double(), r.double()];
    if (r.left > 0) throw new RangeError(`${r.left} bytes are left over`);
    if (min !== null && !(min <= (max as number)))
      throw new RangeError(`its least value ${min} is above its largest ${max}`);
    return { name, counts, ...sums, min, max, ...runs };
  } catch (error) {
    throw new RangeError(`the packed sketch of ${name} cannot be read: ${(error as Error).message}`);
  }
};
