import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

const count = z.int().nonnegative();
const State = z.strictObject({
  n: count,
  rate: z.number(),
  /** Rate and deviation at the best moment so far. */
  best: z.tuple([z.number(), z.number()]).readonly().nullable(),
  /** Records in a row in which it warned. */
  warnings: count,
  /** The last errors, 32 in a word, in a ring: where the next goes, and how many there are. */
  ring: z.array(z.int()).readonly(),
  next: count,
  held: count,
  /** Errors to learn the rate anew from before the next record; null: go on. */
  relearn: count.nullable(),
  inAlarm: z.boolean(),
});
type State = z.infer<typeof State>;

const bitAt = (ring: readonly number[], i: number): number => ((ring[i >> 5] as number) >>> (i & 31)) & 1;

const deviation = (rate: number, n: number): number => Math.sqrt((rate * (1 - rate)) / n);

const better = (best: State['best'], rate: number, sd: number): State['best'] =>
  best === null || rate + sd < best[0] + best[1] ? [rate, sd] : best;

type Options = Readonly<Record<'stable' | 'warmUp', number>>;

/** Starts again from the errors that are kept: after a change those since the warning, of a long concept the newest. */
const relearnt = (s: State, kept: number, { stable, warmUp }: Options): State => {
  let rate = 0;
  let best: State['best'] = null;
  for (let n = 1; n <= kept; n++) {
    rate += (bitAt(s.ring, (s.next - kept + n - 1 + stable) % stable) - rate) / n;
    if (s.inAlarm && n >= warmUp) best = better(best, rate, deviation(rate, n));
  }
  return { ...s, n: kept, rate, best, warnings: 0, held: kept, relearn: null, inAlarm: false };
};

const pushed = (s: State, x: number, stable: number): Pick<State, 'ring' | 'next' | 'held'> => {
  const word = s.next >> 5;
  const bit = 1 << (s.next & 31);
  const before = s.ring[word] as number;
  const after = x === 1 ? before | bit : before & ~bit;
  const ring = after === before ? s.ring : s.ring.with(word, after);
  return { ring, next: (s.next + 1) % stable, held: Math.min(stable, s.held + 1) };
};

const level = ({ best, rate, n }: State): number => {
  if (best === null) return 0;
  const above = rate + deviation(rate, n) - best[0];
  return above <= 0 ? 0 : Math.min(Number.MAX_VALUE, above / best[1]);
};

export const definition = defineDetector({
  name: 'rddm',
  watches: 'error',
  says: 'as ddm, but long concepts are cut to their newest records, so that it stays sensitive',
  source: 'Barros et al. 2017, which after a change keeps what came since the warning; defaults of Frouros 0.9.0',
  options: {
    warning: { default: 1.773, min: 0.1, max: 100 },
    drift: { default: 2.258, min: 0.1, max: 100 },
    longest: { default: 40_000, min: 100, max: 1e7, whole: true },
    stable: { default: 7000, min: 32, max: 1e5, whole: true },
    patience: { default: 1400, min: 1, max: 1e6, whole: true },
    warmUp: { default: 129, min: 2, max: 1e6, whole: true },
  },
  problem: ({ warning, drift }) =>
    warning < drift ? null : `expected warning to be below drift, got ${warning} and ${drift}`,
  state: State,
  start: ({ stable }) => ({
    n: 0,
    rate: 0,
    best: null,
    warnings: 0,
    ring: new Array(Math.ceil(stable / 32)).fill(0),
    next: 0,
    held: 0,
    relearn: null,
    inAlarm: false,
  }),
  step: (before, x, o) => {
    const kept = before.relearn === null ? before : relearnt(before, before.relearn, o);
    const n = kept.n + 1;
    const rate = kept.rate + (x - kept.rate) / n;
    const s: State = { ...kept, ...pushed(kept, x, o.stable), n, rate };
    if (n < o.warmUp) return s;
    const now: State = { ...s, best: better(s.best, rate, deviation(rate, n)) };
    const at = level(now);
    const since = Math.min(now.held, s.warnings + 1);
    if (at > o.drift) return { ...now, relearn: since, inAlarm: true };
    if (at > o.warning)
      return s.warnings >= o.patience ? { ...now, relearn: 1, inAlarm: true } : { ...now, warnings: s.warnings + 1 };
    return { ...now, warnings: 0, relearn: n >= o.longest ? now.held : null };
  },
  value: level,
  inAlarm: (s) => s.inAlarm,
});
