import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { poolCells } from '#core/drift/sketch/pool.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { WindowSketch } from '#core/drift/sketch/window-sketch.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

const root = path.join(__dirname, '../..');
const python = path.join(root, '.venv/bin/python');

interface Said {
  readonly baseline: unknown;
  readonly found: readonly { counts: number[]; z: number; zz: number; groups: number[] }[];
}

/** Rows of features of many kinds: normal, alike, discrete, with many zeros, constant, heavy-tailed, large and tiny. */
const rowsOf = (seed: number, count: number, shift: number): number[][] => {
  const next = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Array.from({ length: count }, () => {
    const common = normal() + shift;
    return [
      common,
      0.9 * common + 0.1 * normal(),
      Math.round(2 * common),
      next() < 0.4 ? 0 : common,
      7,
      Math.exp(4 * normal()),
      1e9 + normal(),
      1e-9 * normal(),
      next() < 0.5 ? 1 : 0,
    ];
  });
};

const where = existsSync(python) ? describe : describe.skip;
if (!existsSync(python)) console.warn('skipped: the cells of the trainer need .venv');

where('what the trainer counts and what a device counts', () => {
  it.each([0, 0.7])('is the same number in each cell, sum and group, with rows %d further on', (shift) => {
    const reference = rowsOf(1, 3000, 0);
    const rows = rowsOf(2, 500, shift);
    const { stdout, stderr } = spawnSync(python, [path.join(__dirname, 'drift_cells.py')], {
      input: JSON.stringify({ reference, rows }),
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    expect(stderr).toBe('');
    const said = JSON.parse(stdout) as Said;
    const baseline: BaselineSpec = readBaseline(said.baseline, 'baseline of the trainer');
    expect(baseline.features.map((f) => f.name).slice(-2)).toEqual(['joint:t2', 'joint:q']);
    const sketch = new WindowSketch(baseline);
    const sourceTime = '2026-01-01T00:00:00.000Z';
    for (const [i, x] of rows.entries()) sketch.add({ sequence: i + 1, asset: 'a', sourceTime, x });
    for (const [i, { name, counts, z, zz }] of sketch.sketches().entries())
      expect({ name, counts, z, zz }).toEqual({ name, ...said.found[i], groups: undefined });
    for (const [i, feature] of baseline.features.entries())
      expect(poolCells(feature, baseline.windows.rows)).toEqual(said.found[i]?.groups);
  });
});
