import { JointDistance } from '#core/drift/sketch/joint.ts';

const joint = { mean: [10, 20, 0], scale: [2, 4, 1], loadings: [[0.6, 0.8, 0]], variances: [0.25] };
const measured = (x: readonly number[]): { t: number; q: number } => {
  const distance = new JointDistance(joint);
  distance.measure(x);
  const { t, q } = distance;
  return { t, q };
};

describe('the distance of a row from the joint distribution', () => {
  it('is along the components in their standard deviations, and off them in scales', () => {
    // Standardised (1, 2, 3): 0.6 + 1.6 = 2.2 along the component.
    expect(measured([12, 28, 3]).t).toBe(Math.fround(2.2 / 0.5));
    expect(measured([12, 28, 3]).q).toBeCloseTo(Math.sqrt(1 + 4 + 9 - 2.2 ** 2), 6);
  });
  it('is 0 along the components in the middle, and off them what is told apart from 0', () => {
    expect(measured([10, 20, 0])).toEqual({ t: 0, q: Math.fround(1e-3) });
  });
  it('is not known where a value is missing or infinite', () => {
    for (const x of [
      [Number.NaN, 20, 0],
      [10, Number.POSITIVE_INFINITY, 0],
    ])
      expect(measured(x)).toEqual({ t: Number.NaN, q: Number.NaN });
  });
  it('is not known of a value so large that its square is infinite', () => {
    expect(measured([1e200, 20, 0])).toEqual({ t: Number.NaN, q: Number.NaN });
  });
});
