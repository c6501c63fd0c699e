import { type Breach, type Check, short } from '../check.ts';

const outside = (value: number, [low, high]: readonly [number, number], unit: string): Breach | null => {
  if (value >= low && value <= high) return null;
  const off = value < low ? low - value : value - high;
  return {
    quality: 'BAD',
    says: `${short(value)} ${unit} is outside ${short(low)} … ${short(high)}`,
    deviation: Number.isFinite(off) ? off : null,
  };
};

/** A value that cannot be: beyond the physically possible range, or no finite number where one is expected. */
export const range: Check<Record<string, never>> = {
  name: 'range',
  says: 'outside the physically possible range, or no finite number',
  effect: 'BAD',
  signalIs: 'BAD',
  isForHistory: true,
  applies: () => true,
  start: () => ({}),
  take(_state, { raw, value, quality }, { rules, unit }) {
    if (quality === 'BAD' || raw === null) return undefined;
    if (value !== null) return rules.range === undefined ? null : outside(value, rules.range, unit);
    if (typeof raw === 'number') return { quality: 'BAD', says: `${raw} is no finite number`, deviation: null };
    return rules.range === undefined
      ? null
      : { quality: 'BAD', says: 'a text where a number is expected', deviation: null };
  },
};
