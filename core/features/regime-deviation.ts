import type { Params, WindowFeature, WindowInput } from './engine/feature.ts';

const lists = (params: Params) => ({
  by: params['by'] as readonly string[],
  centres: params['centres'] as readonly number[],
  scales: params['scales'] as readonly number[],
  means: params['means'] as readonly number[],
  stds: params['stds'] as readonly number[],
});

const problem = (params: Params): string | undefined => {
  const { by, centres, scales, means, stds } = lists(params);
  if (scales.length !== by.length || scales.some((s) => s <= 0))
    return `"scales" must be a number above 0 for each of the ${by.length} signals of "by", they are ${JSON.stringify(scales)}`;
  if (means.length !== stds.length || stds.some((s) => s <= 0))
    return `"stds" must be a number above 0 for each of the ${means.length} regimes of "means", they are ${JSON.stringify(stds)}`;
  return centres.length === means.length * by.length
    ? undefined
    : `"centres" must be ${means.length} regimes × ${by.length} signals of "by", regime by regime, they are ${centres.length} numbers`;
};

/** Regime of a frame: the nearest centre, the first of equals. Undefined where an operating signal is not good. */
const regimeOf = (
  columns: readonly Float64Array[],
  i: number,
  { centres, scales }: Pick<ReturnType<typeof lists>, 'centres' | 'scales'>,
): number | undefined => {
  let nearest: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let r = 0; r * columns.length < centres.length; r++) {
    let distance = 0;
    for (let k = 0; k < columns.length; k++) {
      const off =
        (((columns[k] as Float64Array)[i] as number) - (centres[r * columns.length + k] as number)) /
        (scales[k] as number);
      distance += off * off;
    }
    if (distance < least) {
      least = distance;
      nearest = r;
    }
  }
  return nearest;
};

export const regimeDeviation: WindowFeature = {
  name: 'regime-deviation',
  kind: 'window',
  version: 1,
  says: 'Mean over the window of the value less the mean of its operating regime, in standard deviations of the regime (Peel 2008, on C-MAPSS). The regime of a frame is the nearest of `centres`, regime by regime the values of the signals `by`, each divided by its `scales`; `means` and `stds` are of the signal in each regime.',
  missing: 'Frames in which the signal or one of `by` is not good are left out; missing when none is left.',
  params: { by: 'scalar-signals', centres: 'numbers', scales: 'numbers', means: 'levels', stds: 'levels' },
  example: { by: ['speed'], centres: [1000, 2500], scales: [100], means: [1, 5], stds: [0.5, 2] },
  refuse: problem,
  unit: () => '1',
  compute: ({ values, column, params }: WindowInput) => {
    const regimes = lists(params);
    const { by, means, stds } = regimes;
    const columns = by.map((_, k) => column('by', k));
    let sum = 0;
    let count = 0;
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i])) continue;
      const regime = regimeOf(columns, i, regimes);
      if (regime === undefined) continue;
      sum += ((values[i] as number) - (means[regime] as number)) / (stds[regime] as number);
      count += 1;
    }
    return count === 0 ? undefined : sum / count;
  },
};
