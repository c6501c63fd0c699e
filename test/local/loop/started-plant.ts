import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { LocalPlant } from '#core/contracts/local-plant.ts';
import { platformNames } from '#core/contracts/names.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import { dynamoRegistry } from '../../../lambdas/shared/registry-reader.ts';
import { client, NODE, REPOSITORY, stateFolder, until } from '../aws/local-aws.ts';

export const QUIET = '--disable-warning=ExperimentalWarning';

/** `npm start` in a folder of its own, as a user has it in a terminal. */
export class StartedPlant {
  readonly folder = stateFolder();
  readonly start: ChildProcess;
  #told = '';

  constructor(...args: readonly string[]) {
    this.start = spawn(NODE, [QUIET, 'local/start/main.ts', '--state-dir', this.folder.dir, ...args], {
      cwd: REPOSITORY,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.start.stdout, this.start.stderr]) stream?.on('data', (d) => (this.#told += d));
  }

  /** What it printed so far. */
  told(): string {
    return this.#told;
  }

  /** What it says of itself at present. */
  plant(): LocalPlant {
    return LocalPlant.parse(JSON.parse(readFileSync(join(this.folder.dir, 'plant.json'), 'utf8')));
  }

  /** Waits until it is up, with clients to look into it. @throws {Error} with what it told, when it ends before. */
  async up(ms: number) {
    await until(
      () => this.#told.includes('The plant is up.') || this.start.exitCode !== null,
      (over) => over,
      ms,
    );
    if (this.start.exitCode !== null)
      throw new Error(`npm start ended with exit code ${this.start.exitCode}:\n${this.#told}`);
    const plant = this.plant();
    const names = platformNames(JSON.parse(readFileSync(join(REPOSITORY, 'config/local.json'), 'utf8')));
    const options = client(plant.endpoints.aws);
    const db = DynamoDBDocumentClient.from(new DynamoDBClient(options));
    const registry = dynamoRegistry(db, names.registry.name);
    const greengrass = new GreengrassV2Client({ ...options, endpoint: plant.endpoints.greengrass });
    const { champion } = ModelLineRecord.parse((await registry.latest('model-line', plant.modelLine))?.body);
    if (champion === null) throw new Error(`the line has no champion:\n${this.#told}`);
    return { plant, names, options, db, registry, greengrass, champion };
  }

  /** A command of the CLI against it. @returns its JSON answer. */
  async cli<T>(...args: readonly string[]): Promise<T> {
    const { stdout } = await promisify(execFile)(
      NODE,
      [QUIET, 'cli/millwright.ts', ...args, '--json', '--plant-dir', this.folder.dir],
      { cwd: REPOSITORY, maxBuffer: 2 ** 26, timeout: 60_000 },
    );
    return JSON.parse(stdout);
  }

  /** Ends it as Ctrl-C does, or at once when that takes too long. */
  async end(): Promise<void> {
    if (this.start.exitCode !== null || this.start.signalCode !== null) return;
    const gone = once(this.start, 'exit');
    this.start.kill('SIGTERM');
    const kill = setTimeout(() => this.start.kill('SIGKILL'), 40_000);
    await gone;
    clearTimeout(kill);
  }
}
