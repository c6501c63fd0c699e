import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readParquet, writeParquet } from '#core/lake/parquet.ts';
import { LAKE_PREFIXES, LAKE_TABLES, LANDED_TABLES, type LakeTable } from '../../../core/contracts/lake-tables.ts';
import { rowsOnce } from '../../../core/lake/rows-once.ts';
import { rowsFromParquet, rowsToParquet } from '../../../lambdas/shared/table-file.ts';

type Tables = Readonly<Record<string, Pick<LakeTable, 'prefix' | 'columns' | 'partitions' | 'rowKey'>>>;

/** What a change of tables breaks for readers of files that were written before. */
const breaksIn = (before: Tables, now: Tables): string[] =>
  Object.entries(before).flatMap(([name, was]) => {
    const is = now[name];
    if (is === undefined) return [`${name} is gone`];
    const columns = Object.entries(is.columns);
    return [
      ...Object.entries(was.columns).flatMap(([column, type], i) =>
        columns[i]?.[0] !== column || columns[i]?.[1] !== type
          ? [`${name}: column ${i + 1} was ${column} ${type}, is ${columns[i]?.join(' ') ?? 'gone'}`]
          : [],
      ),
      ...(['prefix', 'partitions', 'rowKey'] as const).flatMap((what) =>
        JSON.stringify(was[what]) === JSON.stringify(is[what]) ? [] : [`${name}: its ${what} changed`],
      ),
    ];
  });

const PINNED = JSON.parse(readFileSync(join(__dirname, 'pinned-tables.json'), 'utf8')) as Tables;

describe('tables of the lake', () => {
  it('have the columns that files before were written with, in their places; more of them only at the end', () => {
    expect(breaksIn(PINNED, LAKE_TABLES)).toEqual([]);
  });

  it('are all pinned', () => {
    expect(Object.keys(PINNED)).toEqual(Object.keys(LAKE_TABLES));
  });

  it('break readers when a column is removed, renamed or retyped, or a table or its place changes', () => {
    const table = { prefix: 'p', columns: { a: 'string', b: 'double' }, partitions: {}, rowKey: ['a'] } as const;
    const changed = (over: object) => breaksIn({ t: table }, { t: { ...table, ...over } });
    expect(changed({ columns: { ...table.columns, c: 'string' } })).toEqual([]);
    expect(changed({ columns: { a: 'string' } })).toEqual(['t: column 2 was b double, is gone']);
    expect(changed({ columns: { a: 'string', x: 'double' } })).toEqual(['t: column 2 was b double, is x double']);
    expect(changed({ columns: { a: 'bigint', b: 'double' } })).toEqual(['t: column 1 was a string, is a bigint']);
    expect(changed({ prefix: 'q', rowKey: [] })).toEqual(['t: its prefix changed', 't: its rowKey changed']);
    expect(breaksIn({ t: table }, {})).toEqual(['t is gone']);
  });

  it('are read from a file that lacks a column as null, and as an empty list where it holds lists', async () => {
    const old = writeParquet([{ name: 'asset', type: 'string', data: ['press-1'] }]);
    const [observation] = await rowsFromParquet('observations', old);
    expect(observation).toMatchObject({ asset: 'press-1', value: null, position: null });
    expect(await rowsFromParquet('features', old)).toMatchObject([{ asset: 'press-1', x: [] }]);
  });

  it('are written with all their columns in their order, and read back as they were', async () => {
    const row = {
      asset: 'press-1',
      signal: 'pressure',
      check: 'stuck',
      from_time: 'a',
      to_time: 'b',
      open: false,
      count: 3,
      worst: null,
      says: 'x',
      found_at: 'c',
      found_by: 'edge-1',
    };
    const bytes = rowsToParquet('quality', [Object.fromEntries(Object.entries(row).reverse()) as typeof row]);
    expect(Object.keys((await readParquet(bytes))[0] ?? {})).toEqual(Object.keys(LAKE_TABLES.quality.columns));
    expect(await rowsFromParquet('quality', bytes)).toEqual([row]);
  });

  it('name only columns that they have, as what names a row and as their order', () => {
    for (const table of Object.values<LakeTable>(LAKE_TABLES)) {
      const known = [...Object.keys(table.columns), ...Object.keys(table.partitions)];
      for (const column of [...table.rowKey, ...(table.order ?? [])]) expect(known).toContain(column);
    }
  });

  it('have tiers exactly where rows land, and lie where nothing else does', () => {
    const tiered = Object.values<LakeTable>(LAKE_TABLES).filter((t) => 'tier' in t.partitions);
    expect(tiered.map((t) => t.name).sort()).toEqual([...LANDED_TABLES].sort());
    for (const { prefix } of LAKE_PREFIXES)
      expect(LAKE_PREFIXES.filter((p) => p.prefix.startsWith(prefix))).toHaveLength(1);
  });

  it('are read once by taking the tier that holds a day', () => {
    expect(rowsOnce('observations')).toMatch(/FROM observations AS landed LEFT JOIN compactions AS closed/);
  });
});
