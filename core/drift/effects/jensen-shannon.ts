/**
 * Jensen–Shannon divergence of two distributions over the same cells, base 2 (Lin 1991): 0 = the same, 1 = nothing in
 * common. Its root is a metric, the distance that most libraries print.
 * @param p, q shares; a cell may be empty in one of them or both.
 * @throws {RangeError} when the cells differ in number.
 */
export const jensenShannon = (p: readonly number[], q: readonly number[]): number => {
  if (p.length !== q.length)
    throw new RangeError(`Jensen–Shannon: ${p.length} cells but ${q.length} counted ones; they must be the same cells`);
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const [a, b] = [p[i] as number, q[i] as number];
    const middle = (a + b) / 2;
    if (a > 0) sum += a * Math.log2(a / middle);
    if (b > 0) sum += b * Math.log2(b / middle);
  }
  return Math.max(0, sum / 2);
};
