import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { UplinkConfig } from '#core/contracts/device.ts';
import { deviceOf, fail, log, onStop, stateDirOf } from '../shared/component.ts';
import { connectNucleus } from '../shared/ipc.ts';
import { openSpool } from '../shared/open-spool.ts';
import {
  backoffMs,
  type DrainDeps,
  drainDecisions,
  drainFrames,
  drainMessages,
  drainObservations,
  enforceLimits,
} from './drain.ts';

const IDLE_MS = 500;
const LIMITS_EVERY_MS = 10_000;

const main = async (): Promise<void> => {
  const stateDir = stateDirOf(process.argv.slice(2));
  const nucleus = await connectNucleus(() => fail('the nucleus ended the connection'));
  const config = await nucleus.configuration(UplinkConfig);
  const spool = await openSpool(stateDir);
  const s3 = new S3Client({ forcePathStyle: process.env['AWS_ENDPOINT_URL'] !== undefined, maxAttempts: 2 });
  const stop = new AbortController();
  const deps: DrainDeps = {
    spool,
    config,
    device: deviceOf(process.env['AWS_IOT_THING_NAME'], config.stage, config.site),
    clock: () => Date.now(),
    publish: (topic, payload) => nucleus.publish(topic, payload),
    put: async (key, body, contentType) => {
      await s3.send(
        new PutObjectCommand({ Bucket: config.lakeBucket, Key: key, Body: body, ContentType: contentType }),
        { abortSignal: AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)]) },
      );
    },
  };

  /** Each kind has its own pace: a lake that is away does not hold up reports. */
  const loop = async (what: string, drain: (deps: DrainDeps) => Promise<boolean>): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        const did = await drain(deps);
        if (failures > 0 && did) log('info', `${what}: handed on again`, { after: failures });
        if (did) failures = 0;
        else await sleep(IDLE_MS, undefined, { signal: stop.signal });
      } catch (error) {
        if (stop.signal.aborted) return;
        failures += 1;
        // Days without a network must not fill the log.
        if (Number.isInteger(Math.log2(failures)))
          log('warn', `${what}: not handed on, kept`, { failures, error: (error as Error).message });
        await sleep(backoffMs(failures), undefined, { signal: stop.signal }).catch(() => {});
      }
    }
  };

  const limits = setInterval(() => {
    try {
      const dropped = enforceLimits(deps);
      if (dropped.frames + dropped.messages + dropped.decisions > 0)
        log('warn', 'the spool was full or too old: dropped', { ...dropped });
    } catch (error) {
      log('error', 'the limits of the spool could not be kept', { error: (error as Error).message });
    }
  }, LIMITS_EVERY_MS);
  const loops = Promise.all([
    loop('decisions', drainDecisions),
    loop('frames', drainFrames),
    loop('messages', drainMessages),
    loop('observations', drainObservations),
  ]);
  onStop(async () => {
    clearInterval(limits);
    stop.abort();
    await loops;
    spool.close();
  });
  log('info', 'started', { ...spool.pending() });
  await nucleus.running();
  await loops;
};

await main().catch((error) => fail('the uplink could not go on', error));
