import { ContractError } from '#core/contracts/errors.ts';
import { type LakeQuery, sqlOf } from '#core/queries/query.ts';
import { QUERIES } from '#core/queries/registry.ts';
import { writeCsv } from '#core/text/csv.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, type Output, paint, say, table } from '../output.ts';
import type { World } from '../world.ts';

const MOST_SHOWN = 200;

/** Every query with what it says and asks for. */
export const listQueries = (out: Output): void => {
  const all = Object.values(QUERIES);
  answer(
    out,
    all.map((q) => ({
      name: q.name,
      says: q.says,
      params: Object.entries(q.params).map(([name, { says, example, fallback }]) => ({
        name,
        says,
        example,
        ...(fallback === undefined ? {} : { default: fallback }),
      })),
    })),
    () => {
      for (const q of all) {
        say(out, `${paint(out, 'bold', q.name)}  ${q.says}`);
        for (const [name, p] of Object.entries(q.params))
          say(
            out,
            `  ${name.padEnd(14)} ${p.says}${p.fallback === undefined ? `, for example ${p.example}` : ` (${p.fallback})`}`,
          );
      }
    },
  );
};

const queryOf = (name: string): LakeQuery => {
  const query = QUERIES[name];
  if (query !== undefined) return query;
  throw new CliError(
    `there is no query "${name}"`,
    `use one of: ${Object.keys(QUERIES).join(', ')}; "millwright queries" says what each asks for`,
    EXIT.usage,
  );
};

/** `name=value` of each `--param`. @throws {CliError} when one is no such pair, or is there twice. */
const parseParams = (pairs: readonly string[]): Record<string, string> => {
  const params: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    if (at < 1 || name in params)
      throw new CliError(
        at < 1 ? `--param ${pair} has no value` : `--param ${name} is there twice`,
        'write --param NAME=VALUE, once for each',
        EXIT.usage,
      );
    params[name] = pair.slice(at + 1);
  }
  return params;
};

/**
 * Runs a query in the workgroup of the stage, or prints its SQL.
 * @throws {CliError} when the query or a parameter is not there or wrong, or Athena refuses.
 */
export const runQuery = async (
  world: World,
  out: Output,
  o: { readonly name: string; readonly params: readonly string[]; readonly sql: boolean; readonly csv: boolean },
): Promise<void> => {
  const query = queryOf(o.name);
  const given = parseParams(o.params);
  let sql: string;
  try {
    sql = sqlOf(query, 'site' in query.params ? { site: world.site, ...given } : given);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new CliError(
      `parameters of ${query.name}: ${error.issues.join('; ')}`,
      `give them as --param NAME=VALUE; "millwright queries" says what ${query.name} asks for`,
      EXIT.usage,
    );
  }
  if (o.sql) {
    answer(out, { name: query.name, sql }, () => say(out, sql));
    return;
  }
  const { id, columns, rows, scannedBytes } = await world.athena.query(sql);
  if (o.csv && !out.json) {
    out.write(writeCsv([columns, ...rows.map((row) => row.map((cell) => cell ?? ''))]));
    return;
  }
  const objects = rows.map((row) => Object.fromEntries(columns.map((c, i) => [c, row[i] ?? null])));
  answer(out, { query: query.name, execution: id, scannedBytes, columns, rows: objects }, () => {
    table(
      out,
      rows.slice(0, MOST_SHOWN),
      columns.map((title, i) => ({ title, of: (row) => row[i] ?? '–' })),
      'no rows',
    );
    if (rows.length > MOST_SHOWN) say(out, `… and ${rows.length - MOST_SHOWN} more: --csv or --json has them all`);
  });
};
