import { type Command, InvalidArgumentError } from 'commander';
import { drift } from '../commands/drift/drift.ts';
import { explainDrift } from '../commands/drift/explain-drift.ts';
import { type ReplayDriftOptions, replayDrift, replayFolder } from '../commands/drift/replay-drift.ts';
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

/** What a replay of policies is asked with, beside that of quarantine. */
export interface ReplayOptions extends ReplayDriftOptions {
  readonly from?: string;
}

/** Adds the options of a replay of drift policies to `replay`. */
export const withPolicyOptions = (replay: Command): Command =>
  replay
    .option('--policy <file>', 'drift policy to try on past windows: JSON of what is other than declared', each(), [])
    .option('--detector <name>', 'classic detector to try on past losses', each(), [])
    .option('--line <modelLine>', 'whose past; default: the only one')
    .option('--from <dir>', 'folder with drift/ of the lake and packages/ of the artifacts; asks no platform')
    .option('--since <instant>', 'alarms from then on', instant)
    .option('--change <instant>', 'when something is known to have changed', each(instant), [])
    .option('--within <days>', 'an alarm so long after a change has found it', days, 30)
    .option('--svg <file>', 'write a picture');

/** Whether past windows are meant, and not what is in quarantine. */
export const isOfPolicies = (o: ReplayOptions): boolean =>
  o.policy.length > 0 || o.detector.length > 0 || o.line !== undefined || o.from !== undefined;

export const replayAction =
  (act: Act, here: Here, readText: (file: string) => string) =>
  (o: ReplayOptions): ((...args: readonly unknown[]) => Promise<void>) =>
    o.from === undefined
      ? act<[string[], ReplayOptions]>((world, out, _keys, given) => replayDrift(world, out, given, readText))
      : here<[string[], ReplayOptions]>((out, _keys, given) =>
          replayFolder(out, given.from as string, given, readText),
        );
