import fc from 'fast-check';
import { boundWithin, neededEValue } from '../../../core/drift/tolerance/error-spending.ts';
import { WindowEValue } from '../../../core/drift/tolerance/window-e-value.ts';
import { seededRandom } from '../../../core/policy/bootstrap.ts';

const budget = { alertsPerMonth: 2, lines: 100, observationsPerMonth: 500 };

describe('the alert budget of many lines', () => {
  it('asks one line alone for as many observations to a false alarm as the budget says', () => {
    expect(neededEValue([3], { alertsPerMonth: 0.5, lines: 1, observationsPerMonth: 500 })).toBe(1000);
  });
  it('asks of each of many lines as many times more', () => {
    expect(neededEValue([], budget)).toBe(25_000);
    expect(neededEValue([24_999, 1, 1], budget)).toBe(25_000);
  });
  it('asks less of each where several have evidence at once', () => {
    expect(neededEValue([12_500, 13_000], budget)).toBe(12_500);
    expect(neededEValue([25_000, 12_499], budget)).toBe(25_000);
    expect(neededEValue([9000, 9000, 9000], budget)).toBeCloseTo(8333.3, 1);
  });
  it('lets exactly those alarm that the procedure of Benjamini and Hochberg on e-values names', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 40 }), (eValues) => {
        const needed = neededEValue(eValues, budget);
        const alarming = eValues.filter((e) => e >= needed).length;
        const sorted = [...eValues].sort((a, b) => b - a);
        const largest = sorted.reduce((k, e, i) => (e >= 25_000 / (i + 1) ? i + 1 : k), 0);
        expect(alarming).toBeGreaterThanOrEqual(largest);
        for (const e of eValues) expect(e >= needed).toBe(largest > 0 && e >= 25_000 / largest);
      }),
    );
  });
  it('is kept by a simulated fleet in which nothing changes', () => {
    const random = seededRandom(11);
    const [lines, windows] = [50, 2000];
    const of = { alertsPerMonth: 2, lines, observationsPerMonth: 100 };
    let detectors = Array.from({ length: lines }, () => WindowEValue.start(['f']));
    let alarms = 0;
    for (let w = 0; w < windows; w++) {
      detectors = detectors.map((d) => d.update(new Map([['f', random()]])));
      const needed = neededEValue(
        detectors.map((d) => d.value),
        of,
      );
      detectors = detectors.map((d) => {
        if (d.value < needed) return d;
        alarms += 1;
        return d.reset();
      });
    }
    expect(alarms).toBeLessThanOrEqual((2 * windows) / 100);
  });
  it('refuses a budget of nothing, and more e-values than lines', () => {
    expect(() => neededEValue([], { ...budget, alertsPerMonth: 0 })).toThrow(/alertsPerMonth above 0, got 0/);
    expect(() => neededEValue([1, 2], { ...budget, lines: 1 })).toThrow(/2 e-values but 1 lines/);
  });
});

describe('the bound of the validation loss', () => {
  const loss = { mean: 0.1, upper: 0.12, runs: 20 };
  const of = (lines: number) => ({ alertsPerMonth: 1, lines });
  it('is the measured one where the lines are few for the budget', () => {
    for (const lines of [1, 60]) expect(boundWithin(loss, of(lines))).toBe(0.12);
  });
  it('is wider the more lines share a budget, and the more so the fewer runs it rests on', () => {
    // scipy 1.17.1: stats.t.isf(0.003, 19) / stats.t.isf(0.05, 19)
    expect(boundWithin(loss, of(1000))).toBeCloseTo(0.1 + 0.02 * 1.7882295485231365, 6);
    expect(boundWithin({ ...loss, runs: 5 }, of(1000))).toBeGreaterThan(boundWithin(loss, of(1000)));
    expect(boundWithin({ ...loss, runs: 1 }, of(10_000))).toBe(1);
  });
  it('is too low on no more lines than the budget has alerts in a quarter of a year, where the measured one is on dozens', () => {
    const random = seededRandom(5);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let [single, all] = [0, 0];
    for (let line = 0; line < 1000; line++) {
      const losses = Array.from({ length: 12 }, () => 0.3 + 0.1 * normal());
      const mean = losses.reduce((a, b) => a + b, 0) / 12;
      const sd = Math.sqrt(losses.reduce((a, x) => a + (x - mean) ** 2, 0) / 11);
      const validation = { mean, upper: mean + (1.7959 * sd) / Math.sqrt(12), runs: 12 };
      if (validation.upper < 0.3) single += 1;
      if (boundWithin(validation, of(1000)) < 0.3) all += 1;
    }
    expect(single).toBeGreaterThan(25);
    expect(all).toBeLessThanOrEqual(5);
  });
  it('is the one that was measured at the next smaller level where there is one, and widened from the smallest beyond', () => {
    const bounds = [
      { level: 0.01, upper: 0.14 },
      { level: 0.002, upper: 0.17 },
    ];
    const measured = { ...loss, method: 'bootstrap-t' as const, bounds };
    expect(boundWithin(measured, of(60))).toBe(0.12);
    expect(boundWithin(measured, of(300))).toBe(0.14);
    expect(boundWithin(measured, of(1000))).toBe(0.17);
    // scipy 1.14.1: stats.t.isf(0.0003, 19) / stats.t.isf(0.002, 19)
    expect(boundWithin(measured, of(10_000))).toBeCloseTo(0.1 + 0.07 * 1.254773000004116, 6);
  });
  it('refuses no lines', () => {
    expect(() => boundWithin(loss, of(0))).toThrow(/expected lines above 0, got 0/);
  });
});
