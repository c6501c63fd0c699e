import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { evaluateOnThisMachine, openTrainer } from '../../../cli/trainer.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';

const ROOT = join(__dirname, '../../..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mw-evaluate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Engines that live 50 to 60 flights; every sensor tells how many are left, and `cut` flights before it the record ends. */
const engines = (count: number, cut: (engine: number) => number): string =>
  Array.from({ length: count }, (_, e) => {
    const life = 50 + ((e * 7) % 11);
    return Array.from({ length: life - cut(e) }, (_, i) => {
      const left = life - i - 1;
      const sensors = Array.from({ length: 21 }, (_, s) => (100 - left + Math.sin(i * (s + 1) + e)).toFixed(3));
      return [e + 1, i + 1, 0, 0, 100, ...sensors].join(' ');
    }).join('\n');
  }).join('\n');

const cut = (e: number): number => 5 + ((e * 5) % 20);

/** A use-cases folder whose turbofan learns quickly: the settings of the real one are sized for the real data. */
const quickly = (): string => {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'use-cases/quick'), { recursive: true });
  writeFileSync(
    join(root, 'use-cases/quick/use-case.ts'),
    `import { definitions as all } from ${JSON.stringify(join(ROOT, 'use-cases/predictive-maintenance/use-case.ts'))};
const quick = { hidden: '16', alpha: 0.001, epochs: 150, members: 1, learningRate: 0.01 };
export const definitions = all.filter((d) => d.needsData).map((d) => ({ ...d, useCase: { ...d.useCase,
  trainer: { ...d.useCase.trainer, hyperparameters: quick, candidates: [{ epochs: 1, learningRate: 0.00001 }] } } }));`,
  );
  return root;
};

const evaluateTiny = (data: string) => {
  const code = `import { evaluate } from ${JSON.stringify(join(ROOT, 'cli/commands/evaluate.ts'))};
import { evaluateOnThisMachine, openTrainer } from ${JSON.stringify(join(ROOT, 'cli/trainer.ts'))};
const deps = { ...(await evaluateOnThisMachine(${JSON.stringify(quickly())})), openTrainer: openTrainer(${JSON.stringify(ROOT)}) };
await evaluate(deps, { json: true, colour: false, write: (t) => process.stdout.write(t) },
  { useCase: 'turbofan-life', data: ${JSON.stringify(data)}, folds: 2, seed: 1 });`;
  return spawnSync(join(ROOT, 'node_modules/.bin/node'), ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: folder },
  });
};

test('the real trainer learns what tiny engines tell, the folds find the better settings, and nothing is left behind', () => {
  const data = join(folder, 'data');
  mkdirSync(data);
  writeFileSync(
    join(data, 'train_FD001.txt'),
    engines(12, () => 0),
  );
  writeFileSync(join(data, 'test_FD001.txt.gz'), gzipSync(engines(8, cut)));
  writeFileSync(join(data, 'RUL_FD001.txt'), Array.from({ length: 8 }, (_, e) => cut(e)).join('\n'));
  const done = evaluateTiny(data);
  expect(done.stderr).toBe('');
  const found = JSON.parse(done.stdout);
  expect(found.folds.map((f: { chosen: boolean }) => f.chosen)).toEqual([true, false]);
  expect(found.test.runs).toBe(8);
  // The cut lies 5 to 24 flights before the end: one who always answers the middle is off by more than 5.
  expect(found.test.uncapped.rmse.value).toBeLessThan(3);
  expect(spawnSync('ls', [folder], { encoding: 'utf8' }).stdout.split('\n')).not.toContainEqual(
    expect.stringContaining('millwright-evaluate'),
  );
});

test('the command line refuses a folder that is not there, without a platform', () => {
  const done = spawnSync(
    join(ROOT, 'node_modules/.bin/node'),
    ['cli/millwright.ts', 'evaluate', 'turbofan-life', '--data', join(folder, 'nothing')],
    { cwd: ROOT, encoding: 'utf8' },
  );
  expect(done.status).toBe(2);
  expect(done.stderr).toContain('there is no such folder');
});

describe('the trainer on this machine', () => {
  const useCase = {
    featureSet: { features: [{ name: 'a' }] },
    trainer: { algorithm: 'mlp-regressor', hyperparameters: {} },
  } as unknown as UseCase;
  const rows = Array.from({ length: 60 }, (_, i) => ({
    asset: 'a',
    run: `r${i % 3}`,
    index: i + 1,
    sourceTime: '2025-01-01T00:00:00.000Z',
    label: i,
    x: [i],
  }));

  test('says how to install it when it is not there', () => {
    expect(() => openTrainer(folder)(useCase, rows, 1)).toThrow('Python is not installed');
  });

  test('passes on why it refused', async () => {
    const trainer = openTrainer(ROOT)(useCase, rows, 1);
    try {
      await expect(trainer.train({ layers: 3 })).rejects.toThrow("unknown trainer settings ['layers']");
    } finally {
      trainer.close();
    }
  });
});

describe('recorded data', () => {
  test('is asked for by name when it is not there', async () => {
    const { readFile } = await evaluateOnThisMachine(ROOT);
    expect(() => readFile(folder, 'test_FD001.txt')).toThrow('has neither test_FD001.txt nor test_FD001.txt.gz');
  });

  test('that cannot be unpacked is named', async () => {
    const { readFile } = await evaluateOnThisMachine(ROOT);
    writeFileSync(join(folder, 'test_FD001.txt.gz'), 'no gzip');
    expect(() => readFile(folder, 'test_FD001.txt')).toThrow('test_FD001.txt.gz cannot be unpacked');
  });
});
