import { type EvaluateDeps, type EvaluateOptions, evaluate } from '../../../cli/commands/evaluate.ts';
import type { Frame } from '../../../core/contracts/frame.ts';
import type { LiveRun, UseCaseDefinition } from '../../../core/contracts/source.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';

const turbofans = definitions.find((d) => d.useCase.id === 'turbofan-life') as UseCaseDefinition;
const ended: UseCaseDefinition = {
  ...turbofans,
  useCase: {
    ...turbofans.useCase,
    trainer: { ...turbofans.useCase.trainer, candidates: [{ alpha: 3 }, { alpha: 4 }] },
  },
};

/** The same engines, but on the last flight of the chosen test runs every sensor is broken. */
const withBadEnd = (chosen: (run: LiveRun) => boolean): UseCaseDefinition => ({
  ...ended,
  source: (options) => {
    const source = ended.source(options);
    const broken = (frame: Frame): Frame => ({
      ...frame,
      signals: Object.fromEntries(
        Object.keys(frame.signals).map((name) => [name, { value: 0, quality: 'BAD' as const }]),
      ),
    });
    const end = (run: LiveRun): LiveRun =>
      chosen(run) ? { ...run, frames: [...run.frames.slice(0, -1), ...run.frames.slice(-1).map(broken)] } : run;
    return { ...source, live: (machines) => source.live(machines).map((lane) => lane.map(end)) };
  },
});

/** Lines of NASA's format: `engines` engines of `flights` flights each, every value small and rising. */
const lines = (engines: number, flights: number): string =>
  Array.from({ length: engines * flights }, (_, i) => {
    const flight = (i % flights) + 1;
    const sensors = Array.from({ length: 24 }, (_, s) => (flight * (s + 1)) / 100);
    return [Math.floor(i / flights) + 1, flight, ...sensors].join(' ');
  }).join('\n');

const FILES: Readonly<Record<string, string>> = {
  'train_FD001.txt': lines(6, 40),
  'test_FD001.txt': lines(4, 30),
  'RUL_FD001.txt': '10 20 30 140',
};

/** The machine in memory: a trainer whose second candidate is the best and whose model always answers 20. */
const machine = (over: Partial<EvaluateDeps> = {}, files = FILES) => {
  const did: string[] = [];
  const deps: EvaluateDeps = {
    definitions: [ended],
    filesOf: () => Object.keys(files),
    readFile: (_, name) => {
      did.push(`read ${name}`);
      return new TextEncoder().encode(files[name]);
    },
    openTrainer: (useCase, rows, seed) => {
      did.push(`rows ${rows.length} of ${rows[0]?.x.length} seed ${seed} ${useCase.id}`);
      return {
        async foldErrors({ candidates, folds }, onFold) {
          did.push(`folds of ${folds.size}`);
          return candidates.map((_, c) =>
            Array.from({ length: Math.max(...folds.values()) + 1 }, () => {
              onFold(c);
              return { rows: 10, sumSquared: c === 1 ? 10 : 40 };
            }),
          );
        },
        async train(settings) {
          did.push(`train alpha ${settings['alpha']}`);
          return Uint8Array.of(1);
        },
        close: () => void did.push('close'),
      };
    },
    predict: async (_, rows) => rows.map(() => 20),
    ...over,
  };
  return { deps, did };
};

const asked: EvaluateOptions = { useCase: 'turbofan-life', data: '/data', folds: 3, seed: 5 };

const run = async (deps: EvaluateDeps, json: boolean, o: Partial<EvaluateOptions> = {}): Promise<string> => {
  const text: string[] = [];
  await evaluate(deps, { json, colour: false, write: (t) => void text.push(t) }, { ...asked, ...o });
  return text.join('');
};

describe('millwright evaluate', () => {
  test('opens the test files once, after settings are chosen and the model has learnt', async () => {
    const { deps, did } = machine();
    await run(deps, false);
    expect(did).toEqual([
      'read train_FD001.txt',
      expect.stringMatching(/^rows \d+ of 57 seed 5 turbofan-life$/),
      'folds of 6',
      'train alpha 3',
      expect.stringMatching(/^read (RUL|test)_FD001.txt$/),
      expect.stringMatching(/^read (RUL|test)_FD001.txt$/),
      'close',
    ]);
    expect(new Set(did).size).toBe(did.length);
  });

  test('says the table of folds before it says that it opens the test file', async () => {
    const text = await run(machine().deps, false);
    expect(text).toMatch(/★ +hidden 128,64, alpha 3.* 1\.00 1\.00 1\.00 +1\.000/);
    expect(text.indexOf('RMSE of each fold')).toBeLessThan(text.indexOf('opening test_FD001.txt'));
    expect(text.indexOf('opening train_FD001.txt')).toBeLessThan(text.indexOf('RMSE of each fold'));
  });

  test('gives RMSE and NASA score in both conventions', async () => {
    const { test: found } = JSON.parse(await run(machine().deps, true));
    const errors = (last: number) => [10, 0, 10, last - 20];
    const rmse = (e: number[]) => Math.sqrt(e.reduce((s, d) => s + d * d, 0) / 4);
    const score = (last: number) => Math.expm1(10 / 10) + Math.expm1(10 / 13) + Math.expm1((last - 20) / 13);
    expect(found).toMatchObject({ runs: 4, unanswered: 0, unit: 'flight', cap: 125 });
    expect(found.capped.rmse.value).toBeCloseTo(rmse(errors(125)), 9);
    expect(found.uncapped.rmse.value).toBeCloseTo(rmse(errors(140)), 9);
    expect(found.capped.score.value).toBeCloseTo(score(125), 6);
    expect(found.uncapped.score.value).toBeCloseTo(score(140), 6);
  });

  test('prints one document with --json, which says what was opened when', async () => {
    const found = JSON.parse(await run(machine().deps, true));
    expect(found.opened.toChoose).toEqual(['train_FD001.txt']);
    expect([...found.opened.toTest].sort()).toEqual(['RUL_FD001.txt', 'test_FD001.txt']);
    expect(found.folds.map((f: { chosen: boolean }) => f.chosen)).toEqual([false, true, false]);
  });

  test('counts a test run whose last frame has no answer, and says so', async () => {
    const { deps } = machine({ definitions: [withBadEnd((run) => run.asset === 'test-engine-004')] });
    const text = await run(deps, false);
    expect(text).toContain('3 test runs at their last frame');
    expect(text).toContain('1 more have no answer there');
  });

  test('fails when no test run can be answered', async () => {
    const { deps } = machine({ definitions: [withBadEnd(() => true)] });
    await expect(run(deps, false)).rejects.toThrow('no test run of turbofan-life');
  });

  test('takes the seed of the use case when none is given', async () => {
    const { deps, did } = machine();
    await run(deps, true, { seed: null });
    expect(did[1]).toContain('seed 7');
  });

  test('clears up behind a trainer that failed', async () => {
    const failing = machine();
    const { openTrainer } = failing.deps;
    const deps: EvaluateDeps = {
      ...failing.deps,
      openTrainer: (...args) => ({
        ...openTrainer(...args),
        foldErrors: () => Promise.reject(new Error('no memory')),
      }),
    };
    await expect(run(deps, false)).rejects.toThrow('no memory');
    expect(failing.did.at(-1)).toBe('close');
  });

  test.each([
    [{ useCase: 'nothing' }, 'there is no use case "nothing"'],
    [{ data: null }, 'learns from recorded data'],
    [{ folds: 7 }, '6 training runs cannot make 7 folds'],
    [{ folds: 1 }, '6 training runs cannot make 1 folds'],
  ])('refuses %j', async (o, message) => {
    await expect(run(machine().deps, false, o)).rejects.toThrow(message);
  });

  test('refuses a folder that holds other data', async () => {
    const { deps } = machine({ filesOf: () => ['readme.txt'] });
    await expect(run(deps, false)).rejects.toThrow('/data does not hold the data of turbofan-life');
  });

  test('refuses data for machines that are simulated', async () => {
    const { deps } = machine({ definitions });
    await expect(run(deps, false, { useCase: 'predictive-maintenance' })).rejects.toThrow('reads no recorded data');
  });
});
