import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Sample from which on a fault is there, counted from 0. */
export const ONSET = 160;
export const VARIABLES = 52;

const numbers = (file: string): number[][] =>
  gunzipSync(readFileSync(file))
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));

/** A run of the Tennessee Eastman process, rows of 52 variables three minutes apart; d00 is written with rows and columns swapped. */
export const tepRun = (data: string, name: string): number[][] => {
  const rows = numbers(join(data, 'tep', `${name}.dat.gz`));
  return rows.length === VARIABLES ? (rows[0] as number[]).map((_, i) => rows.map((r) => r[i] as number)) : rows;
};
