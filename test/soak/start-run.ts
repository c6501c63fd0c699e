import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LocalPlant } from '../../core/contracts/local-plant.ts';
import { NODE, REPOSITORY } from '../local/aws/local-aws.ts';

const QUIET = '--disable-warning=ExperimentalWarning';
export const STORY_BEGINS = 'The loop closes';

/** One `npm start -- --once`, as it goes on. */
export interface StartRun {
  readonly told: () => string;
  /** Exit code; -1 when it was ended by a signal. */
  readonly ended: Promise<number>;
  hasEnded(): boolean;
  /** Waits until a text was told or it ended. @returns whether it was told. */
  tells(text: string): Promise<boolean>;
  stop(): void;
  /** Kills it at once; what it started ends by itself. */
  kill(): void;
}

const LOOK_MS = 100;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts the plant over a state folder, until its story is told. */
export const startOnce = (stateDir: string, ...args: readonly string[]): StartRun => {
  let told = '';
  let over = false;
  const child = spawn(NODE, [QUIET, 'local/start/main.ts', '--once', '--state-dir', stateDir, ...args], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (told += data));
  const ended = new Promise<number>((resolve) =>
    child.once('exit', (code) => {
      over = true;
      resolve(code ?? -1);
    }),
  );
  return {
    told: () => told,
    ended,
    hasEnded: () => over,
    async tells(text) {
      while (!told.includes(text)) {
        if (over) return told.includes(text);
        await pause(LOOK_MS);
      }
      return true;
    },
    stop: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  };
};

/** What the running plant says of itself. */
export const plantIn = (stateDir: string): LocalPlant =>
  LocalPlant.parse(JSON.parse(readFileSync(join(stateDir, 'plant.json'), 'utf8')));

export interface StoryFacts {
  readonly finished: boolean;
  readonly facts: readonly string[];
  readonly seconds: number;
}

/** What the story left in writing. */
export const storyIn = (stateDir: string): StoryFacts => {
  const file = join(stateDir, 'story.json');
  if (!existsSync(file)) return { finished: false, facts: [], seconds: 0 };
  const { finished, facts, timings } = JSON.parse(readFileSync(file, 'utf8'));
  return { finished, facts, seconds: timings.storySeconds ?? 0 };
};

/** Puts a state folder back to what it was: paths in it name it, so it must be the same folder. */
export const restore = (from: string, to: string): void => {
  rmSync(to, { recursive: true, force: true, maxRetries: 5 });
  cpSync(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
};
