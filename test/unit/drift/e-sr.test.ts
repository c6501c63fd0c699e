import { LineEValue } from '../../../core/drift/decision/line-e-value.ts';
import { ESr } from '../../../core/drift/detectors/e-sr.ts';
import { seededRandom } from '../../../core/policy/bootstrap.ts';

describe('the e-SR detector', () => {
  it('is (S + 1)(1 + 2 (x - 0.1)) for a bet of 2 on a mean of 0.1', () => {
    let detector = ESr.start({ mean: 0.1, bets: [0.2] });
    const values = [0, 0, 1, 0, 1, 1].map((x) => {
      detector = detector.update(x);
      return detector.value;
    });
    const expected = [0.8, 1.44, 6.832, 6.2656, 20.34368, 59.762304];
    for (const [i, value] of values.entries())
      expect(Math.abs(value / (expected[i] as number) - 1)).toBeLessThan(1e-12);
  });
  it('averages its bets', () => {
    const one = (bet: number) =>
      ESr.start({ mean: 0.2, bets: [bet] })
        .update(1)
        .update(0.5).value;
    const both = ESr.start({ mean: 0.2, bets: [0.1, 0.4] })
      .update(1)
      .update(0.5).value;
    expect(both).toBeCloseTo((one(0.1) + one(0.4)) / 2, 12);
  });
  it('leaves the detector before an observation as it was', () => {
    const before = ESr.start({ mean: 0.1 }).update(1);
    const { value } = before;
    before.update(1);
    expect(before.value).toBe(value);
  });
  it('starts again from nothing', () => {
    const fresh = ESr.start({ mean: 0.1 });
    expect(fresh.update(1).update(1).reset().toJSON()).toEqual(fresh.toJSON());
  });
  it('stays finite, however long the mean is too large', () => {
    let detector = ESr.start({ mean: 0.1 });
    for (let i = 0; i < 5000; i++) detector = detector.update(1);
    expect(Number.isFinite(detector.value)).toBe(true);
  });
  it.each([0, 1, Number.NaN])('refuses %s as a mean', (mean) => {
    expect(() => ESr.start({ mean })).toThrow(/expected a mean between 0 and 1/);
  });
  it.each([{ bets: [] }, { bets: [0] }, { bets: [0.2, 1] }])('refuses the bets of %j', ({ bets }) => {
    expect(() => ESr.start({ mean: 0.1, bets })).toThrow(/expected bets between 0 and 1/);
  });
  it.each([-0.1, 1.1, Number.NaN])('refuses %s as an observation', (x) => {
    expect(() => ESr.start({ mean: 0.1 }).update(x)).toThrow(/expected an observation in \[0, 1\]/);
  });
});

/** @returns alarms among `units` losses, starting anew after each. */
const alarms = (units: number, loss: (random: () => number) => number, mean: number, assets = 6): number => {
  const random = seededRandom(11);
  let detector = LineEValue.start(mean);
  let count = 0;
  for (let i = 0; i < units; i++) {
    detector = detector.update({ asset: `a${Math.floor(random() * assets)}`, loss: loss(random) });
    if (detector.value >= 1000) {
      count += 1;
      detector = detector.reset();
    }
  }
  return count;
};

describe('the e-value of a model line', () => {
  it('is confirmed for nothing at most once in as many outcomes as its threshold, at the very bound', () => {
    expect(alarms(20_000, (random) => 0.3 * random(), 0.15)).toBeLessThanOrEqual(20);
    expect(alarms(20_000, (random) => (random() < 0.15 ? 1 : 0), 0.15)).toBeLessThanOrEqual(20);
  });
  it('is never confirmed in 20 000 outcomes that are as good as they were in validation', () => {
    expect(alarms(20_000, (random) => 0.24 * random(), 0.15)).toBe(0);
  });
  it('finds one machine in six that became much worse', () => {
    const random = seededRandom(5);
    let detector = LineEValue.start(0.15);
    let units = 0;
    while (detector.value < 1000 && units < 200) {
      const asset = units % 6;
      detector = detector.update({ asset: `a${asset}`, loss: asset === 2 ? 0.6 : 0.24 * random() });
      units += 1;
    }
    expect(units).toBeLessThan(90);
    expect(detector.worstAsset).toBe('a2');
  });
  it('does not grow with the number of machines', () => {
    expect(alarms(5000, (random) => 0.24 * random(), 0.15, 2000)).toBe(0);
  });
  it('names no asset before the first outcome', () => {
    const fresh = LineEValue.start(0.15);
    expect(fresh.worstAsset).toBeNull();
    expect(fresh.update({ asset: 'a', loss: 1 }).reset().toJSON()).toEqual(fresh.toJSON());
  });
});
