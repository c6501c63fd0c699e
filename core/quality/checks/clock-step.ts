import { type Check, type CheckedValue, short } from '../check.ts';

interface State {
  /** Source time of the first value after a step back that is not yet made up for. */
  steppedTo: number | null;
}

/** A step back that time has not passed again after so long is taken as the new time: the clock was wrong before. */
const REBASE_MS = 86_400_000;

/** The clocks of a plant agree to some seconds at best. */
const CLOCKS_AGREE_MS = 10_000;

/** Seconds by which a value lies in the future, more than clocks differ; else null. @param latenessSeconds as declared. */
export const secondsAhead = (
  { sourceTime, receivedTime }: Pick<CheckedValue, 'sourceTime' | 'receivedTime'>,
  latenessSeconds: number | undefined,
): number | null => {
  const ahead = sourceTime - receivedTime;
  return latenessSeconds !== undefined && ahead > Math.max(1000 * latenessSeconds, CLOCKS_AGREE_MS)
    ? ahead / 1000
    : null;
};

/**
 * The source's clock was set. Back: values whose time lies before the newest by more than the lateness allowed, until
 * that time is passed again, or a day is over. Forward: values from the future, by the gateway's clock, by more than
 * that, and than ten seconds; only where a lateness is declared, for else nobody said how well the clocks agree.
 */
export const clockStep: Check<State> = {
  name: 'clock-step',
  says: 'source time goes back, or lies in the future, by more than `latenessSeconds`',
  effect: 'UNCERTAIN, and in no frame: its time is not known',
  signalIs: 'UNCERTAIN',
  isForHistory: false,
  applies: () => true,
  start: () => ({ steppedTo: null }),
  take(state, { sourceTime, receivedTime, newest }, { rules }) {
    const allowed = 1000 * (rules.latenessSeconds ?? 0);
    const ahead = secondsAhead({ sourceTime, receivedTime }, rules.latenessSeconds);
    if (ahead !== null)
      return {
        quality: 'UNCERTAIN',
        says: `its time is ${short(ahead)} s ahead of when it was received`,
        deviation: ahead,
      };
    const back = newest === null ? 0 : newest - sourceTime;
    if (back <= allowed) {
      state.steppedTo = null;
      return newest === null ? undefined : null;
    }
    state.steppedTo ??= sourceTime;
    if (sourceTime - state.steppedTo >= REBASE_MS) {
      state.steppedTo = null;
      return null;
    }
    return {
      quality: 'UNCERTAIN',
      says: `its time is ${short(back / 1000)} s before that of an earlier value`,
      deviation: back / 1000,
    };
  },
};
