import { type Command, Option } from 'commander';
import { QuarantineClass } from '#core/contracts/quarantine.ts';
import { compact } from '../commands/compact.ts';
import { quarantine, replayQuarantine, showQuarantine } from '../commands/quarantine.ts';
import { isOfPolicies, type ReplayOptions, replayAction, withPolicyOptions } from './drift.ts';
import { type Act, type Add, count, day, type Here } from './parts.ts';

type QuarantineOptions = { class?: QuarantineClass; all: boolean; dryRun: boolean; reason: string };

/** `millwright quarantine`, `replay` and `compact`: how the lake is kept. */
export const addLake = (program: Command, add: Add, act: Act, here: Here, readText: (file: string) => string): void => {
  const parent = add(
    program,
    'quarantine',
    'What could not be stored, and why.',
    'millwright quarantine',
    'millwright quarantine --all --limit 500',
  )
    .option('--limit <n>', 'how many objects, newest first; 1000 at most', count, 100)
    .option('--all', 'of all sites, and what names none', false)
    .action(act<[{ limit: number; all: boolean }]>((world, out, o) => quarantine(world, out, o)));
  add(
    parent,
    'show <key>',
    'One object of it, line by line.',
    'millwright quarantine show quarantine/messages/site=plant-a/date=2026-01-31/7d0c.ndjson.gz',
  )
    .option('--limit <n>', 'how many lines; 200 at most', count, 20)
    .action(act<[string, { limit: number }]>((world, out, key, o) => showQuarantine(world, out, { key, ...o })));
  const replay = add(
    program,
    'replay [keys...]',
    'Check quarantine again after a fix; or, with --policy, --detector, --line or --from, try drift policies on the past.',
    'millwright replay --class unit --dry-run',
    'millwright replay quarantine/messages/site=plant-a/date=2026-01-31/7d0c.ndjson.gz',
    'millwright replay --policy strict.json --policy calm.json --change 2026-01-31T08:00:00.000Z --svg replay.svg',
  )
    .addOption(new Option('--class <class>', 'objects with records of this class').choices(QuarantineClass.options))
    .option('--all', 'every object that has something bad left', false)
    .option('--dry-run', 'only say what would be good now', false)
    .option('--reason <text>', 'why, for the audit trail', 'replayed at the command line');
  const ofPolicies = replayAction(act, here, readText);
  const ofQuarantine = act<[string[], QuarantineOptions]>((world, out, keys, o) =>
    replayQuarantine(world, out, { keys, ...o }),
  );
  withPolicyOptions(replay).action((...args: readonly unknown[]) => {
    const options = args[1] as ReplayOptions;
    return (isOfPolicies(options) ? ofPolicies(options) : ofQuarantine)(...args);
  });
  add(
    program,
    'compact [table]',
    'Put small files of days that are over together; an hourly schedule does it in AWS.',
    'millwright compact observations --date 2026-01-31 --dry-run',
  )
    .option('--date <day>', 'only this day', day)
    .option('--dry-run', 'only say what would be done', false)
    .action(
      act<[string | undefined, { date?: string; dryRun: boolean }]>((world, out, table, o) =>
        compact(world, out, { table, date: o.date, dryRun: o.dryRun }),
      ),
    );
};
