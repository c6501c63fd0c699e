/**
 * Bases of dimensions: the seven of the SI, and what factories must not mix although the SI counts it as a number: plane
 * angle, information, level (bel) and acidity.
 */
const BASES = ['m', 'kg', 's', 'A', 'K', 'mol', 'cd', 'rad', 'bit', 'B', '[pH]'] as const;
export type Base = (typeof BASES)[number];

/** Exponent of each base, in the order of `BASES`. */
export type Dimension = readonly number[];

export const NO_DIMENSION: Dimension = BASES.map(() => 0);

/** A dimension from the exponents that are not zero. */
export const dimensionOf = (exponents: Readonly<Partial<Record<Base, number>>>): Dimension =>
  BASES.map((base) => exponents[base] ?? 0);

/** Dimension of a · bⁿ. */
export const timesPower = (a: Dimension, b: Dimension, n: number): Dimension =>
  a.map((x, i) => x + (b[i] as number) * n);

export const equalDimension = (a: Dimension, b: Dimension): boolean => a.every((x, i) => x === b[i]);
