import { gzipSync } from 'node:zlib';
import type { Frame } from '#core/contracts/frame.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { checkFrames, signalsToCheck } from '#core/quality/check-frames.ts';
import { makeHandler } from '../../../lambdas/register-upload/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import {
  memoryLedger,
  memoryLog,
  memoryStore,
  objectCreated,
  recordCommand,
  registryOf,
  sqsEvent,
} from '../../support/fakes.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import { memoryLanding } from '../../support/memory-landing.ts';
import { aFrameAt } from '../../support/observations.ts';
import { good } from '../features/a-frame.ts';

const template = definitions[0]?.useCase as UseCase;
const useCase = (more: Partial<UseCase> = {}): UseCase => ({
  ...template,
  signals: [
    { name: 'speed', unit: '1/min', kind: 'scalar', range: [0, 6000], quality: { intervalSeconds: 60 } },
    { name: 'load', unit: '1', kind: 'scalar', range: [0, 2] },
  ],
  ...more,
});
const frame = (index: number, minute: number, speed: number): Frame =>
  aFrameAt(60 * minute, index, { speed: good(speed), load: good(1) }, { asset: 'press-1', run: 'life-1' });
const FRAMES = [frame(1, 0, 1000), frame(2, 1, 7000), frame(3, 2, 9000), frame(4, 30, 1000)];

describe('the signals that frames are checked by', () => {
  const names = (useCases: readonly UseCase[], occurring: readonly string[]) =>
    signalsToCheck(useCases, occurring).map((s) => `${s.name} ${s.range[1]}`);

  it('are those of use cases all of whose signals occur', () => {
    expect(names([useCase()], ['speed', 'load', 'more'])).toEqual(['speed 6000', 'load 2']);
    expect(names([useCase()], ['speed'])).toEqual([]);
  });

  it('are of the newest version, and of the first use case by id where two define one', () => {
    const load = (max: number) => [
      { name: 'load', unit: '1', kind: 'scalar' as const, range: [0, max] as [number, number] },
    ];
    const list = [
      useCase({ id: 'b', signals: load(5) }),
      useCase({ id: 'a', version: 2, signals: load(3) }),
      useCase({ id: 'a', version: 1, signals: load(4) }),
    ];
    expect(names(list, ['load'])).toEqual(['load 3']);
  });
});

describe('the checks of frames of an upload', () => {
  it('say each stretch once, closed, in the order of the index whatever the order of the lines', () => {
    const findings = checkFrames([...FRAMES].reverse(), useCase().signals);
    expect(findings.map((f) => [f.check, f.count, f.worst, f.open])).toEqual([
      ['range', 2, 3000, false],
      ['gap', 27, 1680, false],
    ]);
  });

  it('count a frame that is there twice once', () => {
    const findings = checkFrames([...FRAMES, frame(2, 1, 7000)], useCase().signals);
    expect(findings.map((f) => f.check)).toEqual(['range', 'gap']);
  });

  it('find nothing without frames, or without signals', () => {
    expect([checkFrames([], useCase().signals), checkFrames(FRAMES, [])]).toEqual([[], []]);
  });
});

describe('register-upload', () => {
  const key = lakeKeys.frames({ site: 'plant-a', asset: 'press-1', run: 'life-1', first: 1, last: 4 });
  const setUp = async (body: object = useCase()) => {
    const lake = memoryStore();
    let batches = 0;
    const deps = {
      lake,
      ledger: memoryLedger(),
      log: memoryLog(),
      registry: registryOf([recordCommand('use-case', 'x', body)]),
      landing: memoryLanding(),
      now: () => '2026-03-03T00:00:00.000Z',
      newBatch: () => `batch-${++batches}`,
      leaseMs: 1000,
    };
    await lake.put(key, gzipSync(FRAMES.map((f) => JSON.stringify(f)).join('\n')));
    const found = async () => ({
      keys: await lake.list('curated/quality/'),
      rows: await rowsUnder(lake, 'quality', 'curated/quality/'),
    });
    return { deps, found, send: () => makeHandler(deps)(sqsEvent(objectCreated(key))) };
  };

  it('lands what the checks find in the table quality, once however often the upload is sent', async () => {
    const { found, send } = await setUp();
    await send();
    await send();
    const { keys, rows } = await found();
    expect(keys).toEqual([lakeKeys.hot({ table: 'quality', site: 'plant-a', date: '2026-03-03', batch: 'batch-1' })]);
    expect(rows.map((r) => [r.asset, r.signal, r.check, r.found_by, r.found_at])).toEqual([
      ['press-1', 'speed', 'range', 'register-upload', '2026-03-03T00:00:00.000Z'],
      ['press-1', 'speed', 'gap', 'register-upload', '2026-03-03T00:00:00.000Z'],
    ]);
  });

  it('checks by no use case that it cannot read, and registers all the same', async () => {
    const { deps, found, send } = await setUp({ schema: 'use-case/9' });
    expect(await send()).toEqual({ batchItemFailures: [] });
    expect((await found()).rows).toEqual([]);
    expect(deps.ledger.commands).toHaveLength(1);
  });

  it('returns the upload when another call may be writing its findings, and registers nothing yet', async () => {
    const { deps, send } = await setUp();
    const claim = deps.landing.claim;
    deps.landing.claim = async (id, c) => {
      deps.landing.claim = claim;
      await claim(id, { ...c, key: 'curated/quality/other' });
      return { ...c, key: 'curated/quality/other' };
    };
    expect(await send()).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(deps.log.errors[0]?.error.message).toMatch(/claimed by a call that may still be writing/);
    expect(deps.ledger.commands).toEqual([]);
  });
});
