import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeChaos } from '../../local/faults/chaos.ts';
import { ChaosError, chosenBy } from '../../local/faults/orders.ts';
import { readAgreement } from './agreement.ts';
import { planTrials, type Strike, type Victim } from './plan.ts';
import { plantIn, restore, STORY_BEGINS, type StartRun, type StoryFacts, startOnce, storyIn } from './start-run.ts';

// Long. `npm test -- --selectProjects soak` runs it; MILLWRIGHT_SOAK_KILLS, _EACH, _CUTS, _SEED, _VICTIMS, _ARGS and _KEEP say how.
const env = (name: string): string | undefined => process.env[`MILLWRIGHT_SOAK_${name}`] || undefined;
const KILLS = Number(env('KILLS') ?? 50);
/** Kills in one telling of the story. */
const EACH = Number(env('EACH') ?? 5);
/** Of them beside those: kills of the whole plant. */
const CUTS = Number(env('CUTS') ?? 5);
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

/** Kills what is said, at its moment after `from` (ms). @returns what was done; null when the story was over before. */
const disturb = async (trial: Strike, run: StartRun, from: number): Promise<string | null> => {
  const chaos = () => makeChaos({ plant: plantIn(live), stateDir: live, now: () => new Date().toISOString() });
  const strike = (): string => {
    if (trial.victim === 'trainer') return chaos().killTrainer(trial.seed).did;
    if (trial.victim === 'plant') {
      // The local AWS first: it would see its starter go, and save.
      const { did } = chaos().killEmulator();
      run.kill();
      return `${did}, and with it everything`;
    }
    if (trial.victim === 'worker') return chaos().killWorker(null, trial.seed).did;
    return chaos().killDevice(chosenBy(trial.seed, plantIn(live).devices).device).did;
  };
  const onceItWorks = async <T>(what: () => T | null): Promise<T | null> => {
    while (!run.hasEnded()) {
      try {
        const done = what();
        if (done !== null) return done;
      } catch (error) {
        // Nothing of the kind runs at this moment, or the plant is just stopping.
        if (!(error instanceof ChaosError) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      await pause(0.25);
    }
    return null;
  };
  if (trial.victim === 'trainer') {
    await onceItWorks(() => (chaos().status().jobs.length > 0 ? true : null));
    await pause(trial.moment);
  } else await pause(Math.max(0, trial.moment * reference.seconds - (performance.now() - from) / 1000));
  return onceItWorks(strike);
};

/** One champion on the line, in every ring and on every device, and no release left open. */
const expectAgreement = async (): Promise<void> => {
  const { champion, serving, rings, open } = await readAgreement(live, reference.modelLine);
  expect({ open, serving, rings }).toEqual({
    open: [],
    serving: Object.fromEntries(Object.keys(serving).map((device) => [device, champion])),
    rings: Object.fromEntries(Object.keys(rings).map((ring) => [ring, true])),
  });
};

/** A refusal says what is wrong and what to do; anything else is a crash. */
const REFUSAL = /^✗ .+\n {2}What to do: .+\.$/m;

test('a refusal is told from a crash', () => {
  expect('✗ the retrain was failed at Train\n  What to do: look at it.').toMatch(REFUSAL);
  expect('TypeError: x is undefined\n    at main.ts:1').not.toMatch(REFUSAL);
});

/** All strikes of a trial side by side, each at its moment. @returns what was done, of those that found the story still going on. */
const strike = async (strikes: readonly Strike[], run: StartRun): Promise<readonly string[]> => {
  if (!(await run.tells(STORY_BEGINS))) return [];
  const from = performance.now();
  const done = await Promise.all(strikes.map((s) => disturb(s, run, from)));
  return done.flatMap((did) => did ?? []);
};

for (const trial of planTrials(KILLS, SEED, ONLY, EACH))
  test(
    `trial ${trial.number}: ${trial.strikes.length} kills end in the same state, or in a refusal and nothing half-released`,
    async () => {
      restore(base, live);
      const run = startOnce(live, ...ARGS);
      running = run;
      const did = await strike(trial.strikes, run);
      let code = await run.ended;
      let told = run.told();
      console.log(
        `trial ${trial.number}: ${did.join('; ')}; exit code ${code}${code === 0 ? '' : `; ${/✗ .*/.exec(told)?.[0]}`}`,
      );
      // What a refused start left is put in order by the next one, which may refuse as well.
      if (code !== 0) {
        expect(told).toMatch(REFUSAL);
        ({ code, told } = await once());
        if (code !== 0) expect(told).toMatch(REFUSAL);
        console.log(
          `trial ${trial.number}, next start: exit code ${code}; ${/✗ .*/.exec(told)?.[0] ?? 'told to its end'}`,
        );
      }
      await expectAgreement();
      if (code !== 0) return;
      const story = storyIn(live);
      expect(story.finished).toBe(true);
      // A retrain that was killed is asked for again later, and learns from what is known by then.
      if (!did.some((d) => /job/.test(d))) expect(story.facts).toEqual(reference.facts);
    },
    TRIAL_MS,
  );

for (const trial of planTrials(CUTS, SEED, ['plant']))
  test(
    `cut ${trial.number}: after a kill of the whole plant the next start says what was kept and lost, and goes on to the same end`,
    async () => {
      restore(base, live);
      const run = startOnce(live, ...ARGS);
      running = run;
      const [did] = await strike(trial.strikes, run);
      await run.ended;
      const { code, told } = await once();
      console.log(`cut ${trial.number}: ${did}; ${/kept: .*/.exec(told)?.[0]}; ${/lost: .*/.exec(told)?.[0]}`);
      if (did !== undefined) expect(told).toMatch(/kept: \d+ ledger records.*\n.*lost: /);
      if (code !== 0) expect(told).toMatch(REFUSAL);
      await expectAgreement();
      if (code === 0) expect(storyIn(live).finished).toBe(true);
    },
    TRIAL_MS,
  );

test(
  'messages that come late and twice, and services that refuse requests, change nothing in the end',
  async () => {
    restore(base, live);
    const run = startOnce(live, ...ARGS);
    running = run;
    await run.tells(STORY_BEGINS);
    const chaos = makeChaos({ plant: plantIn(live), stateDir: live, now: () => new Date().toISOString() });
    chaos.messages({
      drop: 0,
      repeat: 0.3,
      delaySeconds: 1,
      carriers: ['iot', 'events'],
      forSeconds: null,
      seed: SEED,
    });
    for (const service of ['lambda', 'dynamodb', 's3', 'sqs', 'states'] as const)
      chaos.throttle({ service, share: 0.05, forSeconds: null, seed: SEED });
    const code = await run.ended;
    if (code !== 0) throw new Error(`the disturbed story ended with exit code ${code}:\n${run.told()}`);
    // Which outcome asks for the retrain hangs on when it arrives; that one does, and what comes of it, does not.
    const { finished, facts } = storyIn(live);
    expect({ finished, facts: facts.length }).toEqual({ finished: true, facts: reference.facts.length });
    await expectAgreement();
  },
  TRIAL_MS,
);
