import type { FeatureSketch } from '../../contracts/drift.ts';

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
 * A sketch as a text of about 80 characters instead of 200: base64 of LEB128 numbers, which are how many cells, the counts,
 * n, z, zz, lag, lagged, longest, changes (z and lag with alternating signs), then, unless n is 0, min and max as
 * little-endian float64.
 * @throws {RangeError} when a number is not whole or not finite, or a sum is beyond what can be packed.
 */
export const packSketch = (s: FeatureSketch): string => {
  const w = new Writer().count(s.counts.length);
  for (const c of s.counts) w.count(c);
  w.count(s.n).signed(s.z).count(s.zz).signed(s.lag).count(s.lagged).count(s.longest).count(s.changes);
  if (s.min !== null && s.max !== null) w.double(s.min).double(s.max);
  return w.base64();
};

/** @throws {RangeError} naming the feature when the text is no packed sketch. */
export const unpackSketch = (name: string, packed: string): FeatureSketch => {
  try {
    const r = new Reader(packed);
    const cells = r.count();
    if (cells > r.left) throw new RangeError(`it names ${cells} cells and has ${r.left} bytes for them`);
    const counts = Array.from({ length: cells }, () => r.count());
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
