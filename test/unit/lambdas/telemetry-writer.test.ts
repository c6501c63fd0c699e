import { readParquet } from '../../../lambdas/shared/parquet.ts';
import { makeHandler as telemetryWriter } from '../../../lambdas/telemetry-writer/handler.ts';
import { memoryLog, memoryStore, sqsEvent } from '../../support/fakes.ts';
import { digest } from '../../support/feature-digest.ts';

describe('telemetry-writer', () => {
  it('writes the digests of a batch into one file a site', async () => {
    const lake = memoryStore();
    const handler = telemetryWriter({ lake, stage: 'local', log: memoryLog(), now: () => '2026-01-02T03:04:05.000Z' });
    await handler(sqsEvent(digest(1, 2, [1, 1]), digest(3, 4, [2, 0])));
    const [key] = [...lake.objects.keys()];
    expect(key).toBe('telemetry/site=plant-a/date=2026-01-02/m0.parquet');
    expect(await readParquet(lake.objects.get(key as string) as Uint8Array)).toMatchObject([
      { feature: 'speed', counts: [1, 1], window_start: 1 },
      { feature: 'speed', counts: [2, 0], window_start: 3 },
    ]);
  });
  it('returns what is no digest and writes the rest', async () => {
    const lake = memoryStore();
    const log = memoryLog();
    const handler = telemetryWriter({ lake, stage: 'local', log, now: () => '2026-01-02T03:04:05.000Z' });
    expect(await handler(sqsEvent('oops', digest(1, 2, [1, 1])))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
    expect(lake.objects.size).toBe(1);
  });
  it('writes nothing that a device says of another one', async () => {
    const lake = memoryStore();
    const handler = telemetryWriter({ lake, stage: 'local', log: memoryLog(), now: () => '2026-01-02T03:04:05.000Z' });
    expect(await handler(sqsEvent(digest(1, 2, [1, 1], { site: 'plant-b' })))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
    expect(lake.objects.size).toBe(0);
  });
  it('returns all messages of a site that cannot be written', async () => {
    const lake = { ...memoryStore(), put: async () => Promise.reject(new Error('full')) };
    const handler = telemetryWriter({ lake, stage: 'local', log: memoryLog(), now: () => '2026-01-02T03:04:05.000Z' });
    expect(await handler(sqsEvent(digest(1, 2, [1, 1])))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
  });
});
