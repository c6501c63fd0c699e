import type { LabelRequest } from '../../../core/contracts/label-request.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { anOutcome } from '../../support/an-outcome.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const LINE = 'predictive-maintenance/plant-a';
const CHAMPION = digest('a');
const { useCase } = definitions[0] as (typeof definitions)[number];
const day = (n: number): string => new Date(Date.UTC(2025, 0, n, 7, 30)).toISOString();

const request: LabelRequest = {
  schema: 'label-request/1',
  requestId: `${LINE}/aaaaaaaaaaaa/1`,
  modelLine: LINE,
  site: 'plant-a',
  packageDigest: CHAMPION,
  ordinal: 1,
  after: null,
  until: day(9),
  share: 0.25,
  count: 3,
  candidates: 12,
  units: ['m1/r1', 'm1/r2', 'm2/r3'],
  reason: '3 more outcomes are needed before anything may follow',
};
const requested = (more: Partial<LabelRequest> = {}) => {
  const given = { ...request, ...more };
  return { sk: `LABELS#${CHAMPION}#${String(given.ordinal).padStart(12, '0')}`, request: given };
};
const served = request.units.map((unit, n) => ({ sk: `SERVED#${CHAMPION}#${unit}`, lastAt: day(n + 1) }));
const outcome = {
  sk: `OUTCOME#${CHAMPION}#m1/r2`,
  record: anOutcome({
    ...{ modelLine: LINE, packageDigest: CHAMPION, asset: 'm1', run: 'r2' },
    ...{ validTime: day(2), knownTime: day(5), meanError: 0.3 },
  }),
};
const world = (items: readonly { sk: string; [field: string]: unknown }[], champion = true) =>
  fakeWorld({
    judgement: async () => items,
    registry: memoryRegistry([
      {
        class: 'model-line',
        id: LINE,
        body: { ...aModelLine(LINE, digestOf(useCase), champion ? CHAMPION : null) },
      },
      { class: 'use-case', id: digestOf(useCase), body: { ...useCase } },
      { class: 'package', id: CHAMPION, body: { validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } } },
    ]),
  });
const items = [...served, outcome, requested()];

describe('labels', () => {
  test('says of each request how many outcomes are known, how many decide, and why', async () => {
    const { code, out } = await runWith(world(items), ['labels']);
    expect(code).toBe(0);
    expect(out).toMatch(/predictive-maintenance\/plant-a +2025-01-09 +1 of 3 +3 +3 more outcomes are/);
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
  test('names the units of a line, what is known of them, and the chance with which they were drawn', async () => {
    const { code, out } = await runWith(world(items), ['labels', LINE]);
    expect(code).toBe(0);
    expect(out).toMatch(/m1\/r1 +2025-01-01 07:30 +wanted/);
    expect(out).toMatch(/m1\/r2 +2025-01-02 07:30 +failed +0\.400/);
    expect(out).toContain('3 units: each had the chance 0.250, 12 stopped since the last');
    expect(out).toContain('millwright events add');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
  test('shows the newest request, and how many there were before', async () => {
    const newer = requested({ ordinal: 2, after: day(9), until: day(20), units: ['m9/r9'], count: 1 });
    const { out } = await runWith(world([...items, newer]), ['labels', LINE]);
    expect(out).toContain('0 of 1');
    expect(out).toMatch(/before +1 request\b/);
    const { out: all } = await runWith(world([...items, newer]), ['labels', '--json']);
    expect(JSON.parse(all)).toMatchObject([
      { ordinal: 2, known: 0 },
      { ordinal: 1, known: 1 },
    ]);
  });
  test('says where nothing is wanted, also of a line without a champion', async () => {
    expect((await runWith(world([]), ['labels'])).out).toContain('No outcome is wanted.');
    expect((await runWith(world([]), ['labels', LINE])).out).toContain('no outcome is wanted');
    expect((await runWith(world([], false), ['labels', LINE])).out).toContain('no outcome is wanted');
  });
  test('gives all requests of a line as JSON', async () => {
    const { out } = await runWith(world(items), ['labels', LINE, '--json']);
    expect(JSON.parse(out)).toMatchObject({ modelLine: LINE, requests: [{ count: 3, known: 1 }] });
  });
});

describe('lines', () => {
  test('says of a line how long outcomes take, and to which side its answers are wrong', async () => {
    const { out } = await runWith(world(items), ['lines', LINE]);
    expect(out).toMatch(/delay +half known within 3\.0 days, nine of ten not known in the time so far/);
    expect(out).toMatch(/side +not shown to be too hopeful or too gloomy: mean error 0\.300/);
    expect((await runWith(world(served), ['lines', LINE])).out).not.toMatch(/delay|side/);
  });
});
