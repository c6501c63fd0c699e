import type { Check, CheckedValue } from '../check.ts';

interface State {
  times: number[];
  /** As {@link kept}. */
  values: CheckedValue['raw'][];
  newest: number | null;
}

/** Values that are remembered: a time that comes again after more is not noticed. */
const REMEMBERED = 64;

/** A value as JSON keeps it whole: NaN, the infinities and minus zero would come back as something else. */
const kept = (raw: CheckedValue['raw']): CheckedValue['raw'] => {
  if (typeof raw !== 'number') return raw;
  return Number.isFinite(raw) ? raw + 0 : String(raw);
};

/**
 * Two values of one time. The same again is a repetition; another one leaves open which is true. The last 64 values are
 * remembered, so that also a clock that was set back by so many is seen.
 */
export const duplicateTime: Check<State> = {
  name: 'duplicate-time',
  says: 'the time of one of the last 64 values again',
  effect: 'UNCERTAIN with another value; with the same one as it came, and it counts once',
  signalIs: 'UNCERTAIN',
  isForHistory: true,
  applies: () => true,
  start: () => ({ times: [], values: [], newest: null }),
  take(state, { raw, sourceTime }) {
    const isOlder = state.newest !== null && sourceTime <= state.newest;
    const at = isOlder ? state.times.lastIndexOf(sourceTime) : -1;
    const before = state.values[at];
    state.times.push(sourceTime);
    state.values.push(kept(raw));
    if (!isOlder) state.newest = sourceTime;
    if (state.times.length > REMEMBERED) {
      state.times.shift();
      state.values.shift();
    }
    if (at < 0) return state.times.length === 1 ? undefined : null;
    return before === kept(raw)
      ? { quality: 'GOOD', says: 'the same value of the same time again', deviation: null }
      : { quality: 'UNCERTAIN', says: 'another value of the same time was there before', deviation: null };
  },
};
