import { nabScore } from '../../../bench/drift/nab-score.ts';

const windows = [
  { first: 100, last: 159 },
  { first: 300, last: 359 },
];
const scoreOf = (...detections: number[]) => nabScore([{ windows, detections }]);

describe('the score of the Numenta Anomaly Benchmark', () => {
  it('is 100 for each change found at once and nothing else', () => {
    expect(scoreOf(100, 300)).toMatchObject({ found: 2, windows: 2, falseAlarms: 0 });
    expect(scoreOf(100, 300).score).toBeCloseTo(100, 10);
  });

  it('is 0 for no detection at all', () => {
    expect(scoreOf()).toEqual({ score: 0, found: 0, windows: 2, falseAlarms: 0 });
  });

  it('is less the later a change is found, as the published sigmoid says', () => {
    // Half of a window later: 2 / (1 + exp(-2.5)) - 1 = 0.848 of 0.987; one of two windows, beside one that is missed.
    expect(scoreOf(129).score).toBeCloseTo((100 * (0.8482836399575129 / 0.9866142981514305 + 1)) / 3.998, 0);
    expect(scoreOf(100).score).toBeGreaterThan(scoreOf(130).score);
  });

  it('counts the first detection of a window and takes no more for others in it', () => {
    expect(scoreOf(100, 101, 150, 300).score).toBe(scoreOf(100, 300).score);
  });

  it('takes 0.11 for a false alarm before any change, and less just behind one', () => {
    const lost = (at: number): number =>
      scoreOf(100, 300).score - scoreOf(...[at, 100, 300].sort((a, b) => a - b)).score;
    expect(lost(50)).toBeCloseTo((100 * 0.11) / 3.996, 1);
    expect(lost(165)).toBeLessThan(lost(290));
  });
});
