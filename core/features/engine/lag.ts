import type { Params } from './feature.ts';

/** What is wrong with the parameter `frames`, how far a feature looks back. */
export const lagProblem = (params: Params, window: number): string | undefined => {
  const frames = params['frames'] as number;
  return Number.isInteger(frames) && frames >= 1 && frames < window
    ? undefined
    : `"frames" must be a whole number from 1 to ${window - 1} (one less than its window), it is ${frames}`;
};
