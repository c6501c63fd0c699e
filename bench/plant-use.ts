import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { decisionsPrefix } from '#core/contracts/decision.ts';
import { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { LOCAL_COUNTERS_FILE, LOCAL_PLANT_FILE, LocalCounters, LocalPlant } from '#core/contracts/local-plant.ts';
import { platformNames } from '#core/contracts/names.ts';
import { type Standing, useBetween, type Window } from './cost.ts';
import { queueNamesOf, standingOf } from './templates.ts';

const WINDOW_S = 60;
/** Spools empty, batches of queues end: what was decided before the silence is through. */
const SETTLE_S = 30;
const START_S = 1800;

interface Sample {
  readonly counters: LocalCounters;
  readonly decisions: number;
  readonly objects: number;
}

/** Decisions in all objects that devices uploaded, by the sequences in their keys. */
const uploaded = async (s3: S3Client, bucket: string, prefix: string): Promise<Omit<Sample, 'counters'>> => {
  let decisions = 0;
  let objects = 0;
  for (let token: string | undefined; ; ) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token ? { ContinuationToken: token } : {}) }),
    );
    for (const { Key = '' } of page.Contents ?? []) {
      const [, first, last] = /-(\d+)-(\d+)\.ndjson$/.exec(Key) ?? [];
      if (first === undefined || last === undefined)
        throw new Error(`${Key}: expected an object of decisions, named <boot>-<first>-<last>.ndjson`);
      objects++;
      decisions += Number(last) - Number(first) + 1;
    }
    token = page.NextContinuationToken;
    if (token === undefined) return { decisions, objects };
  }
};

const plantIn = (stateDir: string): LocalPlant =>
  LocalPlant.parse(JSON.parse(readFileSync(join(stateDir, LOCAL_PLANT_FILE), 'utf8')));

const isUp = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    const lines: string[] = [];
    const late = setTimeout(() => reject(new Error(`the plant was not up after ${START_S} s`)), START_S * 1000);
    child.stdout?.on('data', (chunk: Buffer) => {
      lines.push(chunk.toString());
      if (/The plant is up/.test(lines.slice(-20).join(''))) {
        clearTimeout(late);
        resolve();
      }
    });
    child.on('close', (code) => {
      clearTimeout(late);
      reject(new Error(`npm start ended with ${code} before the plant was up:\n${lines.slice(-30).join('')}`));
    });
  });

/**
 * Starts the plant, waits until it is up, and looks at a window in which its machines work and one in which they are
 * silent. Silence: the process that drives the machines is stopped, and goes on afterwards; devices and services run.
 */
export const windowsOfPlant = async (
  root: string,
  stateDir: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[] = [],
): Promise<{ readonly deciding: Window; readonly silent: Window; readonly standing: Standing }> => {
  const child = spawn('npm', ['start', '--', '--state-dir', stateDir, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  try {
    await isUp(child);
    const plant = plantIn(stateDir);
    const config = DeploymentConfig.parse(JSON.parse(readFileSync(join(root, 'config/local.json'), 'utf8')));
    const s3 = new S3Client({
      endpoint: plant.endpoints.aws,
      region: plant.region,
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const cdkOut = join(stateDir, 'cdk.out');
    const queues = queueNamesOf(cdkOut);
    const bucket = platformNames(config).lakeBucket;
    const sample = async (): Promise<Sample> => ({
      ...(await uploaded(s3, bucket, decisionsPrefix(plant.stage, plant.site))),
      counters: LocalCounters.parse(JSON.parse(readFileSync(join(stateDir, LOCAL_COUNTERS_FILE), 'utf8'))),
    });
    const window = async (): Promise<Window> => {
      const before = await sample();
      await sleep(WINDOW_S * 1000);
      const after = await sample();
      return {
        use: useBetween(before.counters, after.counters, queues),
        seconds: (Date.parse(after.counters.at) - Date.parse(before.counters.at)) / 1000,
        decisions: after.decisions - before.decisions,
        objects: after.objects - before.objects,
        devices: plant.devices.length,
      };
    };
    await sleep(SETTLE_S * 1000);
    const deciding = await window();
    process.kill(plant.pid, 'SIGSTOP');
    try {
      await sleep(SETTLE_S * 1000);
      return { deciding, silent: await window(), standing: standingOf(cdkOut) };
    } finally {
      process.kill(plant.pid, 'SIGCONT');
    }
  } finally {
    // A signal to npm alone stays with its shell: the plant itself is told, as Ctrl-C tells all of them.
    if (existsSync(join(stateDir, LOCAL_PLANT_FILE))) process.kill(plantIn(stateDir).pid, 'SIGINT');
    else child.kill('SIGINT');
    await ended;
  }
};
