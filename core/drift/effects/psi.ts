/** Half a count in every bin (Jeffreys), so that an empty bin gives a large number and not infinity. */
const PRIOR = 0.5;

/**
 * Population stability index of two distributions over the same bins: Σ (q − p) ln(q / p), in nats, which is the
 * symmetrised Kullback–Leibler divergence. 0 = the same.
 * @param p, q shares, each above 0.
 * @throws {RangeError} when the bins differ in number.
 */
export const psi = (p: readonly number[], q: readonly number[]): number => {
  if (p.length !== q.length)
    throw new RangeError(`psi: ${p.length} baseline bins but ${q.length} counted bins; they must be the same bins`);
  return p.reduce((sum, share, i) => sum + ((q[i] as number) - share) * Math.log((q[i] as number) / share), 0);
};

/** Shares of counts that are all above 0. @throws {RangeError} when nothing was counted. */
export const sharesOf = (counts: readonly number[]): number[] => {
  const total = counts.reduce((a, b) => a + b, 0);
  if (!(total > 0)) throw new RangeError('psi: nothing was counted');
  return counts.map((c) => (c + PRIOR) / (total + PRIOR * counts.length));
};
