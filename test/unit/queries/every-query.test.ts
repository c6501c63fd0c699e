import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { LAKE_TABLES, LANDED_TABLES } from '#core/contracts/lake-tables.ts';
import { type LakeQuery, sqlOf } from '#core/queries/query.ts';
import { QUERIES } from '#core/queries/registry.ts';

const root = path.join(__dirname, '../../..');
const folder = path.join(root, 'core/queries');
const python = path.join(root, '.venv/bin/python');

const examples = (query: LakeQuery): Record<string, string> =>
  Object.fromEntries(Object.entries(query.params).map(([name, p]) => [name, p.example]));
const schema = Object.fromEntries(
  Object.values(LAKE_TABLES).map((t) => [
    t.name,
    { ...t.columns, ...Object.fromEntries(Object.keys(t.partitions).map((p) => [p, 'string'])) },
  ]),
);
const problems = (queries: readonly string[]): unknown[] => {
  const { stdout, stderr, status } = spawnSync(python, [path.join(__dirname, 'athena.py')], {
    input: JSON.stringify({ schema, queries }),
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
};

const isQuery = (value: unknown): value is LakeQuery =>
  typeof value === 'object' && value !== null && typeof (value as LakeQuery).sql === 'function';

it('is found by its name, whatever file of the folder it is in', async () => {
  const found: string[] = [];
  for (const file of readdirSync(folder)) {
    const exported = (await import(path.join(folder, file))) as Record<string, unknown>;
    found.push(
      ...Object.values(exported)
        .filter(isQuery)
        .map((q) => q.name),
    );
  }
  expect(found.sort()).toEqual(Object.keys(QUERIES).sort());
});

const where = existsSync(python) ? describe : describe.skip;
if (!existsSync(python)) console.warn('skipped: the dialect of Athena is checked with .venv');

where('every query', () => {
  it("is one SELECT in Athena's dialect that names tables and columns there are", () => {
    const sql = Object.values(QUERIES).map((q) => sqlOf(q, examples(q)));
    expect(problems(sql).map((p, i) => [Object.keys(QUERIES)[i], p])).toEqual(
      Object.keys(QUERIES).map((name) => [name, null]),
    );
  });

  it('would be refused with a column or a table that is not there, or with a second statement', () => {
    const found = problems([
      'SELECT "nothing" FROM features',
      'SELECT 1 FROM nowhere',
      'SELECT 1; DROP TABLE features',
      'SELECT FROM WHERE',
    ]);
    expect(found.every((p) => typeof p === 'string')).toBe(true);
  });
});

describe.each(Object.values(QUERIES))('query $name', (query) => {
  it('reads no partition that its parameters do not ask for', () => {
    const sql = sqlOf(query, examples(query));
    for (const table of Object.values(LAKE_TABLES).filter((t) => t.name !== 'compactions'))
      if (new RegExp(`FROM ${table.name}\\b`).test(sql))
        for (const name of Object.keys(table.partitions).filter((n) => n !== 'tier'))
          expect(sql).toMatch(new RegExp(`"${name}" (=|BETWEEN) '`));
  });

  it('reads tables with tiers so that each row is there once', () => {
    const sql = sqlOf(query, examples(query));
    for (const table of LANDED_TABLES)
      for (const [, more] of sql.matchAll(new RegExp(`FROM ${table}\\b(.{0,60})`, 'g')))
        expect(more).toMatch(/^ AS landed LEFT JOIN compactions AS closed/);
  });

  it('says which parameters are missing', () => {
    const required = Object.entries(query.params).filter(([, p]) => p.fallback === undefined);
    for (const [name] of required) {
      const { [name]: _, ...others } = examples(query);
      expect(() => sqlOf(query, others)).toThrow(`${name}: missing`);
    }
  });
});
