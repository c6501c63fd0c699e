import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import type { FeatureRow } from '#core/contracts/feature-set.ts';
import { TrainingHyperparameters } from '#core/contracts/training.ts';
import type { Hyperparameters, UseCase } from '#core/contracts/use-case.ts';
import { writeParquet } from '#core/lake/parquet.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { FoldError } from '#core/policy/folds.ts';
import type { EvaluateDeps, Trainer } from './commands/evaluate.ts';
import { CliError, EXIT } from './errors.ts';
import { sha256 } from './sha256.ts';
import { loadDefinitions } from './use-cases.ts';

/** Rows as the trainers read them: the columns of FeatureRow that they need. */
const trainerRows = (rows: readonly FeatureRow[]): Uint8Array =>
  writeParquet([
    { name: 'asset', type: 'string', data: rows.map((r) => r.asset) },
    { name: 'run', type: 'string', data: rows.map((r) => r.run) },
    { name: 'label', type: 'double', data: rows.map((r) => r.label) },
    { name: 'x', type: 'list<double>', data: rows.map((r) => r.x) },
  ]);

/**
 * The Python trainers under the SageMaker container contract, in a folder of their own below the system's.
 * @throws {CliError} when the project's Python is not there; from its methods, with the trainer's own reason.
 */
export const openTrainer =
  (root: string) =>
  (useCase: UseCase, rows: readonly FeatureRow[], seed: number): Trainer => {
    const python = join(root, '.venv', 'bin', 'python');
    if (!existsSync(python))
      throw new CliError(
        `the trainer's Python is not installed: there is no ${python}`,
        'run "npm start -- --once" once, it installs what is missing',
        EXIT.notFound,
      );
    const folder = mkdtempSync(join(tmpdir(), 'millwright-evaluate-'));
    const ml = join(folder, 'opt/ml');
    for (const name of ['input/config', 'input/data/train', 'input/data/calibration'])
      mkdirSync(join(ml, name), { recursive: true });
    const bytes = trainerRows(rows);
    writeFileSync(join(ml, 'input/data/train/rows.parquet'), bytes);
    const run = async (command: string, settings: Hyperparameters, onLine: (line: string) => void): Promise<void> => {
      const hyperparameters = TrainingHyperparameters.parse({
        algorithm: useCase.trainer.algorithm,
        seed: String(seed),
        feature_names: JSON.stringify(useCase.featureSet.features.map((f) => f.name)),
        feature_set_digest: digestOf(useCase.featureSet),
        snapshot_digest: sha256(bytes),
        settings: JSON.stringify(settings),
      });
      writeFileSync(join(ml, 'input/config/hyperparameters.json'), JSON.stringify(hyperparameters));
      const child = spawn(python, ['-m', 'millwright_training', command], {
        env: {
          PATH: process.env['PATH'],
          HOME: process.env['HOME'],
          PYTHONPATH: join(root, 'training'),
          MILLWRIGHT_ML_ROOT: folder,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let last = '';
      createInterface({ input: child.stdout }).on('line', onLine);
      child.stderr.on('data', (chunk: Buffer) => {
        last = (last + chunk.toString()).slice(-600);
      });
      const code = await new Promise<number | null>((done, fail) => child.on('error', fail).on('close', done));
      if (code === 0) return;
      const failure = join(ml, 'output/failure');
      throw new CliError(
        `the trainer failed at ${command}: ${existsSync(failure) ? readFileSync(failure, 'utf8') : last.trim() || `it ended with ${code}`}`,
        'change the use case or its data as it says',
      );
    };
    return {
      async foldErrors({ candidates, folds }, onFold) {
        writeFileSync(
          join(ml, 'input/config/folds.json'),
          JSON.stringify({ candidates, folds: Object.fromEntries(folds) }),
        );
        await run('folds', useCase.trainer.hyperparameters, (line) => {
          const done = /^candidate=(\d+); fold=/.exec(line);
          if (done !== null) onFold(Number(done[1]));
        });
        const result = JSON.parse(readFileSync(join(ml, 'output/folds.json'), 'utf8')) as { candidates: FoldError[][] };
        return result.candidates;
      },
      async train(settings) {
        await run('train', settings, () => {});
        return readFileSync(join(ml, 'model/model.fp32.onnx'));
      },
      close: () => rmSync(folder, { recursive: true, force: true }),
    };
  };

const predict: EvaluateDeps['predict'] = async (model, rows) => {
  // Only this command needs the native library: the others start without it.
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const x = new Tensor('float32', Float32Array.from(rows.flatMap((r) => r.x)), [rows.length, rows[0]?.x.length ?? 0]);
  const { y } = await session.run({ x });
  return Array.from(y?.data as Float32Array);
};

const filesOf = (data: string): readonly string[] => {
  if (!existsSync(data) || !statSync(data).isDirectory())
    throw new CliError(`--data ${data}: there is no such folder`, 'give the folder of the recorded files', EXIT.usage);
  return readdirSync(data);
};

const readFile = (data: string, name: string): Uint8Array => {
  const file = resolve(data, name);
  if (existsSync(file)) return readFileSync(file);
  if (!existsSync(`${file}.gz`))
    throw new CliError(`${data} has neither ${name} nor ${name}.gz`, 'complete the folder', EXIT.usage);
  try {
    return gunzipSync(readFileSync(`${file}.gz`));
  } catch (error) {
    throw new CliError(`${file}.gz cannot be unpacked: ${(error as Error).message}`, 'fetch the file again');
  }
};

/** What `millwright evaluate` needs, on this machine. */
export const evaluateOnThisMachine = async (root: string): Promise<EvaluateDeps> => ({
  definitions: await loadDefinitions(root),
  filesOf,
  readFile,
  openTrainer: openTrainer(root),
  predict,
});
