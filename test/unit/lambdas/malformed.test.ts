import { type QuarantinedMessage, ReplayAnswer } from '../../../core/contracts/quarantine.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { makeHandler as batchWriter } from '../../../lambdas/batch-writer/handler.ts';
import { makeHandler as quarantine } from '../../../lambdas/quarantine/handler.ts';
import { rowsFromParquet } from '../../../lambdas/shared/table-file.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { memoryLedger, memoryLog, memoryStore, recordCommand, registryOf, sqsEvent } from '../../support/fakes.ts';
import { jsonLines } from '../../support/json-lines.ts';
import { malformedMessages } from '../../support/malformed-messages.ts';
import { memoryFiles } from '../../support/memory-files.ts';
import { memoryLanding } from '../../support/memory-landing.ts';

jest.setTimeout(300_000);

const COUNT = 100_000;
const AT_ONCE = 2000;

describe('a hundred thousand malformed messages', () => {
  // Every message is refused by an error, whose stack is not looked at and costs more than the rest of the check.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  const lake = memoryStore();
  const log = memoryLog();
  const useCase = structuredClone(definitions[0]?.useCase) as UseCase;
  const signal = Object.assign(useCase.signals[0] as { name: string; unit: string }, { name: 'pressure', unit: 'Cel' });
  const ledger = memoryLedger();
  let batches = 0;
  const deps = {
    lake,
    landing: memoryLanding(),
    ledger,
    log,
    registry: {
      list: registryOf([recordCommand('use-case', 'u', useCase)]).list,
      latest: registryOf(ledger.commands).latest,
    },
    stage: 'local',
    now: () => '2026-01-02T03:04:05.000Z',
    newBatch: () => `batch-${++batches}`,
    leaseMs: 75_000,
  };
  const take = batchWriter(deps);
  const ask = quarantine({
    ...deps,
    files: memoryFiles(lake.objects),
    queues: { send: () => Promise.reject(new Error('nothing is handed on')) },
    queueUrls: { frames: '', events: '', decisions: '' },
    lakeBucket: 'lake',
    workMs: 1e9,
  });
  const messages = malformedMessages(COUNT, 7);
  const stored = async () =>
    (
      await Promise.all(
        [...lake.objects]
          .filter(([k]) => !k.startsWith('quarantine/'))
          .map(([, bytes]) => rowsFromParquet('observations', bytes)),
      )
    ).flat();

  it('crash nothing, are not stored, and are put aside each with its bytes and a reason', async () => {
    for (let i = 0; i < COUNT; i += AT_ONCE) {
      const bodies = messages
        .slice(i, i + AT_ONCE)
        .map(({ bytes, topic }) => ({ bytes: bytes.toString('base64'), cameOn: topic }));
      expect(await take(sqsEvent(...bodies))).toEqual({ batchItemFailures: [] });
    }
    expect(log.errors).toEqual([]);
    expect(await stored()).toEqual([]);
    // The replay below reads each by its contract.
    const aside = [...lake.objects].flatMap(([, bytes]) => jsonLines<QuarantinedMessage>(bytes));
    expect(aside.filter((m) => !(m.reason.length > 0))).toEqual([]);
    const names = (of: readonly { topic: string | null; bytes: string }[]) =>
      of.map((m) => `${m.topic} ${m.bytes}`).sort();
    const sent = messages.map(({ bytes, topic }) => ({ topic, bytes: bytes.toString('base64') }));
    expect(names(aside)).toEqual([...new Set(names(sent))]);
    // Hardly any two are the same.
    expect(aside.length).toBeGreaterThan(COUNT * 0.95);
  });

  it('are stored once each after a fix, those that it mends, however often they are replayed', async () => {
    signal.unit = 'bar';
    const replay = async (what: object) =>
      ReplayAnswer.parse(await ask({ do: 'replay', what, dryRun: false, by: 'person:a', reason: 'unit mended' }))
        .replays;
    const mendable = messages.filter((m) => m.isMendable).length;
    const landed = (replays: Awaited<ReturnType<typeof replay>>) =>
      replays.reduce((sum, r) => sum + r.result.landed, 0);
    expect(landed(await replay({ all: true }))).toBe(mendable);
    const again = await replay({
      keys: [...lake.objects.keys()].filter((k) => k.startsWith('quarantine/messages/site=plant-a/')).slice(0, 5),
    });
    expect(landed(again)).toBe(0);
    expect(again.every((r) => r.result.known > 0)).toBe(true);
    const rows = await stored();
    expect(rows).toHaveLength(mendable);
    expect(new Set(rows.map((r) => r.sequence)).size).toBe(mendable);
  });
});
