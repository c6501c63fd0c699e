import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { RuntimeConfig } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { Digest } from '#core/contracts/primitives.ts';
import { deviceOf, fail, log, onStop, stateDirOf } from '../shared/component.ts';
import { connectNucleus } from '../shared/ipc.ts';
import { runtimeSocketPath, serveLines } from '../shared/line-socket.ts';
import { Spool } from '../shared/spool.ts';
import { EdgeRuntime } from './edge-runtime.ts';
import { ModelRunner } from './model-runner.ts';
import { PackageStore } from './package-store.ts';

const AdoptRequest = z.object({ package: z.string().min(1), digest: Digest });
const CHILD = fileURLToPath(new URL('inference-child.mjs', import.meta.url));

const main = async (): Promise<void> => {
  const stateDir = stateDirOf(process.argv.slice(2));
  mkdirSync(stateDir, { recursive: true });
  const nucleus = await connectNucleus(() => fail('the nucleus ended the connection'));
  const readConfig = () => nucleus.configuration(RuntimeConfig);
  const config = await readConfig();
  const spool = new Spool(join(stateDir, 'spool.db'));
  const runtime = new EdgeRuntime({
    spool,
    store: new PackageStore(join(stateDir, 'store')),
    device: deviceOf(process.env['AWS_IOT_THING_NAME'], config.stage, config.site),
    config,
    readConfig,
    loadModel: (variant, path) => ModelRunner.load(CHILD, variant, path),
    clock: () => Date.now(),
    monotonic: () => performance.now(),
    chance: () => randomBytes(4).toString('hex'),
    log,
  });
  await runtime.start();
  const server = await serveLines(runtimeSocketPath(stateDir), async (request) => {
    switch (request['op']) {
      case 'decide':
        return runtime.decide(request['frame']);
      case 'adopt': {
        const { package: dir, digest } = parseAs(AdoptRequest, request, 'adopt request');
        return runtime.adopt(dir, digest);
      }
      case 'status':
        return runtime.status();
      default:
        throw new Error(`expected op decide, adopt or status; got ${JSON.stringify(request['op'])}`);
    }
  });
  // One after the other: updates come in bursts.
  let last = Promise.resolve();
  const follow = () => {
    last = last
      .then(async () => runtime.configure(await readConfig()))
      .catch((error) => log('error', 'the new configuration is left aside', { error: error.message }));
  };
  await nucleus.onConfiguration(follow);
  // It may have changed between the first look and now.
  follow();
  onStop(() => {
    server.close();
    runtime.close();
    spool.close();
  });
  await nucleus.running();
};

await main().catch((error) => fail('the runtime could not start', error));
