import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '#core/policy/bootstrap.ts';

/** Standard normal numbers of uniform ones (Box & Muller 1958). */
export const normalsOf =
  (uniform: () => number): (() => number) =>
  () =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

/** Gamma of a shape (Marsaglia & Tsang 2000). */
const gammasOf = (uniform: () => number): ((shape: number) => number) => {
  const normal = normalsOf(uniform);
  const gamma = (shape: number): number => {
    if (shape < 1) return gamma(shape + 1) * uniform() ** (1 / shape);
    const d = shape - 1 / 3;
    for (;;) {
      const x = normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  };
  return gamma;
};

/** Beta numbers, of two gammas. */
export const betasOf = (uniform: () => number): ((a: number, b: number) => number) => {
  const gamma = gammasOf(uniform);
  return (a, b) => {
    const x = gamma(a);
    return x / (x + gamma(b));
  };
};

export const normals = (seed: number): (() => number) => normalsOf(seededRandom(seed));

/** Gaussian AR(1) of unit variance. */
export const autoregressive = (rho: number, seed: number): (() => number) => {
  const normal = normals(seed);
  let x = normal();
  return () => {
    x = rho * x + Math.sqrt(1 - rho * rho) * normal();
    return x;
  };
};

/** Errors at a rate that may change, neighbours with lag-1 correlation rho: a Markov chain of two states. */
export const clustered = (rho: number, seed: number): ((rate: number) => number) => {
  const random = seededRandom(seed);
  let last = 0;
  return (rate) => {
    last = random() < rate + rho * (last - rate) ? 1 : 0;
    return last;
  };
};

/** Streams of one change: `stable` records, then `changed`. */
export interface Streams {
  readonly name: string;
  readonly stable: number;
  readonly changed: number;
  readonly rows: readonly Float64Array[];
}

/** @param next the record at `i`; the change is at `stable`. */
export const streamsOf = (
  o: { readonly name: string; readonly stable: number; readonly changed: number; readonly count: number },
  make: (stream: number) => (i: number) => number,
): Streams => ({
  ...o,
  rows: Array.from({ length: o.count }, (_, s) => {
    const next = make(s);
    return Float64Array.from({ length: o.stable + o.changed }, (_, i) => next(i));
  }),
});

/** Writes them for a peer, one after the other. @returns the path. */
export const writeStreams = (folder: string, streams: Streams): string => {
  const file = join(folder, 'streams.f64');
  const all = new Float64Array(streams.rows.length * (streams.stable + streams.changed));
  for (const [i, row] of streams.rows.entries()) all.set(row, i * row.length);
  writeFileSync(file, all);
  return file;
};
