import type { Check } from '../check.ts';

/**
 * A value in another unit than the signal has. It is not converted, whatever the unit: who sends degrees Fahrenheit
 * where Celsius is declared has one of the two wrong, and the number does not say which.
 */
export const unit: Check<Record<string, never>> = {
  name: 'unit',
  says: 'sent in another unit than the signal has',
  effect: 'BAD',
  signalIs: 'BAD',
  isForHistory: true,
  applies: () => true,
  start: () => ({}),
  take(_state, value, settings) {
    if (value.unit === settings.unit) return null;
    return {
      quality: 'BAD',
      says: `sent in ${value.unit.slice(0, 40)}, the signal is in ${settings.unit.slice(0, 40)}`,
      deviation: null,
    };
  },
};
