import { type Dimension, equalDimension } from './dimension.ts';
import { REC20 } from './rec20.ts';
import { readUcum } from './ucum.ts';

/** A unit of measure: SI = (value + offset) · factor, for a unit with a zero of its own as Cel. */
export interface Unit {
  readonly ucum: string;
  readonly name: string;
  /** Common code of UNECE Recommendation 20; undefined when it has none that is known here. */
  readonly rec20: string | undefined;
  readonly dimension: Dimension;
  readonly factor: number;
  readonly offset: number;
}

const BY_UCUM = new Map(REC20.map((row) => [row[1], row]));
const BY_CODE = new Map(REC20.map((row) => [row[0], row]));

const meaning = (ucum: string) => {
  const m = readUcum(ucum);
  return m === undefined ? undefined : `${m.dimension.join()} ${m.numerator / m.denominator} ${m.offset}`;
};
// Of units that mean the same the first without an annotation: 1/min before {rev}/min, kV.A before kV.A{reactive}.
const bare = (ucum: string): number => Number(!ucum.includes('{'));
const readMeanings = () =>
  new Map(
    [...REC20]
      .reverse()
      .sort((a, b) => bare(a[1]) - bare(b[1]))
      .map((row) => [meaning(row[1]), row]),
  );
// Read when first asked for: units are mostly spelt as in the list, and to read all of it takes milliseconds of a start.
let byMeaning: ReturnType<typeof readMeanings> | undefined;

/** Common code of UNECE Recommendation 20 of a UCUM code, however it is spelt (`m.s-2` as `m/s2`); undefined: none known. */
export const rec20Of = (ucum: string): string | undefined => {
  const exact = BY_UCUM.get(ucum);
  if (exact !== undefined) return exact[0];
  const means = meaning(ucum);
  if (means === undefined) return undefined;
  byMeaning ??= readMeanings();
  return byMeaning.get(means)?.[0];
};

/** UCUM code of a common code of UNECE Recommendation 20; undefined when it is not known here. */
export const ucumOfRec20 = (commonCode: string): string | undefined => BY_CODE.get(commonCode)?.[1];

/** A unit by its UCUM code; undefined when that is none that is known. */
export const unitOf = (ucum: string): Unit | undefined => {
  const measure = readUcum(ucum);
  if (measure === undefined) return undefined;
  const rec20 = rec20Of(ucum);
  return {
    ucum,
    name: rec20 === undefined ? ucum : (BY_CODE.get(rec20)?.[2] ?? ucum),
    rec20,
    dimension: measure.dimension,
    factor: measure.numerator / measure.denominator,
    offset: measure.offset,
  };
};

/** Do two units measure the same kind of thing? False where one is unknown. */
export const sameDimension = (a: string, b: string): boolean => {
  const [x, y] = [readUcum(a), readUcum(b)];
  return x !== undefined && y !== undefined && equalDimension(x.dimension, y.dimension);
};

/** Do two codes mean the same unit, however they are spelt? False where one is unknown. */
export const sameMeaning = (a: string, b: string): boolean => {
  const means = meaning(a);
  return means !== undefined && means === meaning(b);
};

/**
 * A value in another unit; the same value where the units are the same.
 * @param from UCUM code of the value's unit. @param to UCUM code.
 * @returns undefined when a unit is unknown or the dimensions differ: there is no such value.
 */
export const convert = (value: number, from: string, to: string): number | undefined => {
  if (from === to) return readUcum(from) === undefined ? undefined : value;
  const [a, b] = [readUcum(from), readUcum(to)];
  if (a === undefined || b === undefined || !equalDimension(a.dimension, b.dimension)) return undefined;
  // One fraction, divided once: what is exact in both units stays exact.
  return ((value + a.offset) * (a.numerator * b.denominator)) / (a.denominator * b.numerator) - b.offset;
};

/**
 * `unitId` of OPC UA's EUInformation: the characters of the common code as a big-endian number (OPC UA Part 8 § 5.6.3.3).
 * @param commonCode of UNECE Recommendation 20, two or three characters.
 */
export const opcUaUnitId = (commonCode: string): number =>
  [...commonCode].reduce((id, c) => id * 256 + c.charCodeAt(0), 0);
