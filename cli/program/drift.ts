import { type Command, InvalidArgumentError } from 'commander';
import { DETECTORS } from '#core/drift/detectors-registry.ts';
import { drift } from '../commands/drift/drift.ts';
import { explainDrift } from '../commands/drift/explain-drift.ts';
import { type ReplayDriftOptions, replayDrift, replayFolder } from '../commands/drift/replay-drift.ts';
import { CliError, EXIT } from '../errors.ts';
import type { Act, Add, Here } from './parts.ts';
import { instant } from './parts.ts';

const each =
  (parse: (text: string) => string = (text) => text) =>
  (text: string, before: readonly string[]): readonly string[] => [...before, parse(text)];

const days = (text: string): number => {
  const value = Number(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('Expected a number of days above 0.');
};

/** `millwright drift` and `explain drift`. @param explain the command `explain`. */
export const addDrift = (program: Command, explain: Command, add: Add, act: Act): void => {
  add(
    program,
    'drift [modelLine]',
    'What is said of the inputs of each device, and whether anybody watches them.',
    'millwright drift',
  ).action(act<[string | undefined, object]>((world, out, modelLine) => drift(world, out, modelLine)));
  add(
    explain,
    'drift <id>',
    'Why a device is said to drift: what changed, how sure, since when, what to do; checks the evidence.',
    'millwright explain drift edge-1',
    'millwright explain drift edge-1 --svg drift.svg',
  )
    .option('--svg <file>', 'write a picture of the evidence')
    .action(act<[string, { svg?: string }]>((world, out, id, o) => explainDrift(world, out, id, o)));
};

/** What a replay is asked with: one of policies, or one of quarantine. */
export interface ReplayOptions extends ReplayDriftOptions {
  readonly from?: string;
  readonly class?: string;
  readonly all: boolean;
  readonly dryRun: boolean;
}

/** Adds the options of a replay of drift policies to `replay`. */
export const withPolicyOptions = (replay: Command): Command =>
  replay
    .option(
      '--policy <file>',
      'drift policy to try on the past: JSON of what is other than declared; may be repeated',
      each(),
      [],
    )
    .option(
      '--detector <name>',
      `detector to try on past losses, may be repeated: ${Object.keys(DETECTORS).join(', ')}`,
      each(),
      [],
    )
    .option('--line <modelLine>', 'whose past; default: the only one')
    .option('--package <digest>', 'of which package that served it; default: the champion')
    .option(
      '--from <dir>',
      'folder with drift/ of the lake, packages/ of the artifacts, and outcomes.json; asks no platform',
    )
    .option('--since <instant>', 'only alarms from then on, UTC', instant)
    .option('--change <instant>', 'when something is known to have changed, UTC; may be repeated', each(instant), [])
    .option('--within <days>', 'an alarm so long after a change has found it', days, 30)
    .option('--svg <file>', 'write a picture: a band for each policy');

/** Whether past windows are meant, and not what is in quarantine. */
export const isOfPolicies = (o: ReplayOptions): boolean =>
  [...o.policy, ...o.detector, ...o.change, o.line, o.package, o.from, o.since, o.svg].some(
    (given) => given !== undefined,
  );

/** @throws {CliError} when a replay of policies is asked for with what only one of quarantine takes. */
const refuseQuarantine = (keys: unknown, o: ReplayOptions): void => {
  if (Array.isArray(keys) && keys.length === 0 && o.class === undefined && !o.all && !o.dryRun) return;
  throw new CliError(
    'keys, --class, --all and --dry-run are of a replay of quarantine, the other options of one of drift policies',
    'give the one or the other: "millwright replay --help" has an example of each',
    EXIT.usage,
  );
};

export const replayAction =
  (act: Act, here: Here, readText: (file: string) => string) =>
  (o: ReplayOptions): ((...args: readonly unknown[]) => Promise<void>) =>
    o.from === undefined
      ? act<[string[], ReplayOptions]>(async (world, out, keys, given) => {
          refuseQuarantine(keys, given);
          await replayDrift(world, out, given, readText);
        })
      : here<[string[], ReplayOptions]>(async (out, keys, given) => {
          refuseQuarantine(keys, given);
          await replayFolder(out, given.from as string, given, readText);
        });
