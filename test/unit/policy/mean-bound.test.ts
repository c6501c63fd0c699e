import { seededRandom } from '#core/policy/bootstrap.ts';
import { bettingBound, upperMeanBounds } from '#core/policy/mean-bound.ts';

const LEVEL = 0.05;
const RESAMPLES = 400;
const TRIALS = 300;

/** Share of samples whose bound is below the mean of what they are drawn from. */
const tooLow = (runs: number, mean: number, draw: (uniform: () => number) => number): number => {
  const random = seededRandom(3);
  let low = 0;
  for (let i = 0; i < TRIALS; i++) {
    const values = Array.from({ length: runs }, () => draw(random));
    const [bound = 0] = upperMeanBounds(values, { levels: [LEVEL], random, resamples: RESAMPLES });
    if (bound < mean) low += 1;
  }
  return low / TRIALS;
};

describe('an upper bound of a mean', () => {
  it('keeps its level for twenty even values', () => {
    expect(tooLow(20, 0.1, (u) => 0.2 * u())).toBeLessThan(0.06);
  });
  it('nearly keeps it for twenty values of which most are small and some large, where a percentile is too low twice as often', () => {
    // u³ / 2: mean 1/8, skewness 1.9.
    expect(tooLow(20, 0.125, (u) => u() ** 3 / 2)).toBeLessThan(0.075);
  });
  it('keeps it for twenty values of 0 and 1', () => {
    expect(tooLow(20, 0.1, (u) => (u() < 0.1 ? 1 : 0))).toBeLessThan(0.05);
  });
  it('is that of bets where values have no spread to go by', () => {
    const values = new Array<number>(20).fill(0.1);
    const bounds = upperMeanBounds(values, { levels: [0.05, 0.01], random: seededRandom(1) });
    expect(bounds).toEqual([bettingBound(values, 0.05), bettingBound(values, 0.01)]);
  });
  it('is near that of Student for many values that are like normal ones', () => {
    const random = seededRandom(5);
    const values = Array.from({ length: 200 }, () => 0.3 + 0.1 * (random() + random() + random() - 1.5));
    const mean = values.reduce((a, b) => a + b, 0) / 200;
    const sd = Math.sqrt(values.reduce((a, x) => a + (x - mean) ** 2, 0) / 199);
    const [bound = 0] = upperMeanBounds(values, { levels: [0.05], random });
    // scipy 1.14.1: stats.t.isf(0.05, 199)
    expect(Math.abs((bound - mean) / (sd / Math.sqrt(200)) - 1.6525)).toBeLessThan(0.08);
  });
  it('depends little on chance at a small level too: enough resamples lie beyond it', () => {
    const random = seededRandom(4);
    const values = Array.from({ length: 20 }, () => random() ** 3 / 2);
    const bounds = Array.from(
      { length: 20 },
      (_, seed) => upperMeanBounds(values, { levels: [0.05, 0.0005], random: seededRandom(seed) })[1] as number,
    );
    const mean = bounds.reduce((a, b) => a + b, 0) / bounds.length;
    const sd = Math.sqrt(bounds.reduce((sum, b) => sum + (b - mean) ** 2, 0) / (bounds.length - 1));
    // The third smallest of 5,000 resamples differs by 0.02.
    expect(sd).toBeLessThan(0.012);
  });
  it('refuses no values, and values that are no losses', () => {
    const options = { levels: [0.05], random: seededRandom(1) };
    expect(() => upperMeanBounds([], options)).toThrow(/expected at least one value, got none/);
    expect(() => upperMeanBounds([0.1, 1.2], options)).toThrow(/expected values from 0 to 1, got 1.2/);
  });
});

describe('the bound by bets', () => {
  it('says what is known of a rate after twenty times nothing, as an exact bound does but for the price of six bets', () => {
    const none = new Array<number>(20).fill(0);
    // Clopper & Pearson 1934: 1 − 0.05^(1/20).
    expect(bettingBound(none, 0.05)).toBeGreaterThan(1 - 0.05 ** (1 / 20));
    expect(bettingBound(none, 0.05)).toBeLessThan(0.25);
  });
  it('is closer the more values there are, and wider at a smaller level', () => {
    const values = (n: number) => Array.from({ length: n }, (_, i) => (i % 10) / 20);
    expect(bettingBound(values(200), 0.05)).toBeLessThan(bettingBound(values(20), 0.05));
    expect(bettingBound(values(20), 0.01)).toBeGreaterThan(bettingBound(values(20), 0.05));
  });
});
