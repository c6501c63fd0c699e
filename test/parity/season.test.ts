import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { DriftPolicy, WindowEvidence } from '#core/contracts/drift.ts';
import type { Season } from '#core/contracts/season.ts';
import { seasonCell, unusedSeason } from '#core/drift/baselines/seasonal.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { windowOfRows } from '../../bench/drift/baseline-of-rows.ts';
import { eventAt, HOUR, judgeAll, normal, ROWS, START } from '../support/drift-device.ts';

const python = path.join(__dirname, '../../.venv/bin/python');
const where = existsSync(python) ? describe : describe.skip;
if (!existsSync(python)) console.warn('skipped: seasons of the trainer need .venv');

const ask = (given: unknown): { answer: unknown; log: string } => {
  const { stdout, stderr, status } = spawnSync(python, [path.join(__dirname, 'season_baseline.py')], {
    input: JSON.stringify(given),
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  if (status !== 0) throw new Error(stderr);
  return { answer: JSON.parse(stdout), log: stderr };
};

interface TableRow {
  readonly why: string;
  readonly from: string;
  readonly to: string;
  readonly season: Season;
  readonly cell: string | null;
}
const table = JSON.parse(readFileSync(path.join(__dirname, 'season-cells.json'), 'utf8')) as TableRow[];

describe('the cell of a window', () => {
  it.each(table)('is $cell: $why', ({ from, to, season, cell }) => {
    expect(seasonCell(from, to, season)).toBe(cell);
  });
});

const season = fc.record({
  hours: fc.integer({ min: 1, max: 24 }),
  weekdays: fc.boolean(),
  offsetMinutes: fc.integer({ min: -720, max: 840 }),
});
const DAY = 24 * HOUR;

where('the trainer', () => {
  it('gives any window the cell that the evaluator gives it', () => {
    const around = fc.oneof(
      fc.integer({ min: Date.UTC(1969, 0), max: Date.UTC(2060, 0) }),
      // Where cells, days and weeks meet.
      fc
        .tuple(fc.integer({ min: -100, max: 20_000 }), fc.integer({ min: 0, max: 48 }), fc.integer({ min: -2, max: 2 }))
        .map(([day, half, ms]) => day * DAY + (half * HOUR) / 2 + ms),
    );
    const windows = fc.array(
      fc.record({
        from: around,
        lasts: fc.oneof(fc.integer({ min: 0, max: 2 * DAY }), fc.constantFrom(0, 1, DAY, DAY + 1)),
        season,
      }),
      { minLength: 300, maxLength: 300 },
    );
    fc.assert(
      fc.property(windows, (all) => {
        const given = all.map(({ from, lasts, season: of }) => ({ from, to: from + lasts, season: of }));
        const instant = (ms: number): string => new Date(ms).toISOString();
        expect(ask({ windows: given }).answer).toEqual(
          given.map((w) => seasonCell(instant(w.from), instant(w.to), w.season)),
        );
      }),
      { numRuns: 3 },
    );
  });
});

/** Heat follows the day by two standard deviations up and down; flow does not. */
const cycle = (hour: number): number => 2 * Math.sin((2 * Math.PI * (hour % 24)) / 24);
const TRAINED_DAYS = 40;
const hours = (count: number): number[] => Array.from({ length: count }, (_, h) => h);

const trained = (of: Season, { swing = 1, days = TRAINED_DAYS } = {}): { seasonal: BaselineSpec; log: string } => {
  const next = normal(5);
  const at = hours(days * 24).flatMap((h) => Array.from({ length: ROWS }, (_, i) => h + i / ROWS));
  const { answer, log } = ask({
    season: of,
    rows: at.map((hour) => [swing * cycle(hour) + next(), next()]),
    times: at.map((hour) => START + hour * HOUR),
  });
  return { seasonal: readBaseline(answer, 'baseline of the trainer'), log };
};

/** Windows do not begin with the hour, as those of a device do not. */
const LATE = 0.4;
const FIRST = 1000 * 24 + LATE;

/** A window an hour of a device in the year after next, heat so much further off by the hour. */
const seen = (baseline: BaselineSpec, days: number, off: (hour: number, window: number) => number) => {
  const next = normal(9);
  return hours(days * 24).map((h) =>
    windowOfRows(baseline, {
      rows: Array.from({ length: ROWS }, (_, i) => [
        cycle(h + LATE + i / ROWS) + next() + off(Math.floor(h + LATE + 0.5) % 24, h),
        next(),
      ]),
      sequence: 1 + h * ROWS,
      at: START + (FIRST + h) * HOUR,
      every: HOUR / ROWS,
      context: 'default',
    }),
  );
};

const judged = (
  baseline: BaselineSpec,
  drift: DriftPolicy,
  days: number,
  off: (hour: number, window: number) => number = () => 0,
) => judgeAll(seen(baseline, days, off), { baseline, drift }).evidence;
const called = (evidence: readonly WindowEvidence[]): WindowEvidence[] => evidence.filter((e) => e.state !== 'steady');
const heatOf = ({ features }: WindowEvidence) => features.find((f) => f.name === 'f0');

where('a device whose heat follows the day, by a baseline of the trainer', () => {
  const HOURLY = { season: { hours: 1 } };
  let seasonal: BaselineSpec;
  let log: string;
  beforeAll(() => {
    ({ seasonal, log } = trained(HOURLY.season));
  });
  /** Heat goes through its mean then: one standard deviation more is well within the day. */
  const SHIFTED = 12;
  const shift = (hour: number): number => (hour === SHIFTED ? 1 : 0);

  it('has a reference for each hour, and the trainer says so', () => {
    expect(seasonal.season?.cells.map((c) => `${c.context}-${c.cell}`)).toEqual(
      hours(24).map((h) => `default-h${String(h).padStart(2, '0')}`),
    );
    expect(log).toContain(
      'season: 24 cells have a reference, of 8 windows of 100 rows at least; left out with their windows: none',
    );
  });
  it('is calm through the day, and the evidence names the hour', () => {
    const evidence = judged(seasonal, HOURLY, 10);
    expect(called(evidence).length).toBeLessThanOrEqual(3);
    expect(evidence.every((e) => e.against === 'season' && e.calibrated)).toBe(true);
    expect(evidence.slice(0, 3).map((e) => e.cell)).toEqual(['h00', 'h01', 'h02']);
    expect(evidence[3]?.says[0]).toContain('as the season reference of h03');
    expect(Math.max(...evidence.map((e) => heatOf(e)?.psi ?? 0))).toBeLessThan(0.3);
  });
  it('looks far off at night where it is held against all the day', () => {
    const night = judged(seasonal, {}, 2).filter((e) => e.from.slice(11, 13) === '18');
    expect(night.map((e) => e.against)).toEqual(['context', 'context']);
    expect(Math.min(...night.map((e) => heatOf(e)?.psi ?? 0))).toBeGreaterThan(0.5);
  });
  it('is called in the one hour that changed, and not in the others', () => {
    const alone = seen(seasonal, 10, shift).map(
      (w) => judgeAll([w], { baseline: seasonal, drift: HOURLY }).evidence[0],
    );
    const found = called(alone as WindowEvidence[]);
    const inHour = found.filter((e) => e.cell === 'h12');
    expect(inHour.length).toBeGreaterThanOrEqual(9);
    expect(found.length - inHour.length).toBeLessThanOrEqual(3);
    expect(inHour.every((e) => e.features[0]?.name === 'f0')).toBe(true);
  });
  it('does not show the hour that changed without a season: it is lost in the cycle', () => {
    const evidence = judged(seasonal, {}, 10, shift).filter((e) => Number(e.from.slice(11, 13)) === SHIFTED);
    expect(called(evidence)).toEqual([]);
  });
  it('learns each hour anew after a changeover that was told, and is calm then', () => {
    const windows = seen(seasonal, 12, () => 2);
    const told = { ...eventAt(0, 'changeover'), validTime: new Date(START + FIRST * HOUR + 1).toISOString() };
    const { evidence } = judgeAll(windows, { baseline: seasonal, drift: HOURLY, events: [told] });
    expect(evidence.slice(1, 25).map((e) => e.kind)).toEqual(hours(24).map(() => 'warm-up'));
    const after = evidence.slice(-3 * 24);
    expect(after.every((e) => e.against === 'own' && e.cell !== undefined)).toBe(true);
    expect(called(after).length).toBeLessThanOrEqual(2);
  });
  it('that wears by 0.01 standard deviations a window is found at 0.3, which the cycle hides without a season', () => {
    const windows = seen(seasonal, 4, (_, window) => 0.01 * window);
    const firstOf = (drift: DriftPolicy): number =>
      judgeAll(windows, { baseline: seasonal, drift }).evidence.findIndex((e) => e.kind !== 'steady');
    expect(firstOf(HOURLY)).toBeLessThan(30);
    expect(firstOf({})).toBeGreaterThan(45);
  });
  it('is held against all the day by a policy with another season than the package was trained for', () => {
    const other = judged(seasonal, { season: { hours: 2 } }, 1);
    expect(other).toEqual(
      judged(seasonal, {}, 1).map((e, i) => ({
        ...e,
        policyDigest: other[i]?.policyDigest,
        hash: other[i]?.hash,
        previous: other[i]?.previous,
      })),
    );
  });
  it('is held against its context in an hour that training hardly had, says so, and its charts wait', () => {
    const { cells, windows, of } = seasonal.season as NonNullable<BaselineSpec['season']>;
    const less = readBaseline(
      {
        ...seasonal,
        season: {
          of,
          cells: cells.slice(0, -1),
          windows: windows.map((w) => (w === cells.length - 1 ? null : w)),
          leftOut: [{ context: 'default', cell: 'h23', windows: 3 }],
        },
      },
      'less',
    );
    const windowsOf = seen(less, 1, () => 0);
    const { evidence, state } = judgeAll(windowsOf, { baseline: less, drift: HOURLY });
    expect(evidence.at(-1)).toMatchObject({ against: 'context', cell: 'h23', state: 'steady' });
    expect(evidence.at(-1)?.says[0]).toContain('as the context reference, for training had too little of h23');
    expect(state.charts).toEqual(judgeAll(windowsOf.slice(0, -1), { baseline: less, drift: HOURLY }).state.charts);
  });
  it('is held against its context by a window of more than a day, and says so', () => {
    const [first, last] = [seen(seasonal, 1, () => 0)[0], seen(seasonal, 2, () => 0)[30]];
    const joined = { ...first, to: last?.to } as Parameters<typeof judgeAll>[0][number];
    const [evidence] = judgeAll([joined], { baseline: seasonal, drift: HOURLY }).evidence;
    expect(evidence).toMatchObject({ against: 'context' });
    expect(evidence).not.toHaveProperty('cell');
    expect(evidence?.says[0]).toContain('for it is longer than a day');
  });
});

where('a device of a season that is too fine for its training', () => {
  it('is judged as without one, so that its wear is found, and is told why', () => {
    const FINE = { hours: 1, weekdays: true };
    const { seasonal, log } = trained(FINE, { swing: 0, days: 52 });
    expect(log).toMatch(/season: 24 cells have a reference, .*: the baseline is made without the season/);
    expect(unusedSeason(seasonal, FINE)).toMatch(/too few training windows .* in \d+ cells/);
    const next = normal(9);
    const worn = hours(10 * 24).map((h) =>
      windowOfRows(seasonal, {
        rows: Array.from({ length: ROWS }, () => [next() + 0.01 * h, next()]),
        sequence: 1 + h * ROWS,
        at: START + (FIRST + h) * HOUR,
        every: HOUR / ROWS,
        context: 'default',
      }),
    );
    const found = judgeAll(worn, { baseline: seasonal, drift: { season: FINE } }).evidence;
    // It ages before a window alone is serious.
    expect(found.filter((e) => e.kind === 'ageing').length).toBeGreaterThan(10);
    expect(found.every((e) => e.calibrated && e.against === 'context')).toBe(true);
  });
});
