declare module 'fft.js' {
  /** Radix-4 FFT of a fixed power-of-two size; complex arrays are interleaved (re, im). */
  export default class FFT {
    constructor(size: number);
    /** Interleaved cosine and negative sine of the twiddle factors. */
    table: number[];
    createComplexArray(): number[];
    toComplexArray(input: readonly number[], storage: number[] | null): number[];
    realTransform(out: number[], input: readonly number[]): void;
    transform(out: number[], data: readonly number[]): void;
    inverseTransform(out: number[], data: readonly number[]): void;
  }
}
