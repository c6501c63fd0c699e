import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { loadApiModel } from '../shared/api-model.ts';
import { exitWithParent } from '../shared/service.ts';
import { openJobStore } from './job-store.ts';
import { makeRunner } from './runner.ts';
import { makeSageMakerServer } from './server.ts';
import { iamRoleCheck, makeSageMaker } from './service.ts';

/** What `start-sagemaker.ts` passes to this process, as JSON in the environment variable MILLWRIGHT_SAGEMAKER. */
export const SageMakerConfig = z.strictObject({
  stateDir: z.string(),
  port: z.int().min(0).max(65_535),
  awsUrl: z.url(),
  pythonHome: z.string(),
  images: z.record(
    z.string(),
    z.strictObject({
      command: z.array(z.string()).min(1),
      cwd: z.string(),
      env: z.record(z.string(), z.string()).optional(),
    }),
  ),
  region: z.string(),
  account: z.string().regex(/^\d{12}$/),
  graceMs: z.int().positive(),
  parallelJobs: z.int().positive(),
});
export type SageMakerConfig = z.infer<typeof SageMakerConfig>;

const run = (config: SageMakerConfig): void => {
  const log = (line: string): void => void process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  const now = (): Date => new Date();
  const home = join(config.stateDir, 'sagemaker');
  const workDir = join(home, 'work');
  const logDir = join(config.stateDir, 'logs', 'sagemaker');
  // Roots of jobs that a kill -9 left behind.
  rmSync(workDir, { recursive: true, force: true });
  for (const folder of [workDir, logDir]) mkdirSync(folder, { recursive: true });
  const store = openJobStore(join(home, 'jobs'), now);
  const model = loadApiModel(config.pythonHome, 'sagemaker');
  const { awsUrl, region, account, images, graceMs, parallelJobs } = config;
  const runner = makeRunner({ store, images, awsUrl, region, workDir, logDir, graceMs, parallelJobs, now, log });
  const call = makeSageMaker({ model, store, runner, mayAssume: iamRoleCheck(awsUrl, region), region, account, now });
  const server = makeSageMakerServer(model, call, log);
  const end = (): void => {
    runner.shutdown();
    rmSync(workDir, { recursive: true, force: true });
  };
  process.on('SIGTERM', () => {
    end();
    process.exit(0);
  });
  exitWithParent(end);
  server.on('error', (error) => {
    process.stderr.write(`SageMaker cannot listen on port ${config.port} of 127.0.0.1: ${error.message}\n`);
    process.exit(1);
  });
  server.listen(config.port, '127.0.0.1', () => log(`SageMaker listens on 127.0.0.1:${config.port}`));
};

run(SageMakerConfig.parse(JSON.parse(process.env['MILLWRIGHT_SAGEMAKER'] ?? '{}')));
