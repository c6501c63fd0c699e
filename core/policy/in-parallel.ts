/** Does work for each item, `width` at once; results in the order of the items. */
export const inParallel = async <T, U>(
  items: readonly T[],
  work: (item: T) => Promise<U>,
  width = 32,
): Promise<U[]> => {
  const done: U[] = [];
  for (let i = 0; i < items.length; i += width) done.push(...(await Promise.all(items.slice(i, i + width).map(work))));
  return done;
};
