/**
 * Largest difference of two distribution functions at the ends of stretches of one axis (Kolmogorov–Smirnov D). Of values
 * themselves it can be larger, by no more than the larger share of one cell.
 * @param p, q shares on the stretches ({@link sharesOn}).
 */
export const kolmogorovSmirnov = (p: readonly number[], q: readonly number[]): number => {
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < p.length; i++) {
    difference += (q[i] as number) - (p[i] as number);
    largest = Math.max(largest, Math.abs(difference));
  }
  return Math.min(1, largest);
};
