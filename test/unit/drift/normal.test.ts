import { normalUpper, studentUpper } from '../../../core/drift/tolerance/normal.ts';

const near = (value: number, expected: number, relative: number): void =>
  expect(Math.abs(value / expected - 1)).toBeLessThan(relative);

describe('quantiles', () => {
  // scipy 1.17.1: stats.norm.isf
  it.each([
    [0.4, 0.2533471031357997],
    [0.05, 1.6448536269514729],
    [0.01, 2.3263478740408408],
    [1e-4, 3.7190164854556804],
    [1e-6, 4.753424308822899],
    [1e-12, 7.034483825301131],
  ])('of the normal distribution agree with scipy at a tail of %s, and mirror', (tail, z) => {
    near(normalUpper(tail), z, 2e-7);
    if (tail > 1e-6) near(normalUpper(1 - tail), -z, 2e-7);
  });
  // scipy 1.17.1: stats.t.isf
  it.each([
    [0.05, 1, 6.313751514675044],
    [0.05, 2, 2.9199855803537256],
    [0.01, 4, 3.746947387979197],
    [0.01, 5, 3.364929998907218],
    [5e-5, 9, 6.593682583944785],
    [5e-5, 49, 4.235725936988678],
    [5e-5, 5000, 3.8937332089269194],
    [1e-6, 20, 6.5965301483587755],
  ])("of Student's distribution agree with scipy at a tail of %s and %s degrees of freedom", (tail, dof, t) => {
    near(studentUpper(tail, dof), t, 1e-6);
  });
  it('refuse what is no probability, and no degrees of freedom', () => {
    expect(() => normalUpper(0)).toThrow(/probability in \(0, 1\), got 0/);
    expect(() => studentUpper(0.7, 3)).toThrow(/tail in \(0, 0.5\], got 0.7/);
    expect(() => studentUpper(0.05, 0.5)).toThrow(/degrees of freedom from 1, got 0.5/);
  });
});
