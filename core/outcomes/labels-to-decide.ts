import { ESr } from '../drift/detectors/e-sr.ts';

/** Fewer losses than this say nothing of how losses are spread. */
const ENOUGH = 8;
const QUANTILES = 64;
/** More labels than this no plant gives; the number says "many" then. */
const MOST = 10_000;

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

/** The n-th of the points that fill [0, 1) evenly at every length (van der Corput, base 2). */
const vanDerCorput = (n: number): number => {
  let x = 0;
  for (let rest = n, part = 0.5; rest > 0; rest = Math.floor(rest / 2), part /= 2) x += (rest % 2) * part;
  return x;
};

/**
 * How many outcomes decide: so many does the e-SR need on average until it confirms a mean loss that is larger than the
 * expected by what must not be missed. It is run on losses as they were seen so far, moved to that mean; while there are
 * fewer than 8 of them, on losses spread evenly from 0 to twice the mean. Half of a line's value is this detector, so that it
 * runs to twice the threshold; what is already there counts by its logarithm, since evidence multiplies.
 * @param of.mean expected loss, (0, 1). @param of.excess loss beyond it that must not be missed, above 0.
 * @throws {RangeError} when excess is not above 0.
 */
export const labelsToDecide = (of: {
  readonly mean: number;
  readonly excess: number;
  readonly alarmAt: number;
  readonly eValue: number;
  readonly losses: readonly number[];
}): number => {
  if (!(of.excess > 0)) throw new RangeError(`labels to decide: expected an excess above 0, got ${of.excess}`);
  const observed = of.losses.reduce((sum, x) => sum + x, 0) / of.losses.length;
  const known = of.losses.length >= ENOUGH;
  const target = Math.max(of.mean + of.excess, known ? observed : 0);
  const sorted = known
    ? [...of.losses].sort((a, b) => a - b).map((x) => clamp(x + target - observed))
    : Array.from({ length: QUANTILES }, (_, i) => clamp((2 * target * (i + 0.5)) / QUANTILES));
  const threshold = 2 * of.alarmAt;
  let detector = ESr.start({ mean: of.mean });
  let n = 0;
  while (detector.value < threshold && n < MOST)
    detector = detector.update(sorted[Math.floor(vanDerCorput(++n) * sorted.length)] as number);
  const left = 1 - Math.log(Math.max(1, of.eValue)) / Math.log(of.alarmAt);
  return Math.max(1, Math.ceil(n * Math.max(0, left)));
};
