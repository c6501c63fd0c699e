import fc from 'fast-check';
import type { DecileBaseline } from '../../../core/contracts/baseline.ts';
import { DriftWindow } from '../../../core/contracts/drift.ts';
import { DriftFold } from '../../../core/contracts/drift-fold.ts';
import { judgementKeys } from '../../../core/contracts/judgement.ts';
import { artifactKeys, lakeKeys } from '../../../core/contracts/lake.ts';
import type { PlantEvent } from '../../../core/contracts/plant-event.ts';
import { foldChain, verifyFolds, windowName } from '../../../core/drift/replay/fold-chain.ts';
import { readBaseline } from '../../../core/drift/sketch/upgrade.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { makeHandler } from '../../../lambdas/drift-evaluator/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { memoryLedger, memoryLog, memoryStore, recordCommand, registryOf, sqsEvent } from '../../support/fakes.ts';
import { digest, LINE, PACKAGE, packed } from '../../support/feature-digest.ts';
import { memoryJudgement } from '../../support/memory-judging.ts';

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;
const NAMES = ['speed', 'force'];
const baseline: DecileBaseline = {
  schema: 'baseline/1',
  featureSetDigest: PACKAGE,
  rows: 20_000,
  windows: { rows: 200, count: 100 },
  features: NAMES.map((name) => ({
    ...{ name, edges: [1, 2, 3, 4], shares: [0.2, 0.2, 0.2, 0.2, 0.2], mean: 2.5, std: 1 },
    ...{ windowStatistic: { mean: 4, variance: 8 }, fewestBins: 5 },
  })),
};
const DEVICES = ['edge-1', 'edge-2'];
const SHAPES = [
  [20, 20, 20, 20, 20],
  [8, 14, 20, 26, 32],
  [0, 2, 8, 30, 60],
  [0, 0, 100, 0, 0],
];
const hour = (n: number): string => new Date(Date.UTC(2026, 0, 1, n)).toISOString();

const eventOf = (n: number, corrects: boolean): PlantEvent => ({
  ...{ schema: 'plant-event/1', eventId: `event-${n}`, kind: n % 2 === 0 ? 'changeover' : 'repair', site: 'plant-a' },
  ...{ asset: 'spindle-1', run: null, index: null, validTime: hour(n), knownTime: hour(n + 2), reportedBy: 'mes' },
  ...(corrects && n > 0 ? { corrects: `event-${n - 1}` } : {}),
  detail: {},
});

/** Messages of two devices with some starts each, in which every window has two parts. */
const sentBy = (shapes: readonly number[], contexts: readonly string[], starts: number) =>
  DEVICES.flatMap((device) =>
    shapes.flatMap((shape, i) => {
      const [boot, from] = [`boot-${Math.floor((starts * i) / shapes.length)}`, i * 100 + 1];
      const counts = SHAPES[shape] as number[];
      return NAMES.map((name, part) =>
        digest(from, from + 99, counts, {
          ...{ device, boot, part, parts: 2, context: contexts[i % contexts.length] as string },
          ...{ from: hour(i), to: hour(i + 1), sketches: [packed(name, counts)] },
          ...{ cameOn: `millwright/local/plant-a/${device}/digest` },
        } as Parameters<typeof digest>[3]),
      );
    }),
  );

/** @param broken which of the writes, counted from the first one on, fail before or after they are done. */
const setUp = async (broken: ReadonlyMap<number, 'before' | 'after'>) => {
  const [artifacts, lake, ledger, log] = [memoryStore(), memoryStore(), memoryLedger(), memoryLog()];
  await artifacts.put(`${artifactKeys.package(LINE, PACKAGE)}baseline.json`, Buffer.from(JSON.stringify(baseline)));
  const { judgement, items } = memoryJudgement();
  const useCaseDigest = digestOf(useCase);
  const registry = registryOf([
    recordCommand('model-line', LINE, aModelLine(LINE, useCaseDigest, PACKAGE)),
    recordCommand('use-case', useCaseDigest, useCase),
    recordCommand('package', PACKAGE, { validationLoss: { mean: 0.1, upper: 0.12, runs: 20 } }),
  ]);
  let writes = 0;
  const breaking =
    <A extends unknown[], T>(write: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const fails = broken.get(writes++);
      if (fails === 'before') throw new Error('the write was lost');
      const answer = await write(...args);
      if (fails === 'after') throw new Error('the answer was lost');
      return answer;
    };
  judgement.putAll = breaking(judgement.putAll);
  lake.put = breaking(lake.put);
  ledger.write = breaking(ledger.write);
  const deps = { judgement, registry, artifacts, lake, ledger, stage: 'local', log };
  const handler = makeHandler({ ...deps, now: () => '2026-02-01T00:00:00.000Z' });
  const know = (event: PlantEvent) =>
    judgement.put({ ...judgementKeys.event('plant-a', event.asset, event.eventId), event });
  const read = async <T>(prefix: string, parse: (json: unknown) => T): Promise<T[]> =>
    Promise.all(
      (await lake.list(prefix)).map(async (key) => parse(JSON.parse(Buffer.from(await lake.get(key)).toString()))),
    );
  /** The chain that is known of the device, all windows, and what waits. */
  const of = async (device: string) => {
    const device_ = { modelLine: LINE, packageDigest: PACKAGE, site: 'plant-a', device };
    const folds = await read(lakeKeys.driftEvidences(device_), (json) => DriftFold.parse(json));
    const windows = await read(lakeKeys.driftWindows(device_), (json) => DriftWindow.parse(json));
    const item = items.get(`DRIFT#${LINE}#${PACKAGE}\nplant-a/${device}`);
    const waiting = (item?.['waiting'] as { windows: { boot: string; windowStart: number }[] }[]) ?? [];
    const state = JSON.parse((item?.['device'] as string | null | undefined) ?? 'null') as { head: string } | null;
    const chain = state === null ? [] : foldChain(folds, state.head);
    return { chain, windows, waiting: waiting.flatMap((w) => w.windows) };
  };
  return { handler, know, of };
};

const scenario = fc.record({
  shapes: fc.array(fc.nat({ max: SHAPES.length - 1 }), { minLength: 2, maxLength: 10 }),
  contexts: fc.constantFrom(['default'], ['red', 'blue']),
  starts: fc.constantFrom(2, 10),
  order: fc.array(fc.nat(), { minLength: 90, maxLength: 90 }),
  batches: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 60, maxLength: 60 }),
  events: fc.array(fc.record({ n: fc.nat({ max: 9 }), corrects: fc.boolean(), after: fc.nat({ max: 9 }) }), {
    maxLength: 4,
  }),
  sideBySide: fc.integer({ min: 1, max: 3 }),
  broken: fc.array(fc.tuple(fc.nat({ max: 150 }), fc.constantFrom('before' as const, 'after' as const)), {
    maxLength: 8,
  }),
});

describe('windows that come in any order, again, to evaluators side by side, some of whose writes fail', () => {
  it('count once each, none is lost, and every chain is computed again to the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ shapes, contexts, starts, order, batches, events, sideBySide, broken }) => {
        const { handler, know, of } = await setUp(new Map(broken));
        const all = sentBy(shapes, contexts, starts);
        let queue = [...all, ...all.slice(0, all.length / 2)]
          .map((message, i) => ({ message, at: order[i] as number }))
          .sort((a, b) => a.at - b.at)
          .map((m) => m.message);
        for (let i = 0; queue.length > 0; i += sideBySide) {
          expect(i).toBeLessThan(200);
          for (const e of events.filter((e) => e.after >= i && e.after < i + sideBySide))
            await know(eventOf(e.n, e.corrects));
          const groups = Array.from({ length: sideBySide }, (_, k) => {
            const size = batches[(i + k) % batches.length] as number;
            const group = queue.slice(0, size);
            queue = queue.slice(size);
            return group;
          });
          const failed = await Promise.all(
            groups.map(async (group) => {
              const { batchItemFailures } = await handler(sqsEvent(...group));
              return batchItemFailures.map((f) => group[Number(f.itemIdentifier.slice(1))] as (typeof group)[number]);
            }),
          );
          queue = [...queue, ...failed.flat()];
        }
        for (const device of DEVICES) {
          const { chain, windows, waiting } = await of(device);
          const counted = [...chain.flatMap((f) => f.evidence.windows), ...waiting].map(windowName);
          expect(counted.sort()).toEqual(windows.map(windowName).sort());
          expect(windows).toHaveLength(shapes.length);
          const known = new Map(windows.map((w) => [windowName(w), w]));
          expect(verifyFolds(chain, readBaseline(baseline, 'baseline'), known)).toEqual({
            holds: true,
            folds: chain.length,
          });
        }
      }),
      { numRuns: 25 },
    );
  });
});
