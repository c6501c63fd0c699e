import { ATOMS, type Atom, PREFIXES } from './atoms.ts';
import { type Dimension, NO_DIMENSION, timesPower } from './dimension.ts';

/** What a UCUM code means: SI = (value + offset) · numerator / denominator. */
export interface Measure {
  readonly numerator: number;
  readonly denominator: number;
  readonly offset: number;
  readonly dimension: Dimension;
}

/** Longer is no unit: it bounds the work that a document can ask for. */
const LONGEST = 64;
const LARGEST_EXPONENT = 12;

const ONE: Measure = { numerator: 1, denominator: 1, offset: 0, dimension: NO_DIMENSION };
const TOKEN = /\s|\{[^{}]*\}|10[*^]|(?:[A-Za-z_%'"]|\[[A-Za-z0-9_'%]+\])+|[+-]?\d+|[./()]|./gy;

const timesTo = (a: Measure, b: Measure, n: number): Measure => {
  const [up, down] = n < 0 ? [b.denominator, b.numerator] : [b.numerator, b.denominator];
  return {
    numerator: a.numerator * up ** Math.abs(n),
    denominator: a.denominator * down ** Math.abs(n),
    offset: 0,
    dimension: timesPower(a.dimension, b.dimension, n),
  };
};

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;

const atomOf = (symbol: string): Atom | undefined => {
  const exact = own(ATOMS, symbol);
  if (exact !== undefined) return exact;
  for (const length of [2, 1]) {
    const prefix = own(PREFIXES, symbol.slice(0, length));
    const atom = own(ATOMS, symbol.slice(length));
    if (prefix !== undefined && atom?.metric === true)
      return { ...atom, numerator: atom.numerator * prefix[0], denominator: atom.denominator * prefix[1] };
  }
  return undefined;
};

/**
 * Reads a unit of the Unified Code for Units of Measure, case sensitive (UCUM 2.1 §§ 2–12): terms of atoms with prefixes
 * and exponents, `.` and `/`, brackets, whole numbers, annotations in braces, which mean nothing. Units with a zero of
 * their own, as Cel, stand alone.
 * @returns undefined when it is none, or has an atom that `ATOMS` does not have.
 */
export const readUcum = (code: string): Measure | undefined => {
  if (code.length === 0 || code.length > LONGEST) return undefined;
  const tokens = code.match(TOKEN) ?? [];
  let at = 0;
  const component = (): Measure | undefined => {
    const token = tokens[at++];
    if (token === undefined) return undefined;
    if (token === '(') {
      const inner = term();
      return tokens[at++] === ')' ? inner : undefined;
    }
    if (token.startsWith('{')) return ONE;
    if (/^[1-9]\d*$/.test(token)) return { ...ONE, numerator: Number(token) };
    const atom = atomOf(token);
    if (atom === undefined) return undefined;
    let exponent = 1;
    if (/^[+-]?\d+$/.test(tokens[at] ?? '')) exponent = Number(tokens[at++]);
    if (tokens[at]?.startsWith('{')) at++;
    if (exponent === 0 || Math.abs(exponent) > LARGEST_EXPONENT) return undefined;
    if (atom.offset !== 0) return tokens.length === 1 ? atom : undefined;
    return timesTo(ONE, atom, exponent);
  };
  const term = (): Measure | undefined => {
    let product: Measure | undefined = ONE;
    let sign = 1;
    if (tokens[at] === '/') {
      sign = -1;
      at++;
    }
    for (;;) {
      const next = component();
      if (next === undefined) return undefined;
      if (next.offset !== 0) return next;
      product = timesTo(product, next, sign);
      if (tokens[at] !== '.' && tokens[at] !== '/') return product;
      sign = tokens[at++] === '/' ? -1 : 1;
    }
  };
  const measure = term();
  if (measure === undefined || at !== tokens.length) return undefined;
  const { numerator, denominator } = measure;
  return Number.isFinite(numerator / denominator) && numerator / denominator > 0 ? measure : undefined;
};
