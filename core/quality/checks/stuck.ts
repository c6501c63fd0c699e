import { type Check, short } from '../check.ts';

interface State {
  value: number | null;
  /** Source time of the first value that was the same. */
  since: number;
  last: number;
  /** How long, summed forward in time: a clock that is set back takes nothing from it. */
  lasted: number;
  count: number;
}

/** The same number for too long: in a live sensor noise moves the last digit. BAD values between are passed over. */
export const stuck: Check<State> = {
  name: 'stuck',
  says: 'the same number for longer than `stuckSeconds`',
  effect: 'UNCERTAIN, from the value on with which it is too long',
  signalIs: 'UNCERTAIN',
  isForHistory: false,
  applies: (rules) => rules.stuckSeconds !== undefined,
  start: () => ({ value: null, since: 0, last: 0, lasted: 0, count: 0 }),
  take(state, { value, quality, sourceTime }, { rules }) {
    if (value === null || quality === 'BAD') return undefined;
    if (value === state.value) {
      state.lasted += Math.max(0, sourceTime - state.last);
      state.count += 1;
    } else Object.assign(state, { value, since: sourceTime, lasted: 0, count: 1 });
    state.last = sourceTime;
    const seconds = state.lasted / 1000;
    if (seconds <= (rules.stuckSeconds as number)) return null;
    return {
      quality: 'UNCERTAIN',
      says: `the same value ${short(value)} for ${short(seconds)} s`,
      deviation: seconds,
      from: state.since,
      count: state.count,
    };
  },
};
