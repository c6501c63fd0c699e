/** What is killed in one trial. */
export type Victim = 'device' | 'worker' | 'trainer' | 'plant';

export interface Trial {
  readonly number: number;
  readonly victim: Victim;
  /** Share of the story's usual length that has passed; for a trainer: seconds after a job was seen to run. */
  readonly moment: number;
  /** Chooses among several processes. */
  readonly seed: number;
}

const VICTIMS: readonly Victim[] = ['device', 'worker', 'trainer'];
const TRAINER_WITHIN_S = 4;

/** A stream of numbers in [0, 1), the same for the same seed (mulberry32). */
const numbers = (seed: number) => {
  let state = seed | 0;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Trials in turn: a device, a worker, a trainer, each at a moment of its own. The same seed gives the same trials. */
export const planTrials = (count: number, seed: number, only: readonly Victim[] = VICTIMS): readonly Trial[] => {
  const next = numbers(seed);
  return Array.from({ length: count }, (_, i) => {
    const victim = only[i % only.length] as Victim;
    const moment = next();
    return {
      number: i + 1,
      victim,
      moment: victim === 'trainer' ? moment * TRAINER_WITHIN_S : moment,
      seed: Math.floor(next() * 2 ** 31),
    };
  });
};
