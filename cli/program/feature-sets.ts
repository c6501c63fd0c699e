import type { Command } from 'commander';
import { backfill } from '../commands/backfill.ts';
import { featureSet, featureSetDiff, featureSets } from '../commands/feature-sets.ts';
import { retireFeatureSet } from '../commands/retire-feature-set.ts';
import { type Act, type Add, count, day } from './parts.ts';

/** `millwright feature-sets`, and what is done with one: look, compare, retire, fill the store. */
export const addFeatureSets = (program: Command, add: Add, act: Act): void => {
  add(
    program,
    'feature-sets',
    'Every feature set: owner, features, who uses it.',
    'millwright feature-sets',
    'millwright feature-sets --json',
  ).action(act<[object]>((world, out) => featureSets(world, out)));

  add(
    program,
    'feature-set <set>',
    'One feature set by its id or digest: what its features are, who uses it.',
    'millwright feature-set spindle-bearing',
    'millwright feature-set spindle-bearing --diff 3fa9c1d20b7e',
  )
    .option('--diff <other>', 'what changes from it to this other one')
    .action(
      act<[string, { diff?: string }]>((world, out, name, o) =>
        o.diff === undefined ? featureSet(world, out, name) : featureSetDiff(world, out, name, o.diff),
      ),
    );

  add(
    program,
    'retire-feature-set <set>',
    'No use case is published and no model trained with it any more; says what breaks.',
    'millwright retire-feature-set 3fa9c1d20b7e --reason "the sensor is gone"',
    'millwright retire-feature-set 3fa9c1d20b7e --reason "the sensor is gone" --accept "line 4 is being sold"',
  )
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--accept <text>', 'why what breaks may break')
    .action(
      act<[string, { reason: string; accept?: string }]>((world, out, name, o) =>
        retireFeatureSet(world, out, {
          name,
          reason: o.reason,
          ...(o.accept === undefined ? {} : { accept: o.accept }),
        }),
      ),
    );

  add(
    program,
    'backfill <set>',
    'Rows of a feature set for frames that are there already; the same again changes nothing.',
    'millwright backfill spindle-bearing --from 2026-01-01 --to 2026-01-31 --dry-run',
    'millwright backfill spindle-bearing --from 2026-01-01 --to 2026-01-31 --asset spindle-101 --wait',
  )
    .requiredOption('--from <day>', 'first UTC day of rows', day)
    .requiredOption('--to <day>', 'last UTC day of rows', day)
    .option('--asset <id>', 'only of one asset')
    .option('--reason <text>', 'why, for the audit trail', 'asked for at the command line')
    .option('--dry-run', 'only say what it would read', false)
    .option('--wait', 'wait for its end and tell how far it is', false)
    .option('--timeout <seconds>', 'how long to wait', count, 3600)
    .action(
      act<
        [
          string,
          { from: string; to: string; asset?: string; reason: string; dryRun: boolean; wait: boolean; timeout: number },
        ]
      >((world, out, name, o) =>
        backfill(world, out, {
          name,
          from: o.from,
          to: o.to,
          reason: o.reason,
          dryRun: o.dryRun,
          wait: o.wait,
          timeoutSeconds: o.timeout,
          ...(o.asset === undefined ? {} : { asset: o.asset }),
        }),
      ),
    );
};
