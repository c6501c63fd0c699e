import { type BaselineSpec, Q, T2 } from '#core/contracts/baseline.ts';
import { checkFeatures, readBaseline } from '#core/drift/sketch/upgrade.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { baselineOf, featureOn, numericCells } from '../../../support/baselines.ts';

const deciles = {
  schema: 'baseline/1',
  featureSetDigest: digestOf('set'),
  rows: 1000,
  windows: { rows: 200, count: 120 },
  features: [
    {
      name: 'speed',
      edges: [1, 2],
      shares: [0.25, 0.5, 0.25],
      mean: 1.5,
      std: 0.75,
      windowStatistic: { mean: 2, variance: 4 },
      fewestBins: 3,
    },
    { name: 'fixed', edges: [7], shares: [0, 1], mean: 7, std: 0 },
  ],
};

describe('a baseline of deciles', () => {
  it('is read on cells, with what it knew and nothing else', () => {
    const read = readBaseline(deciles, 'baseline.json');
    expect(read).toMatchObject({
      schema: 'baseline/2',
      rows: 1000,
      windows: deciles.windows,
      joint: null,
      contexts: [],
    });
    expect(read.features).toEqual([
      {
        name: 'speed',
        cells: numericCells([1, 2], { center: 1.5, scale: 0.75 }),
        counts: [250, 500, 250, 0, 0, 0, 0],
        windowStatistic: { mean: 2, variance: 4 },
        fewestCells: 3,
      },
      { name: 'fixed', cells: numericCells([7], { center: 7 }), counts: [0, 1000, 0, 0, 0, 0] },
    ]);
  });
  it('is judged after 500 rows, uncalibrated, where it names no window', () => {
    const { windows: _, ...none } = deciles;
    expect(readBaseline(none, 'baseline.json').windows).toEqual({ rows: 500, count: 0 });
  });
});

describe('a baseline', () => {
  const plain = numericCells([1, 2, 3]);
  const joint = { mean: [0, 0], scale: [1, 1], loadings: [[1, 0]], variances: [1] };
  const whole = baselineOf([featureOn('a', plain), featureOn('b', plain), featureOn(T2, plain), featureOn(Q, plain)], {
    joint,
    contexts: [{ context: 'day', rows: 10, counts: [0, 1, 2, 3].map(() => [1, 2, 3, 4, 0, 0, 0, 0]) }],
  });
  it('is read as it is', () => {
    expect(readBaseline(whole, 'baseline.json')).toEqual(whole);
  });
  const season: NonNullable<BaselineSpec['season']> = {
    of: { hours: 12 },
    cells: [{ context: 'day', cell: 'h12', rows: 200, counts: whole.features.map((f) => f.counts) }],
    windows: [0, null, 0],
    leftOut: [{ context: 'day', cell: 'h00', windows: 1 }],
  };
  const windows = { rows: 100, count: 3 };
  it('with references by the time of day is read as it is', () => {
    expect(readBaseline({ ...whole, windows, season }, 'baseline.json')).toEqual({ ...whole, windows, season });
  });
  it.each<[string, Partial<BaselineSpec>, string]>([
    [
      'cells of the season of other cells',
      { windows, season: { ...season, cells: season.cells.map((c) => ({ ...c, counts: [[1]] })) } },
      'season day h12: expected counts of the cells of all 4 features',
    ],
    [
      'a cell of the season with other rows than its windows have',
      { windows, season: { ...season, windows: [0, null, null] } },
      'season day h12: expected the rows of its windows, got 200',
    ],
    [
      'a season of other windows',
      { windows: { rows: 100, count: 4 }, season },
      'season: expected one of its 1 cells or null for each of 4 windows',
    ],
    [
      'windows in cells that it does not have',
      { windows, season: { ...season, windows: [0, 1, 0] } },
      'season: expected one of its 1 cells or null for each of 3 windows',
    ],
    [
      'counts of other cells',
      { features: [featureOn('a', plain, { counts: [1] }), ...whole.features.slice(1)] },
      'a: expected counts of its 8 cells, got 1',
    ],
    [
      'contexts of other cells',
      { contexts: [{ context: 'day', rows: 1, counts: [[1]] }] },
      'context day: expected counts of the cells of all 4 features',
    ],
    [
      'a joint distribution without its features',
      { features: whole.features.slice(0, 3), contexts: [] },
      'expected joint:t2 and joint:q as the last',
    ],
    [
      'a joint distribution of other features',
      { joint: { ...joint, mean: [0] } },
      'joint: expected a number for each of 2 features',
    ],
  ])('with %s is refused', (_, change, why) => {
    expect(() => readBaseline({ ...whole, ...change }, 'baseline.json')).toThrow(why);
  });
  it('of other features than the model reads is refused', () => {
    checkFeatures(whole, ['a', 'b'], 'baseline.json');
    expect(() => checkFeatures(whole, ['a', 'c'], 'baseline.json')).toThrow(
      'baseline.json does not match its contract: features: expected a, c as the feature set has them, got a, b',
    );
  });
  it.each([[null], [7], [{ schema: 'baseline/3' }]])('is not read from %j', (document) => {
    expect(() => readBaseline(document, 'baseline.json')).toThrow('baseline.json does not match its contract');
  });
});
