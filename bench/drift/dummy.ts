/**
 * What a detector is worth beside one that only watches the clock: alarms every `period` observations, whatever they are.
 * A metric that rates it near a real detector says little (river, pull request 1963).
 * @returns the observations, from 1, at which it alarms.
 */
export const periodicAlarms = (observations: number, period: number): readonly number[] =>
  Array.from({ length: Math.floor(observations / period) }, (_, i) => (i + 1) * period);
