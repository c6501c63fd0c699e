import { type Check, short } from '../check.ts';

interface State {
  /** The value before it, and when that was. */
  value: number | null;
  time: number;
}

/**
 * A change that is faster than the signal can be. It is measured against the value before, also one that was too fast
 * itself: a spike gives two, up and down, a step one. Where time does not go forward nothing is said.
 */
export const rate: Check<State> = {
  name: 'rate',
  says: 'changes faster than the signal can',
  effect: 'UNCERTAIN',
  signalIs: 'UNCERTAIN',
  isForHistory: false,
  applies: (rules) => rules.maxRate !== undefined,
  start: () => ({ value: null, time: 0 }),
  take(state, { value, quality, sourceTime }, { rules, unit }) {
    if (value === null || quality === 'BAD') return undefined;
    const before = state.value;
    const seconds = (sourceTime - state.time) / 1000;
    state.value = value;
    state.time = sourceTime;
    if (before === null || seconds <= 0) return undefined;
    const change = Math.abs(value - before) / seconds;
    const most = rules.maxRate as number;
    if (change <= most) return null;
    return {
      quality: 'UNCERTAIN',
      says: `changed by ${short(change)} ${unit} a second, at most ${short(most)} is expected`,
      deviation: Number.isFinite(change) ? change - most : null,
    };
  },
};
