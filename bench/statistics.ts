/** The middle of some values, of two the larger. */
export const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** What a figure says of repetitions: their median, and the least and the largest. */
export const spreadOf = (
  values: readonly number[],
): { readonly value: number; readonly interval: readonly [number, number] } => ({
  value: medianOf(values),
  interval: [Math.min(...values), Math.max(...values)],
});

/** CPU time of all threads of this process: what else runs on the machine counts less than in the time of a clock. */
export const cpuSeconds = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};
