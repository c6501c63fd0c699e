import { z } from 'zod';
import { ContractError } from '../contracts/errors.ts';
import { LAKE_TABLES, LANDED_TABLES, type LakeTableName } from '../contracts/lake-tables.ts';
import { SignalName } from '../contracts/observation.ts';
import { AssetId, Instant, SiteId } from '../contracts/primitives.ts';
import { rowsOnce } from '../lake/rows-once.ts';
import { daysAfter } from '../policy/days-after.ts';

/** What a query asks for: a text that is checked before it comes into SQL. */
export interface QueryParam {
  readonly says: string;
  /** What the text must be; what comes out of it goes into SQL. */
  readonly schema: z.ZodType<string, string>;
  readonly example: string;
  /** Taken where none is given; without it the parameter has to be given. */
  readonly fallback?: string;
}

/** One SQL text over the lake, in the dialect of Athena (Trino). */
export interface LakeQuery {
  readonly name: string;
  readonly says: string;
  readonly params: Readonly<Record<string, QueryParam>>;
  /** @param p values that went through the schemas of `params` (`sqlOf`). */
  readonly sql: (p: Readonly<Record<string, string>>) => string;
}

/** Gives `sql` the names of the parameters; nothing else. */
export const defineQuery = <P extends Readonly<Record<string, QueryParam>>>(query: {
  readonly name: string;
  readonly says: string;
  readonly params: P;
  readonly sql: (p: { readonly [K in keyof P]: string }) => string;
}): LakeQuery => query as unknown as LakeQuery;

/**
 * A text as a literal of SQL.
 * @throws {ContractError} when it has control characters: no id or name of the platform has any.
 */
export const literal = (value: string): string => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value))
    throw new ContractError('literal of SQL', [
      `expected text without control characters, got ${JSON.stringify(value)}`,
    ]);
  return `'${value.replaceAll("'", "''")}'`;
};

/**
 * A column of a table as an identifier; in quotes, since some are words of SQL in one engine or the other.
 * @throws {ContractError} when the table has no such column.
 */
export const column = (table: LakeTableName, name: string): string => {
  const { columns, partitions } = LAKE_TABLES[table];
  if (name in columns || name in partitions) return `"${name}"`;
  throw new ContractError(`column of table ${table}`, [`there is no ${JSON.stringify(name)}`]);
};

/** Several columns, each before its alias of the table if there is one: `f."asset", f."run"`. */
export const columns = (table: LakeTableName, names: readonly string[], alias?: string): string =>
  names.map((n) => (alias === undefined ? column(table, n) : `${alias}.${column(table, n)}`)).join(', ');

/** What stands after FROM for a table: each of its rows once, also while compaction moves them. */
export const from = (table: LakeTableName): string => {
  const landed = LANDED_TABLES.find((t) => t === table);
  return landed === undefined ? table : `${rowsOnce(landed)} AS ${table}`;
};

/** The day of an instant, plus days: a value of the partition `date`. */
export const dayOf = (instant: string, plusDays = 0): string => daysAfter(instant, plusDays).slice(0, 10);

const Days = z.string().regex(/^\d{1,4}$/, 'expected a number of days, 0 to 9999');

/** Parameters that several queries have. */
export const PARAMS = {
  site: { says: 'site', schema: SiteId, example: 'plant-a' },
  asset: { says: 'machine', schema: AssetId, example: 'spindle-101' },
  signal: { says: 'name of the signal', schema: SignalName, example: 'vibration' },
  from: { says: 'first source time', schema: Instant, example: '2026-01-01T00:00:00.000Z' },
  to: { says: 'source time before which it ends', schema: Instant, example: '2026-01-08T00:00:00.000Z' },
  firstDay: { says: 'first day, UTC', schema: z.iso.date(), example: '2026-01-01' },
  lastDay: { says: 'last day, UTC', schema: z.iso.date(), example: '2026-01-07' },
  featureSet: {
    says: 'digest of the feature set',
    schema: z
      .string()
      .regex(/^(sha256:)?[0-9a-f]{64}$/, 'expected the 64 hex digits of a digest, with or without sha256:')
      .transform((digest) => digest.replace('sha256:', '')),
    example: `sha256:${'3f'.repeat(32)}`,
  },
  latenessDays: {
    says: 'days by which values may have landed after their source time; later ones are not looked for',
    schema: Days,
    example: '7',
    fallback: '7',
  },
  maxAgeDays: {
    says: 'days that a row may be old; older ones are not looked for',
    schema: Days,
    example: '30',
    fallback: '30',
  },
} as const satisfies Record<string, QueryParam>;

/**
 * The SQL of a query with its parameters.
 * @throws {ContractError} naming each parameter that is missing, not known or not what was expected.
 */
export const sqlOf = (query: LakeQuery, given: Readonly<Record<string, string>>): string => {
  const issues: string[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(given))
    if (!(name in query.params))
      issues.push(`${name}: there is no such parameter; there are: ${Object.keys(query.params).join(', ')}`);
  for (const [name, param] of Object.entries(query.params)) {
    const text = given[name] ?? param.fallback;
    if (text === undefined) {
      issues.push(`${name}: missing, expected ${param.says}, for example ${param.example}`);
      continue;
    }
    const parsed = param.schema.safeParse(text);
    if (parsed.success) values[name] = parsed.data;
    else issues.push(`${name}: ${parsed.error.issues.map((i) => i.message).join(', ')}`);
  }
  if (issues.length > 0) throw new ContractError(`query ${query.name}`, issues);
  return query.sql(values).trim();
};
