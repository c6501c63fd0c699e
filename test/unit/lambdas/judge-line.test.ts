import { judgementKeys } from '../../../core/contracts/judgement.ts';
import { workKeys } from '../../../core/contracts/lake.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { makeHandler } from '../../../lambdas/judge-line/handler.ts';
import { makeHandler as makeList } from '../../../lambdas/list-lines/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { memoryStore, recordCommand, registryOf } from '../../support/fakes.ts';
import { memoryJudgement, memoryRegistryWithLedger } from '../../support/memory-judging.ts';

const LINE = 'predictive-maintenance/plant-a';
const PACKAGE = `sha256:${'1'.repeat(64)}`;
const useCase = (definitions[0] as (typeof definitions)[number]).useCase;

const setUp = (champion = true) => {
  const { judgement } = memoryJudgement();
  const registry = memoryRegistryWithLedger();
  const metrics: unknown[] = [];
  const useCaseDigest = digestOf(useCase);
  registry.put('use-case', useCaseDigest, { ...useCase });
  registry.put('package', PACKAGE, { validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } });
  registry.put('model-line', LINE, aModelLine(LINE, useCaseDigest, champion ? PACKAGE : null));
  const handler = makeHandler({
    judgement,
    registry: registry.registry,
    ledger: registry.ledger,
    lake: memoryStore(),
    putMetric: async (...metric) => {
      metrics.push(metric);
    },
  });
  const decides = (last: number) =>
    judgement.put({
      ...judgementKeys.deciding(LINE, PACKAGE, 'plant-a', 'edge-1'),
      ...{ site: 'plant-a', device: 'edge-1', boot: 'b1', first: 1, last },
    });
  const seen = (windowEnd: number) =>
    judgement.put({
      ...judgementKeys.device(LINE, PACKAGE, 'plant-a', 'edge-1'),
      newest: {
        ...{ site: 'plant-a', device: 'edge-1', boot: 'b1', windowEnd, rows: 100 },
        to: '2026-01-01T00:00:00.000Z',
      },
    });
  const judge = () => handler({ modelLine: LINE, part: 3 });
  const messages = () => registry.announced.filter((a) => a.type === 'OwnerMessage').map((a) => a.detail['text']);
  const states = () =>
    registry.versions('judgement', `watch/${LINE}/plant-a/edge-1`).map((version) => version.body['state']);
  return { judge, decides, seen, messages, states, metrics, registry, judgement };
};

describe('judge-line', () => {
  it('judges the line, and says which part of the run it was', async () => {
    const { judge, judgement } = setUp();
    expect(await judge()).toEqual({ part: 3, rows: 0 });
    expect(await judgement.get(judgementKeys.state(LINE))).toMatchObject({ judgement: { modelLine: LINE } });
  });
  it('has nothing to do for a line without a champion', async () => {
    const { judge, metrics } = setUp(false);
    expect(await judge()).toEqual({ part: 3, rows: 0 });
    expect(metrics).toEqual([]);
  });
  it('says nothing of a device whose windows come', async () => {
    const { judge, decides, seen, messages, states, metrics } = setUp();
    await decides(1000);
    await seen(900);
    await judge();
    expect([messages(), states(), metrics]).toEqual([[], [], [['UnwatchedDevices', 0]]]);
  });
  it('tells the owners once of a device that decides while nothing is heard of its inputs', async () => {
    const { judge, decides, seen, messages, states, metrics } = setUp();
    await seen(900);
    await decides(2000);
    await judge();
    await decides(2100);
    expect(await judge()).toEqual({ part: 3, rows: 1 });
    expect(messages()).toEqual([
      'nobody watches the inputs of plant-a/edge-1: it decided 1100 times since 2026-01-01T00:00:00.000Z, and no window of its inputs came',
    ]);
    expect(states()).toEqual(['unwatched']);
    expect(metrics).toEqual([
      ['UnwatchedDevices', 1],
      ['UnwatchedDevices', 1],
    ]);
  });
  it('tells that no window ever came', async () => {
    const { judge, decides, messages } = setUp();
    await decides(3000);
    await judge();
    expect(messages()).toEqual([
      'nobody watches the inputs of plant-a/edge-1: it decided 3000 times and no window of its inputs ever came',
    ]);
  });
  it('records that a device is heard of again, and tells of the next silence', async () => {
    const { judge, decides, seen, messages, states } = setUp();
    await decides(3000);
    await judge();
    await seen(2900);
    await judge();
    await decides(4000);
    await judge();
    expect(states()).toEqual(['unwatched', 'watched', 'unwatched']);
    expect(messages()).toHaveLength(2);
  });
});

describe('list-lines', () => {
  it('writes one line for each model line, in order, under the name of the execution', async () => {
    const work = memoryStore();
    const registry = registryOf(['b/plant-a', 'a/plant-a'].map((id) => recordCommand('model-line', id, {})));
    const answer = await makeList({ registry, work })({ execution: { name: 'run-1' } });
    expect(answer).toEqual({ lines: 2, itemsKey: workKeys.lines('run-1') });
    expect(Buffer.from(await work.get(answer.itemsKey)).toString()).toBe(
      '{"modelLine":"a/plant-a","part":0}\n{"modelLine":"b/plant-a","part":1}\n',
    );
  });
});
