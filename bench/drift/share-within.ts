/** A share with its 95 % interval (Wilson 1927). */
export const shareWithin = (
  count: number,
  of: number,
): { readonly value: number; readonly interval: readonly [number, number] } => {
  const z = 1.959964;
  const p = count / of;
  const middle = (p + (z * z) / (2 * of)) / (1 + (z * z) / of);
  const reach = (z / (1 + (z * z) / of)) * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  return { value: p, interval: [count === 0 ? 0 : Math.max(0, middle - reach), Math.min(1, middle + reach)] };
};
