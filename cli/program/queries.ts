import type { Command } from 'commander';
import { listQueries, runQuery } from '../commands/query.ts';
import type { Act, Add, Here } from './parts.ts';

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** `millwright query` and `millwright queries`: SQL over the lake. */
export const addQueries = (program: Command, add: Add, act: Act, here: Here): void => {
  add(
    program,
    'query <name>',
    'Ask the lake: one of "millwright queries", run in Athena with your own credentials.',
    'millwright query bad-share --param first_day=2026-01-01 --param last_day=2026-01-07',
    'millwright query features-as-of --param feature_set=sha256:… --param at=2026-01-03T00:00:00.000Z --csv',
  )
    .option('--param <name=value>', 'a parameter; as often as there are; site is that of --site', collect, [])
    .option('--sql', 'print the SQL, and do not run it', false)
    .option('--csv', 'print CSV', false)
    .action(
      act<[string, { param: string[]; sql: boolean; csv: boolean }]>((world, out, name, o) =>
        runQuery(world, out, { name, params: o.param, sql: o.sql, csv: o.csv }),
      ),
    );
  add(program, 'queries', 'Every query over the lake, and what it asks for.', 'millwright queries').action(
    here<[object]>(async (out) => listQueries(out)),
  );
};
