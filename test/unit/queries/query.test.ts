import fc from 'fast-check';
import type { LakeQuery } from '#core/queries/query.ts';
import { column, dayOf, literal, PARAMS, sqlOf } from '#core/queries/query.ts';
import { QUERIES } from '#core/queries/registry.ts';

const observations = QUERIES['observations-of-signal'] as LakeQuery;
const given = {
  site: 'plant-a',
  asset: 'm1',
  signal: 'vibration',
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-01-02T00:00:00.000Z',
};
const withoutLiterals = (sql: string): string => sql.replaceAll(/'(?:[^']|'')*'/g, '?');

describe('parameters of a query', () => {
  it('come into SQL as literals that nothing in them ends', () => {
    const plain = withoutLiterals(sqlOf(observations, given));
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 64 }), (signal) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are refused
        fc.pre(!/[\u0000-\u001f\u007f]/.test(signal));
        expect(withoutLiterals(sqlOf(observations, { ...given, signal }))).toBe(plain);
      }),
    );
    expect(sqlOf(observations, { ...given, signal: "x' OR 'a' = 'a" })).toContain(`"signal" = 'x'' OR ''a'' = ''a'`);
  });

  it('are refused when they are not what is expected, all at once', () => {
    expect(() => sqlOf(observations, { ...given, site: "a'--", from: 'yesterday', depth: '3' })).toThrow(
      /depth: there is no such parameter; there are: site, asset.*site: expected lower-case.*from: expected UTC/,
    );
  });

  it('have what is usual where they are not given', () => {
    expect(sqlOf(observations, given)).toContain(`"date" BETWEEN '2026-01-01' AND '2026-01-09'`);
    expect(sqlOf(observations, { ...given, lateness_days: '0' })).toContain(`AND '2026-01-02'`);
  });

  it('name a feature set with or without the name of the hash', () => {
    const hex = 'ab'.repeat(32);
    expect(PARAMS.featureSet.schema.parse(`sha256:${hex}`)).toBe(hex);
    expect(PARAMS.featureSet.schema.parse(hex)).toBe(hex);
  });

  it('that choose a table choose one that can be read without more', () => {
    const rows = QUERIES['rows-by-day'] as LakeQuery;
    const days = { site: 'plant-a', first_day: '2026-01-01', last_day: '2026-01-02' };
    expect(sqlOf(rows, { ...days, table: 'telemetry' })).toContain('FROM telemetry');
    expect(() => sqlOf(rows, { ...days, table: 'features' })).toThrow('table:');
    expect(() => sqlOf(rows, { ...days, table: 'decisions; DROP TABLE x' })).toThrow('table:');
  });
});

describe('parts of SQL', () => {
  it('that are literals have no control characters', () => {
    expect(() => literal('a\nb')).toThrow('expected text without control characters, got "a\\nb"');
  });

  it('that are columns are columns of their table, or its partitions', () => {
    expect(column('features', 'index')).toBe('"index"');
    expect(column('features', 'feature_set')).toBe('"feature_set"');
    expect(() => column('features', 'index" --')).toThrow('there is no "index\\" --"');
  });

  it('that are days count across the end of a month', () => {
    expect(dayOf('2026-01-31T23:59:59.999Z', 1)).toBe('2026-02-01');
    expect(dayOf('2026-03-01T00:00:00.000Z', -1)).toBe('2026-02-28');
  });
});
