/** A past case and what it turned out to be. */
export interface Case {
  readonly features: readonly number[];
}

/**
 * Past cases nearest to what the model saw, nearest first: standardised Euclidean distance over the root of the number
 * of features, so that 1 means one training standard deviation in each. Features that did not vary in training say
 * nothing and are left out; so are cases of another number of features, and everything when no feature is left.
 * @param stds standard deviation of each feature in training. @param count how many at most.
 */
export const similarCases = <T extends Case>(
  features: readonly number[],
  stds: readonly number[],
  cases: readonly T[],
  count: number,
): readonly { readonly case: T; readonly distance: number }[] => {
  const varied = stds.flatMap((std, i) => (std > 0 && i < features.length ? [i] : []));
  if (varied.length === 0) return [];
  const distanceTo = (other: readonly number[]): number =>
    Math.sqrt(
      varied.reduce(
        (sum, i) => sum + (((features[i] as number) - (other[i] as number)) / (stds[i] as number)) ** 2,
        0,
      ) / varied.length,
    );
  return cases
    .filter((c) => c.features.length === features.length)
    .map((c) => ({ case: c, distance: distanceTo(c.features) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count);
};
