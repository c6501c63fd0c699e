import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { assertPortFree, freePort, type Service, ServiceError, spawnService } from '../shared/service.ts';
import type { SageMakerConfig } from './main.ts';
import type { LocalImages } from './runner.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export type { LocalImage, LocalImages } from './runner.ts';

/** What the SageMaker stand-in needs to start. */
export interface StartSageMakerOptions {
  /** Job records in `<stateDir>/sagemaker`, logs in `<stateDir>/logs/sagemaker.log` and `<stateDir>/logs/sagemaker/`. */
  readonly stateDir: string;
  readonly port: number;
  /** The local AWS: S3, STS and IAM. It need not run yet. */
  readonly awsUrl: string;
  /** Image URI prefix → the program that stands for the image. */
  readonly images: LocalImages;
  /** Python environment with botocore, whose API model is the truth; default: the repository's `.venv`. */
  readonly pythonHome?: string;
  readonly region?: string;
  readonly account?: string;
  /** Time between SIGTERM and SIGKILL of a stopped job; default as in AWS, 120 s. */
  readonly graceMs?: number;
  /** Jobs that run at the same time; others wait as Starting. Default 2. */
  readonly parallelJobs?: number;
  readonly log?: (line: string) => void;
}

/** The image of the project's own trainer: `python -m millwright_training train`. */
export const trainingImage = (pythonHome: string, root = ROOT): LocalImages => ({
  'local/millwright-training': {
    command: [join(pythonHome, 'bin/python'), '-m', 'millwright_training', 'train'],
    cwd: join(root, 'training'),
  },
});

/**
 * Starts the SageMaker stand-in as a process of its own, on 127.0.0.1 only.
 * @throws ServiceError when the port is taken, or the process does not answer; the message has its last words.
 */
export async function startSageMaker(options: StartSageMakerOptions): Promise<Service> {
  await assertPortFree('SageMaker', options.port);
  const url = `http://127.0.0.1:${options.port}`;
  const stateDir = resolve(options.stateDir);
  const config: SageMakerConfig = {
    stateDir,
    port: options.port,
    awsUrl: options.awsUrl,
    pythonHome: options.pythonHome ?? join(ROOT, '.venv'),
    images: Object.fromEntries(
      Object.entries(options.images).map(([prefix, { command, cwd, env }]) => [
        prefix,
        { command: [...command], cwd, ...(env === undefined ? {} : { env: { ...env } }) },
      ]),
    ),
    region: options.region ?? 'us-east-1',
    account: options.account ?? '000000000000',
    graceMs: options.graceMs ?? 120_000,
    parallelJobs: options.parallelJobs ?? 2,
  };
  const service = await spawnService({
    name: 'sagemaker',
    command: process.execPath,
    args: [join(import.meta.dirname, 'main.ts')],
    url,
    stateDir,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      LANG: process.env['LANG'],
      MILLWRIGHT_SAGEMAKER: JSON.stringify(config),
    },
    startMs: 30_000,
    healthy: async (signal) => (await fetch(`${url}/_health`, { signal })).ok,
  });
  options.log?.(`SageMaker at ${url}, state in ${join(stateDir, 'sagemaker')}`);
  return service;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, state: { type: 'string' }, aws: { type: 'string' }, venv: { type: 'string' } },
  });
  if (values.state === undefined || values.aws === undefined)
    throw new ServiceError('Name the state folder and the local AWS: --state DIR --aws URL [--port N] [--venv DIR].');
  const pythonHome = resolve(values.venv ?? join(ROOT, '.venv'));
  const service = await startSageMaker({
    stateDir: values.state,
    port: Number(values.port ?? (await freePort())),
    awsUrl: values.aws,
    images: trainingImage(pythonHome),
    pythonHome,
    log: (line) => process.stdout.write(`${line}\n`),
  });
  const stop = async (): Promise<void> => {
    await service.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  // The child is unreferenced, so something has to keep this program waiting for a signal.
  setInterval(() => {}, 60_000);
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
