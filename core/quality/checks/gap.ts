import type { QualityRules } from '../../contracts/quality.ts';
import { type Breach, type Check, short } from '../check.ts';

interface State {
  last: number | null;
  received: number;
  /** Silence that was said while it lasted, milliseconds; 0 = none. */
  said: number;
}

/** Intervals of silence that are a gap where `gapSeconds` does not say. */
const INTERVALS = 5;

const longest = (rules: QualityRules): number =>
  1000 * (rules.gapSeconds ?? INTERVALS * (rules.intervalSeconds as number));

const silence = (from: number, ms: number, says: string, rules: QualityRules): Breach => ({
  quality: 'GOOD',
  says,
  deviation: ms / 1000,
  from,
  count: Math.max(1, rules.intervalSeconds === undefined ? 1 : Math.round(ms / 1000 / rules.intervalSeconds) - 1),
  isWhole: true,
});

/**
 * Silence: no value, of whatever quality, for longer than expected. By source time once the next value is there; before
 * that by the clock of the gateway. The values missing count, where an interval is known.
 */
export const gap: Check<State> = {
  name: 'gap',
  says: 'no value for longer than `gapSeconds`, or than five times `intervalSeconds`',
  effect: 'none: the value after it is as good as it came',
  signalIs: 'BAD',
  isForHistory: false,
  applies: (rules) => rules.gapSeconds !== undefined || rules.intervalSeconds !== undefined,
  start: () => ({ last: null, received: 0, said: 0 }),
  take(state, { sourceTime, receivedTime }, { rules }) {
    const { last, received, said } = state;
    state.last = sourceTime;
    state.received = receivedTime;
    state.said = 0;
    if (last === null) return undefined;
    const ms = sourceTime - last;
    if (ms > longest(rules)) return silence(last, ms, `no value for ${short(ms / 1000)} s`, rules);
    if (said === 0) return null;
    const waited = receivedTime - received;
    return silence(last, waited, `nothing came for ${short(waited / 1000)} s, then the values of that time`, rules);
  },
  flush(state, at, { rules }) {
    if (state.last === null) return null;
    const ms = at - state.received;
    if (ms <= longest(rules) || ms < 2 * state.said) return null;
    state.said = ms;
    return silence(state.last, ms, `no value for ${short(ms / 1000)} s`, rules);
  },
};
