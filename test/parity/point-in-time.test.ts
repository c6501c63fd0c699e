import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { storeKeys } from '#core/contracts/lake.ts';
import type { StoreRow } from '#core/feature-sets/row-history.ts';
import { LabelJoin } from '#core/point-in-time/label-join.ts';
import { type Label, labelsKnownAt } from '#core/point-in-time/labels.ts';
import { rowsToParquet } from '../../lambdas/shared/table-file.ts';

const root = path.join(__dirname, '../..');
const python = path.join(root, '.venv/bin/python');
const FEATURE_SET = `sha256:${'ab'.repeat(32)}`;
const DAY = 86_400_000;
const day = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * DAY).toISOString();

interface Case {
  readonly rows: readonly StoreRow[];
  readonly labels: readonly Label[];
  readonly knownAt: string;
  readonly maxAge: number | null;
}

const row: fc.Arbitrary<StoreRow> = fc
  .record({
    run: fc.constantFrom('r1', 'r2'),
    asset: fc.constantFrom('m1', 'm2'),
    index: fc.integer({ min: 1, max: 6 }),
    valid: fc.integer({ min: 0, max: 9 }),
    late: fc.integer({ min: 0, max: 5 }),
    x: fc.double({ noNaN: true, noDefaultInfinity: true, min: -9, max: 9 }),
    empty: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  })
  .map(({ run, asset, index, valid, late, x, empty }) => ({
    asset,
    run,
    index,
    context: 'c',
    valid_time: day(valid),
    known_time: day(valid + late),
    x: empty ? [] : [x + 0],
    source: `raw/${asset}/${run}/${valid}`,
  }));
const label = (withRun: boolean): fc.Arbitrary<Label> =>
  fc
    .record({
      asset: fc.constantFrom('m1', 'm2', 'm3'),
      run: fc.constantFrom('r1', 'r2'),
      time: fc.integer({ min: 0, max: 14 }),
      label: fc.integer({ min: 0, max: 9 }),
      asOf: fc.option(fc.integer({ min: 0, max: 14 }), { freq: 1 }),
      known: fc.option(fc.integer({ min: 0, max: 14 }), { freq: 1 }),
    })
    .map(({ asset, run, time, label: value, asOf, known }) => ({
      asset,
      ...(withRun ? { run } : {}),
      time: day(time),
      label: value,
      ...(asOf === null ? {} : { as_of: day(asOf) }),
      ...(known === null ? {} : { known_time: day(known) }),
    }));
const histories: fc.Arbitrary<Case> = fc.record({
  rows: fc
    .array(row, { minLength: 8, maxLength: 40 })
    .map((rows) => [...new Map(rows.map((r) => [`${r.asset}/${r.run}/${r.index}/${r.known_time}`, r])).values()]),
  labels: fc.boolean().chain((withRun) => fc.array(label(withRun), { minLength: 6, maxLength: 12 })),
  knownAt: fc.integer({ min: 8, max: 20 }).map(day),
  maxAge: fc.option(fc.integer({ min: 1, max: 12 }).map((n) => n * DAY)),
});

/** Writes a store as the platform does: an object a day, run and source. */
const writeStore = (folder: string, rows: readonly StoreRow[]): void => {
  const groups = Map.groupBy(rows, (r) => `${r.asset} ${r.run} ${r.valid_time}`);
  for (const [i, some] of [...groups.values()].entries()) {
    const { asset, run, valid_time } = some[0] as StoreRow;
    const source = `sha256:${String(i).padStart(64, '0').split('').reverse().join('')}`;
    const place = { site: 'plant-a', date: valid_time.slice(0, 10), asset, run, first: 1, last: 9 };
    const file = path.join(folder, storeKeys.rows({ featureSet: FEATURE_SET, ...place, source }));
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, rowsToParquet('features', some));
  }
};

const byTypeScript = ({ rows, labels, knownAt, maxAge }: Case): unknown[] => {
  const join = new LabelJoin(labelsKnownAt(labels, knownAt), knownAt, maxAge ?? undefined);
  for (const some of Map.groupBy(rows, (r) => `${r.asset}/${r.run}`).values()) {
    const { asset, run } = some[0] as StoreRow;
    join.take({
      asset: asset as string,
      run: run as string,
      index: some.map((r) => r.index as number),
      validTime: some.map((r) => r.valid_time as string),
      knownTime: some.map((r) => r.known_time as string),
      x: some.map((r) => r.x),
      source: some.map((r) => r.source as string),
    });
  }
  return join.rows().map((r) => [r.labelTime, r.label, r.run, r.index, r.validTime, r.knownTime, r.x[0]]);
};

const where = existsSync(python) ? it : it.skip;
if (!existsSync(python)) console.warn('skipped: the Python reader of the store needs .venv');

where('the Python reader joins random histories to random labels as the platform does', () => {
  const cases = fc.sample(histories, { numRuns: 60, seed: 20260101 });
  const folder = mkdtempSync(path.join(tmpdir(), 'mw-store-'));
  try {
    const lines = cases.map((c, i) => {
      const own = path.join(folder, String(i));
      writeStore(own, c.rows);
      return JSON.stringify({ ...c, rows: undefined, root: own, featureSet: FEATURE_SET });
    });
    const { stdout, stderr, status } = spawnSync(python, [path.join(__dirname, 'point_in_time.py')], {
      input: lines.join('\n'),
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: path.join(root, 'training'), OPENBLAS_NUM_THREADS: '1' },
      maxBuffer: 1e8,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const joined = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown[]);
    const expected = cases.map(byTypeScript);
    expect(expected.flat().length).toBeGreaterThan(90);
    for (const [i, rows] of joined.entries()) expect({ i, rows }).toEqual({ i, rows: expected[i] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
