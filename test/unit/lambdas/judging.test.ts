import { joinOutcome } from '../../../core/outcomes/join.ts';
import { makeHandler as outcomeJoiner } from '../../../lambdas/outcome-joiner/handler.ts';
import { readParquet, writeParquet } from '../../../lambdas/shared/parquet.ts';
import { makeHandler as telemetryWriter } from '../../../lambdas/telemetry-writer/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { memoryLedger, memoryLog, memoryStore, registryOf, sqsEvent } from '../../support/fakes.ts';

const LINE = 'predictive-maintenance/plant-a';
const PACKAGE = `sha256:${'1'.repeat(64)}`;
const digest = (windowStart: number, windowEnd: number, counts: [number, number], more = {}) => ({
  cameOn: 'millwright/local/plant-a/edge-1/digest',
  schema: 'feature-digest/1',
  site: 'plant-a',
  device: 'edge-1',
  boot: 'boot-1',
  windowStart,
  windowEnd,
  modelLine: LINE,
  packageDigest: PACKAGE,
  part: 0,
  parts: 1,
  features: [{ name: 'speed', counts }],
  ...more,
});

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

describe('joining decisions to an outcome', () => {
  const decided = (index: number, value: number | null) => ({ index, value, verdict: 'pass' });
  it('measures how far off each was from the truth that became known', () => {
    expect(joinOutcome([decided(8, 5), decided(10, 0)], 10, 100)).toEqual({
      decisions: 2,
      withValue: 2,
      rmse: Math.sqrt((3 * 3 + 0) / 2),
      lastError: 0,
    });
  });
  it('holds the truth to the cap of the label', () => {
    expect(joinOutcome([decided(1, 50)], 200, 50).rmse).toBe(0);
  });
  it('leaves out decisions after the end and those without a value', () => {
    expect(joinOutcome([decided(5, null), decided(20, 3)], 10, 100)).toEqual({
      decisions: 1,
      withValue: 0,
      rmse: null,
      lastError: null,
    });
  });
});

describe('outcome-joiner', () => {
  const useCase = (definitions[0] as (typeof definitions)[number]).useCase;
  const command = (recordClass: string, id: string, body: Record<string, unknown>, edges: unknown[] = []) =>
    ({
      commandId: id,
      site: 'plant-a',
      actor: 'a',
      reason: 'r',
      record: { class: recordClass, id, body },
      edges,
    }) as never;
  const event = {
    detail: { site: 'plant-a', eventId: 'e1', asset: 'press-1', run: 'life-1', index: 10 },
  };
  const setUp = async (records: never[]) => {
    const lake = memoryStore();
    await lake.put(
      'decisions/t.parquet',
      writeParquet([
        { name: 'asset', type: 'string', data: ['press-1', 'press-2'] },
        { name: 'run', type: 'string', data: ['life-1', 'life-1'] },
        { name: 'index', type: 'integer', data: [8, 8] },
        { name: 'value', type: 'double', data: [5, 50] },
        { name: 'verdict', type: 'string', data: ['pass', 'pass'] },
        { name: 'model_line', type: 'string', data: [LINE, LINE] },
        { name: 'package_digest', type: 'string', data: [PACKAGE, PACKAGE] },
      ]),
    );
    const ledger = memoryLedger();
    const log = memoryLog();
    const handler = outcomeJoiner({ lake, ledger, log, registry: registryOf(records) });
    return { handler, ledger, log };
  };
  const object = command('decision-object', 'o1', { tableKey: 'decisions/t.parquet', modelLines: [LINE] }, [
    { from: 'decision-object:o1', rel: 'about', to: 'run:plant-a/press-1/life-1' },
  ]);

  it('records how far off the package was on that run', async () => {
    const { handler, ledger } = await setUp([
      object,
      command('model-line', LINE, { useCaseDigest: 'u' }),
      command('use-case', 'u', { ...useCase }),
    ]);
    expect(await handler(sqsEvent(event))).toEqual({ batchItemFailures: [] });
    expect(ledger.commands[0]).toMatchObject({
      record: { class: 'judgement', body: { decisions: 1, rmse: 3, packageDigest: PACKAGE } },
      edges: [{ to: `package:${PACKAGE}` }, { to: 'plant-event:plant-a/e1' }, { to: 'run:plant-a/press-1/life-1' }],
    });
  });
  it('records a correction of the same report anew', async () => {
    const { handler, ledger } = await setUp([
      object,
      command('model-line', LINE, { useCaseDigest: 'u' }),
      command('use-case', 'u', { ...useCase }),
    ]);
    await handler(sqsEvent(event));
    await handler(sqsEvent({ detail: { ...event.detail, index: 12 } }));
    expect(new Set(ledger.commands.map((c) => c.commandId)).size).toBe(2);
  });
  it('records nothing where nothing was decided', async () => {
    const { handler, ledger } = await setUp([]);
    await handler(sqsEvent(event));
    expect(ledger.commands).toEqual([]);
  });
  it('fails where the model line is not in the registry, so that someone looks', async () => {
    const { handler, log } = await setUp([object]);
    expect(await handler(sqsEvent(event))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toMatch(/is not in the registry: publish it/);
  });
});
