import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeChaos } from '../../local/faults/chaos.ts';
import { ChaosError, chosenBy } from '../../local/faults/orders.ts';
import { readAgreement } from './agreement.ts';
import { planTrials, type Trial, type Victim } from './plan.ts';
import { plantIn, restore, STORY_BEGINS, type StartRun, type StoryFacts, startOnce, storyIn } from './start-run.ts';

// Hours. `npm test -- --selectProjects soak` runs it; MILLWRIGHT_SOAK_TRIALS, _SEED, _VICTIMS, _ARGS and _KEEP say how.
const env = (name: string): string | undefined => process.env[`MILLWRIGHT_SOAK_${name}`] || undefined;
const TRIALS = Number(env('TRIALS') ?? 50);
const SEED = Number(env('SEED') ?? 1);
const ONLY = env('VICTIMS')?.split(',') as Victim[] | undefined;
/** Of every start, for example `--data ../shared/data/cmapss --seed 3`. */
const ARGS = env('ARGS')?.split(' ') ?? [];
const TRIAL_MS = 1_500_000;

const folder = env('KEEP') ?? mkdtempSync(join(tmpdir(), 'mw-soak-'));
const live = join(folder, 'plant');
const base = join(folder, 'after-first-pass');
let reference: StoryFacts & { readonly modelLine: string };
let running: StartRun | null = null;

const once = async (...args: readonly string[]): Promise<{ code: number; told: string }> => {
  running = startOnce(live, ...ARGS, ...args);
  const code = await running.ended;
  return { code, told: running.told() };
};

beforeAll(async () => {
  if (!existsSync(base)) {
    const pass = await once('--no-story');
    if (pass.code !== 0) throw new Error(`the first pass ended with exit code ${pass.code}:\n${pass.told}`);
    restore(live, base);
  }
  restore(base, live);
  running = startOnce(live, ...ARGS);
  await running.tells(STORY_BEGINS);
  const { modelLine } = plantIn(live);
  const code = await running.ended;
  if (code !== 0) throw new Error(`the undisturbed story ended with exit code ${code}:\n${running.told()}`);
  reference = { ...storyIn(live), modelLine };
}, 2 * TRIAL_MS);

afterAll(async () => {
  if (running !== null && !running.hasEnded()) {
    running.stop();
    await running.ended;
  }
  if (env('KEEP') === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Kills what the trial says, at its moment. @returns what was done; null when the story was over before. */
const disturb = async (trial: Trial, run: StartRun): Promise<string | null> => {
  if (!(await run.tells(STORY_BEGINS))) return null;
  const plant = plantIn(live);
  const chaos = () => makeChaos({ plant: plantIn(live), stateDir: live, now: () => new Date().toISOString() });
  const strike = (): string => {
    if (trial.victim === 'trainer') return chaos().killTrainer(trial.seed).did;
    if (trial.victim === 'worker') return chaos().killWorker(null, trial.seed).did;
    return chaos().killDevice(chosenBy(trial.seed, plant.devices).device).did;
  };
  if (trial.victim === 'trainer') {
    while (!run.hasEnded() && chaos().status().jobs.length === 0) await pause(0.25);
  } else await pause(trial.moment * reference.seconds);
  if (trial.victim === 'trainer') await pause(trial.moment);
  while (!run.hasEnded())
    try {
      return strike();
    } catch (error) {
      // Nothing of the kind runs at this moment: the next one will do.
      if (!(error instanceof ChaosError)) throw error;
      await pause(0.25);
    }
  return null;
};

/** A refusal says what is wrong and what to do; anything else is a crash. */
const REFUSAL = /^✗ .+\n {2}What to do: .+\.$/m;

test('a refusal is told from a crash', () => {
  expect('✗ the retrain was failed at Train\n  What to do: look at it.').toMatch(REFUSAL);
  expect('TypeError: x is undefined\n    at main.ts:1').not.toMatch(REFUSAL);
});

test.each(planTrials(TRIALS, SEED, ONLY))(
  'trial $number: killing a $victim ends in the same state, or in a refusal and nothing half-released',
  async (trial) => {
    restore(base, live);
    const run = startOnce(live, ...ARGS);
    running = run;
    const did = await disturb(trial, run);
    let code = await run.ended;
    let told = run.told();
    console.log(`trial ${trial.number}: ${did ?? 'the story was over before'}; exit code ${code}`);
    // What a refused start left is put in order by the next one, which may refuse as well.
    if (code !== 0) {
      expect(told).toMatch(REFUSAL);
      ({ code, told } = await once());
      if (code !== 0) expect(told).toMatch(REFUSAL);
    }
    const { champion, serving, rings, open } = await readAgreement(live, reference.modelLine);
    expect({ open, serving, rings }).toEqual({
      open: [],
      serving: Object.fromEntries(Object.keys(serving).map((device) => [device, champion])),
      rings: Object.fromEntries(Object.keys(rings).map((ring) => [ring, true])),
    });
    if (code === 0) expect(storyIn(live)).toMatchObject({ finished: true, facts: reference.facts });
  },
  TRIAL_MS,
);
