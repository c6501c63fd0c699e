import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';
import { gammaPQ } from '../tolerance/noncentral-chi2.ts';

const count = z.int().nonnegative();
/** Errors of all records, and which of the newest were errors: the newest last. */
const State = z.strictObject({ n: count, errors: count, recent: z.array(z.literal([0, 1])).readonly() });
type State = z.infer<typeof State>;

/** Test of equal proportions with continuity correction: the newest records against all others; 0 where nothing differs. */
const statistic = ({ n, errors, recent }: State): number => {
  const newest = recent.length;
  const older = n - newest;
  const p = errors / n;
  const each = 1 / older + 1 / newest;
  const sd = Math.sqrt(p * (1 - p) * each);
  const mine = recent.reduce<number>((sum, x) => sum + x, 0);
  return sd > 0 ? (Math.abs((errors - mine) / older - mine / newest) - 0.5 * each) / sd : 0;
};

/** P(N(0, 1) > |t|): the sign of a statistic that the correction made negative does not count, as in its source. */
const upperTail = (t: number): number => gammaPQ(0.5, (t * t) / 2)[1] / 2;

export const definition = defineDetector({
  name: 'stepd',
  watches: 'error',
  says: 'an error rate of the newest records that is another than that of all before, up or down',
  source: 'Nishida & Yamauchi 2007; defaults and form of Frouros 0.9.0 (a one-sided tail of a two-sided distance)',
  options: {
    alpha: { default: 0.003, min: 1e-300, max: 0.999 },
    newest: { default: 30, min: 2, max: 10_000, whole: true },
  },
  state: State,
  start: () => ({ n: 0, errors: 0, recent: [] }),
  step: ({ n, errors, recent }, x, { newest }) => ({
    n: n + 1,
    errors: errors + x,
    recent: [...recent.slice(recent.length < newest ? 0 : 1), x as 0 | 1],
  }),
  value: (s, { newest }) => (s.n >= 2 * newest ? statistic(s) : 0),
  inAlarm: (s, { alpha, newest }) => s.n >= 2 * newest && upperTail(statistic(s)) < alpha,
});
