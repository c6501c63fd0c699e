import { parseArgs } from 'node:util';
import { StartError } from './errors.ts';

export interface StartOptions {
  readonly once: boolean;
  readonly fresh: boolean;
  readonly retrain: boolean;
  /** End after the first pass: no change, no retrain, no bad package. */
  readonly noStory: boolean;
  readonly data: string | null;
  readonly seed: number;
  readonly devices: number;
  /** Decisions of the model that must be in the lake before the pass counts as done. */
  readonly decisions: number;
  readonly stateDir: string | null;
  readonly help: boolean;
}

export const USAGE = `Usage: npm start -- [options]

Runs the whole platform on this machine: deploys all stacks to a local AWS, trains a model, releases it to simulated
devices, and shows their decisions. Stays up until Ctrl-C; a second start goes on where the first stopped.

Options:
  --once           end after the story, with a summary; exit code 0 if everything held
  --data DIR       replay recorded machines (for example NASA's C-MAPSS FD001) instead of the simulated ones
  --retrain        train a new model even if there is one
  --no-story       end the telling after the first pass: no change, no retrain, no bad package
  --fresh          forget everything of earlier runs first
  --devices N      number of devices, 1 to 12 (default 3)
  --seed N         seed of the simulated machines (default 1)
  --decisions N    decisions to wait for (default 30)
  --state-dir DIR  folder for all state (default .millwright)
  --help           this text

Example:
  $ npm start -- --once
`;

const whole = (name: string, text: string, min: number, max: number): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new StartError(
      `--${name} expects a whole number from ${min} to ${max}, got "${text}"`,
      'see "npm start -- --help"',
    );
  return value;
};

/** @throws {StartError} naming the argument that is wrong and what it expects. */
export const parseStartArgs = (args: readonly string[]): StartOptions => {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        once: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        retrain: { type: 'boolean', default: false },
        'no-story': { type: 'boolean', default: false },
        data: { type: 'string' },
        seed: { type: 'string', default: '1' },
        devices: { type: 'string', default: '3' },
        decisions: { type: 'string', default: '30' },
        'state-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    throw new StartError((error as Error).message, 'see "npm start -- --help"; options stand after "npm start --"');
  }
  return {
    once: values['once'] === true,
    fresh: values['fresh'] === true,
    retrain: values['retrain'] === true,
    noStory: values['no-story'] === true,
    data: typeof values['data'] === 'string' ? values['data'] : null,
    seed: whole('seed', String(values['seed']), 0, 2 ** 31 - 1),
    devices: whole('devices', String(values['devices']), 1, 12),
    decisions: whole('decisions', String(values['decisions']), 1, 100_000),
    stateDir: typeof values['state-dir'] === 'string' ? values['state-dir'] : null,
    help: values['help'] === true,
  };
};
