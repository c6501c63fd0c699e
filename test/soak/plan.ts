import { seededRandom } from '../../core/policy/bootstrap.ts';

/** What is killed. */
export type Victim = 'device' | 'worker' | 'trainer' | 'plant';

export interface Strike {
  readonly victim: Victim;
  /** Share of the story's usual length that has passed; for a trainer: seconds after a job was seen to run. */
  readonly moment: number;
  /** Chooses among several processes. */
  readonly seed: number;
}

/** One telling of the story, and what is killed in it, in order. */
export interface Trial {
  readonly number: number;
  readonly strikes: readonly Strike[];
}

const VICTIMS: readonly Victim[] = ['device', 'worker', 'trainer'];
const TRAINER_WITHIN_S = 4;

/**
 * `kills` moments, a device, a worker, a trainer in turn, dealt to trials of `each`. A trial kills one trainer at most: the
 * next job runs only when the judge asks again. The same seed gives the same trials.
 */
export const planTrials = (
  kills: number,
  seed: number,
  only: readonly Victim[] = VICTIMS,
  each = 1,
): readonly Trial[] => {
  const next = seededRandom(seed);
  const strikes = Array.from({ length: kills }, (_, i): Strike => {
    const victim = only[i % only.length] as Victim;
    const moment = next();
    return {
      victim,
      moment: victim === 'trainer' ? moment * TRAINER_WITHIN_S : moment,
      seed: Math.floor(next() * 2 ** 31),
    };
  });
  const trials = Array.from({ length: Math.ceil(kills / each) }, (_, t) => strikes.slice(t * each, (t + 1) * each));
  return trials.map((dealt, t) => ({
    number: t + 1,
    // A trainer is waited for beside the others, whose moments are shares of the story.
    strikes: dealt.sort((a, b) => a.moment - b.moment),
  }));
};
