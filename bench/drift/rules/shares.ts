/** What other libraries and papers make of counts, restated from their rules: to compare with, never to judge by. */

type Vector = readonly number[];
const total = (counts: Vector): number => counts.reduce((a, b) => a + b, 0);
const plain = (counts: Vector): number[] => counts.map((c) => c / total(counts));
const index = (p: Vector, q: Vector): number =>
  p.reduce((sum, a, i) => sum + ((q[i] as number) - a) * Math.log((q[i] as number) / a), 0);

/** Evidently 0.7.21: an empty share is 0.0001, or a millionth of the least when that is smaller; the sum may exceed 1. */
const evidentlyFill = (shares: Vector): number[] => {
  const least = Math.min(...shares.filter((s) => s > 0));
  return shares.map((s) => (s > 0 ? s : least <= 1e-4 ? least / 1e6 : 1e-4));
};

/** Population stability index of counts with empty cells, by convention. */
export const PSI_CONVENTIONS: Readonly<Record<string, (reference: Vector, counts: Vector) => number>> = {
  Evidently: (r, c) => index(evidentlyFill(plain(r)), evidentlyFill(plain(c))),
  deepchecks: (r, c) => {
    const floor = (counts: Vector): number[] => plain(counts).map((s) => Math.max(s, 0.01));
    return index(floor(r), floor(c));
  },
  Frouros: (r, c) => {
    const fill = (counts: Vector): number[] => plain(counts).map((s) => (s > 0 ? s : 2.2250738585072014e-308));
    return index(fill(r), fill(c));
  },
  'floor 1e-6': (r, c) => {
    const floor = (counts: Vector): number[] => plain(counts).map((s) => Math.max(s, 1e-6));
    return index(floor(r), floor(c));
  },
  'one in each cell': (r, c) => index(plain(r.map((n) => n + 1)), plain(c.map((n) => n + 1))),
};

/** Kullback–Leibler divergence, in nats. */
export const kullbackLeibler = (p: Vector, q: Vector): number =>
  p.reduce((sum, a, i) => sum + a * Math.log(a / (q[i] as number)), 0);

export const hellinger = (p: Vector, q: Vector): number =>
  Math.sqrt(p.reduce((sum, a, i) => sum + (Math.sqrt(a) - Math.sqrt(q[i] as number)) ** 2, 0) / 2);

export const totalVariation = (p: Vector, q: Vector): number =>
  p.reduce((sum, a, i) => sum + Math.abs(a - (q[i] as number)), 0) / 2;

export const largestDifference = (p: Vector, q: Vector): number =>
  Math.max(...p.map((a, i) => Math.abs(a - (q[i] as number))));
