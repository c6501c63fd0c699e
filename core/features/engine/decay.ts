import type { Params } from './feature.ts';

/** What is wrong with the parameter `decay`, the factor by which a value counts less with each frame. */
export const decayProblem = (params: Params): string | undefined => {
  const decay = params['decay'] as number;
  return decay > 0 && decay <= 1 ? undefined : `"decay" must be above 0 and at most 1, it is ${decay}`;
};
