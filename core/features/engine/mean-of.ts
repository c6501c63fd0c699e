let summed: Float64Array | null = null;
let mean = 0;

/** Mean of some values, summed in their order; several features ask for that of the same, which must not change. */
export const meanOf = (values: Float64Array): number => {
  if (values !== summed) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i] as number;
    mean = sum / values.length;
    summed = values;
  }
  return mean;
};
