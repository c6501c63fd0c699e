import fc from 'fast-check';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { type KnownObject, materialiseItems, planSnapshot, type SnapshotInput } from '#core/policy/snapshot.ts';
import { shortfall, splitOf } from '#core/policy/split.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';

const useCase = {
  ...definitions[0]!.useCase,
  gate: { ...definitions[0]!.useCase.gate, minTrainRuns: 5, minTestRuns: 2 },
};
const KNOWN = '2026-01-02T00:00:00.000Z';
const LATER = '2026-03-01T00:00:00.000Z';
const digest = `sha256:${'ab'.repeat(32)}`;

const object = (run: number, more: Partial<KnownObject['record']> = {}, knownAt = KNOWN): KnownObject => ({
  knownAt,
  record: {
    schema: 'raw-object/1',
    bucket: 'lake',
    key: `raw/frames/site=plant-a/asset=spindle-01/run=r-${run}/a`,
    versionId: 'v1',
    digest,
    bytes: 10,
    site: 'plant-a',
    asset: 'spindle-01',
    run: `r-${run}`,
    firstIndex: 1,
    lastIndex: 50,
    frames: 50,
    quarantined: 0,
    signals: useCase.signals.map((s) => s.name),
    ...more,
  },
});
const failure = (run: number, more: Partial<PlantEvent> = {}): PlantEvent => ({
  schema: 'plant-event/1',
  eventId: `e-${run}`,
  kind: 'failure',
  site: 'plant-a',
  asset: 'spindle-01',
  run: `r-${run}`,
  index: 50,
  validTime: KNOWN,
  knownTime: KNOWN,
  reportedBy: 'maintenance',
  detail: {},
  ...more,
});
const numbers = Array.from({ length: 40 }, (_, i) => i);
const input = (more: Partial<SnapshotInput> = {}): SnapshotInput => ({
  modelLine: 'predictive-maintenance/plant-a',
  site: 'plant-a',
  useCase,
  useCaseDigest: digest,
  knownUntil: '2026-02-01T00:00:00.000Z',
  objects: numbers.map((n) => object(n)),
  events: numbers.map((n) => failure(n)),
  ...more,
});
const planned = (i: SnapshotInput) => {
  const plan = planSnapshot(i);
  if (!plan.ok) throw new Error(plan.shortfall.join());
  return plan;
};

describe('splits', () => {
  test('a run keeps its split whatever other runs there are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 2, maxLength: 30 }), (runs) => {
        const before = runs.slice(1).map((r) => splitOf(useCase.seal, 'a', r));
        const after = [...runs]
          .reverse()
          .map((r) => splitOf(useCase.seal, 'a', r))
          .reverse()
          .slice(1);
        return before.every((s, i) => s === after[i]);
      }),
    );
  });
  test('shares come close to what the use case seals', () => {
    const splits = Array.from({ length: 4000 }, (_, i) => splitOf(useCase.seal, `a-${i}`, 'r'));
    expect(splits.filter((s) => s === 'test').length / 4000).toBeCloseTo(useCase.seal.testShare, 1);
    expect(splits.filter((s) => s === 'calibration').length / 4000).toBeCloseTo(useCase.seal.calibrationShare, 1);
  });
  test('another salt seals other runs', () => {
    const of = (salt: string) => numbers.map((n) => splitOf({ ...useCase.seal, salt }, 'a', `${n}`)).join();
    expect(of('one')).not.toBe(of('two'));
  });
  test('a shortfall names each split that lacks runs and how many', () => {
    expect(shortfall({ train: 3, calibration: 0, test: 2 }, { minTrainRuns: 5, minTestRuns: 2 })).toEqual([
      '2 more ended runs in train (3 of 5)',
      '1 more ended runs in calibration (0 of 1)',
    ]);
  });
});

describe('snapshots', () => {
  test('the same records in any order give the same snapshot', () => {
    const whole = planned(input());
    fc.assert(
      fc.property(fc.shuffledSubarray(numbers, { minLength: 40 }), (order) => {
        const again = planned(input({ objects: order.map((n) => object(n)), events: order.map((n) => failure(n)) }));
        return again.digest === whole.digest;
      }),
      { numRuns: 20 },
    );
  });
  test('a run is in one split only', () => {
    const runs = planned(input()).snapshot.runs.map((r) => `${r.asset}/${r.run}`);
    expect(new Set(runs).size).toBe(runs.length);
  });
  test('what became known later changes nothing', () => {
    const now = planned(input());
    const later = planned(
      input({
        objects: [...numbers.map((n) => object(n)), object(100, {}, LATER)],
        events: [
          ...numbers.map((n) => failure(n)),
          failure(100, { knownTime: LATER }),
          failure(0, { eventId: 'x', index: 7, knownTime: LATER }),
        ],
      }),
    );
    expect(later.digest).toBe(now.digest);
  });
  test('a run without a known failure stays out', () => {
    const plan = planned(input({ events: numbers.slice(1).map((n) => failure(n)) }));
    expect(plan.snapshot.runs.some((r) => r.run === 'r-0')).toBe(false);
  });
  test('an object that begins after the failure stays out', () => {
    const plan = planned(
      input({ objects: [...numbers.map((n) => object(n)), object(0, { key: 'late', firstIndex: 51, lastIndex: 51 })] }),
    );
    expect(plan.snapshot.runs.find((r) => r.run === 'r-0')?.objects.map((o) => o.key)).not.toContain('late');
  });
  test('objects of another site, of another kind of machine, or without a valid frame stay out', () => {
    const plan = planned(
      input({
        objects: [
          ...numbers.slice(3).map((n) => object(n)),
          object(0, { site: 'plant-b' }),
          object(1, { signals: ['speed'] }),
          object(2, { frames: 0 }),
        ],
      }),
    );
    expect(plan.snapshot.runs).toHaveLength(37);
  });
  test('of several reports of one end the one known last corrects the others, whichever way', () => {
    for (const index of [49, 60]) {
      const second = failure(0, { eventId: 'second', index, knownTime: '2026-01-03T00:00:00.000Z' });
      for (const events of [
        [...numbers.map((n) => failure(n)), second],
        [second, ...numbers.map((n) => failure(n))],
      ]) {
        const plan = planned(input({ events }));
        expect(plan.snapshot.runs.find((r) => r.run === 'r-0')?.endedAt).toBe(index);
        expect(plan.eventIds).toContain('second');
        expect(plan.eventIds).not.toContain('e-0');
      }
    }
  });
  test('a run that went on after its failure stays out and is named; a true report beside a false one still counts', () => {
    const early = (n: number) => failure(n, { eventId: `false-${n}`, index: 20, knownTime: LATER });
    const plan = planned(
      input({
        knownUntil: LATER,
        events: [early(0), early(1), ...numbers.slice(1).map((n) => failure(n))],
      }),
    );
    expect(plan.contradicted).toEqual(['spindle-01/r-0']);
    expect(plan.snapshot.runs.some((r) => r.run === 'r-0')).toBe(false);
    expect(plan.snapshot.runs.find((r) => r.run === 'r-1')?.endedAt).toBe(50);
  });
  test('a run that was repaired before it failed, and one whose failure was retracted, stay out', () => {
    const others = numbers.slice(2).map((n) => failure(n));
    const plan = planned(
      input({
        events: [
          ...others,
          failure(0, { kind: 'repair', asFound: 'damaged' }),
          failure(1),
          failure(1, { eventId: 'retraction', kind: 'inspection', asFound: 'unknown', corrects: 'e-1' }),
        ],
      }),
    );
    expect(plan.snapshot.runs.some((r) => ['r-0', 'r-1'].includes(r.run))).toBe(false);
  });
  test('a failure that named no run labels the one it was joined to', () => {
    const reported = failure(0, { run: null, index: null });
    const joined = failure(0, { eventId: 'e-0~joined', corrects: 'e-0' });
    const plan = planned(input({ events: [joined, reported, ...numbers.slice(1).map((n) => failure(n))] }));
    expect(plan.snapshot.runs.find((r) => r.run === 'r-0')?.endedAt).toBe(50);
  });
  test('a failure of another site ends no run here', () => {
    const other = failure(0, { site: 'plant-b', index: 7, knownTime: '2026-01-03T00:00:00.000Z' });
    expect(planned(input({ events: [...numbers.map((n) => failure(n)), other] })).digest).toBe(planned(input()).digest);
  });
  test('too little data is refused with the shortfall by name', () => {
    const plan = planSnapshot(input({ objects: numbers.slice(0, 2).map((n) => object(n)) }));
    expect(plan.ok).toBe(false);
    expect(!plan.ok && plan.shortfall.join()).toMatch(/more ended runs in train/);
  });
  test('work items hold every run once, of one split each', () => {
    const { snapshot, digest: name } = planned(input());
    const items = materialiseItems(snapshot, name, 3);
    const splitOfRun = new Map(snapshot.runs.map((r) => [`${r.asset}/${r.run}`, r.split]));
    expect(items.flatMap((i) => i.runs).sort()).toEqual([...splitOfRun.keys()].sort());
    expect(items.every((i) => i.runs.every((r) => splitOfRun.get(r) === i.split))).toBe(true);
    expect(items.map((i) => i.part)).toEqual(items.map((_, i) => i));
  });
});
