import fc from 'fast-check';
import { cusumValue, stepCusum } from '../../../core/drift/detectors/cusum.ts';
import { ageingOf, CHART_K, type Chart, stepChart } from '../../../core/drift/device/charts.ts';
import { seededRandom } from '../../../core/policy/bootstrap.ts';

const RULE = { limit: 10, center: 0, sd: 1, windows: 120 };
const QUIET = 20;
const RUNS = 300;

/** Standard normal window means, moved by what `of` says from the 20th on: how soon each run is called ageing, if it is. */
const ageingAfter = (of: (windows: number) => number, length: number): (number | null)[] => {
  const random = seededRandom(8);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: RUNS }, () => {
    let chart: Chart | undefined;
    for (let t = 0; t < QUIET + length; t++) {
      chart = stepChart(chart, normal() + (t < QUIET ? 0 : of(t - QUIET)), t, RULE);
      if (ageingOf(chart, RULE.limit) !== null) return t - QUIET;
    }
    return null;
  });
};

describe('a chart', () => {
  const far = (z: number, n: number, before?: Chart): Chart | undefined =>
    Array.from({ length: n }).reduce<Chart | undefined>((chart, _, i) => stepChart(chart, z, i, RULE), before);
  it('is moved by one window no more than by a quarter of its limit, however wild that is', () => {
    for (const z of [50, -50, 1e6, -1e6]) expect(cusumValue(far(z, 1) as Chart)).toBeCloseTo(RULE.limit / 4, 12);
    expect(far(1e6, 5)?.up).toBeGreaterThan(RULE.limit);
  });
  it('never runs farther than without that bound, so that false alarms are no more', () => {
    const mean = fc.oneof(fc.double({ min: -4, max: 4, noNaN: true }), fc.constantFrom(-50, 50));
    fc.assert(
      fc.property(fc.array(mean, { maxLength: 60 }), (means) => {
        let chart: Chart | undefined;
        let free = { up: 0, down: 0 };
        for (const [t, m] of means.entries()) {
          chart = stepChart(chart, m, t, RULE);
          free = stepCusum(free, m, CHART_K + 1 / Math.sqrt(RULE.windows));
          expect(chart.up).toBeLessThanOrEqual(free.up);
          expect(chart.down).toBeLessThanOrEqual(free.down);
        }
      }),
    );
  });
});

describe('a chart that is beyond its limit', () => {
  it('seldom takes a step for ageing, however few windows took it there', () => {
    for (const step of [2, 5]) {
      const called = ageingAfter(() => step, 20).filter((at) => at !== null).length;
      expect([step, called / RUNS <= 0.05]).toEqual([step, true]);
    }
  });
  it('is surely ageing by fifteen windows and not by fewer, whatever way they go', () => {
    let chart: Chart | undefined;
    const said = Array.from({ length: 23 }, (_, t) => {
      chart = stepChart(chart, t, t, RULE);
      return ageingOf(chart, RULE.limit) === null ? null : (chart.line?.n ?? null);
    }).filter((points) => points !== null);
    expect(said[0]).toBe(15);
  });
  it('is surely ageing soon where a mean goes one way', () => {
    const called = ageingAfter((windows) => 0.2 * windows, 60).map((at) => at ?? Number.POSITIVE_INFINITY);
    expect(called.sort((a, b) => a - b)[Math.floor(0.9 * RUNS)]).toBeLessThan(30);
  });
});
