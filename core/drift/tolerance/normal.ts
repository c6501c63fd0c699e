/** Coefficients of Wichura 1988, "Algorithm AS 241", PPND7: about 1 part in 10⁷. */
const CENTRE = {
  a: [3.3871327179, 50.434271938, 159.29113202, 59.10937472],
  b: [1, 17.895169469, 78.757757664, 67.1875636],
};
const NEAR = { a: [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103], b: [1, 0.7370016425, 0.12021132975] };
const FAR = { a: [6.657905115, 3.081226386, 0.42868294337, 0.017337203997], b: [1, 0.24197894225, 0.012258202635] };

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduceRight((sum, c) => sum * x + c, 0);
const ratio = ({ a, b }: typeof CENTRE, x: number): number => polynomial(a, x) / polynomial(b, x);

/**
 * z that a standard normal number exceeds with probability `tail` (Wichura 1988, AS 241).
 * @throws {RangeError} when the probability is not between 0 and 1.
 */
export const normalUpper = (tail: number): number => {
  if (!(tail > 0 && tail < 1)) throw new RangeError(`normal quantile: expected a probability in (0, 1), got ${tail}`);
  const q = 0.5 - tail;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRE, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(Math.min(tail, 1 - tail)));
  return Math.sign(q) * (r <= 5 ? ratio(NEAR, r - 1.6) : ratio(FAR, r - 5));
};

/** P(T > t) of Student's distribution with a whole number of degrees of freedom, t ≥ 0 (Abramowitz & Stegun 26.7.3–4). */
const studentTail = (t: number, dof: number): number => {
  const angle = Math.atan(t / Math.sqrt(dof));
  const cos = Math.cos(angle);
  const odd = dof % 2 === 1;
  let term = odd ? cos : 1;
  let sum = dof === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < dof; k += 2) {
    term *= ((k - 1) / k) * cos * cos;
    sum += term;
  }
  return (1 - (odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum)) / 2;
};

/** Above so many degrees of freedom Student's quantile is taken from the normal one (Abramowitz & Stegun 26.7.5, two terms). */
const MANY = 1000;

/**
 * t that a number of Student's distribution exceeds with probability `tail`, for tails of 1e-9 to 0.5.
 * @param dof whole, at least 1.
 * @throws {RangeError} when the probability is not in (0, 0.5] or there is no degree of freedom.
 */
export const studentUpper = (tail: number, dof: number): number => {
  if (!(tail > 0 && tail <= 0.5)) throw new RangeError(`Student quantile: expected a tail in (0, 0.5], got ${tail}`);
  if (!(Number.isInteger(dof) && dof >= 1))
    throw new RangeError(`Student quantile: expected a whole number of degrees of freedom from 1, got ${dof}`);
  if (dof > MANY) {
    const z = normalUpper(tail);
    return z + (z ** 3 + z) / (4 * dof) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * dof * dof);
  }
  let low = 0;
  let high = 1;
  while (studentTail(high, dof) > tail) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, dof) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};
