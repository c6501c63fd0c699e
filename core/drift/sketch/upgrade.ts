import { BaselineSpec, DecileBaseline, Q, T2 } from '../../contracts/baseline.ts';
import { ContractError, parseAs } from '../../contracts/errors.ts';
import { layoutOf } from './cells.ts';

/** Decisions in one judgement where a baseline names no window. */
const WINDOW_ROWS = 500;

/**
 * A baseline of deciles on cells: what it knew stays, what it did not know is absent. Its windows were counted on the
 * deciles alone, as tests do: the other cells are empty and go with their neighbours.
 */
const upgraded = (old: DecileBaseline): BaselineSpec => ({
  schema: 'baseline/2',
  featureSetDigest: old.featureSetDigest,
  rows: old.rows,
  windows: old.windows ?? { rows: WINDOW_ROWS, count: 0 },
  features: old.features.map(({ name, edges, shares, mean, std, windowStatistic, fewestBins }) => ({
    name,
    cells: { kind: 'numeric', edges, atoms: [], range: null, center: mean, scale: std > 0 ? std : 1 },
    counts: [...shares.map((s) => Math.round(s * old.rows)), 0, 0, 0, 0],
    ...(windowStatistic === undefined ? {} : { windowStatistic }),
    ...(fewestBins === undefined ? {} : { fewestCells: fewestBins }),
  })),
  joint: null,
  contexts: [],
});

const isOnCells = (counts: readonly (readonly number[])[], features: BaselineSpec['features']): boolean =>
  counts.length === features.length && counts.every((c, i) => c.length === features[i]?.counts.length);

const seasonProblems = ({ features, windows, season }: BaselineSpec): readonly string[] =>
  season === undefined
    ? []
    : [
        ...season.cells.flatMap(({ context, cell, counts, rows }, i) => [
          ...(isOnCells(counts, features)
            ? []
            : [`season ${context} ${cell}: expected counts of the cells of all ${features.length} features`]),
          ...(season.windows.filter((w) => w === i).length * windows.rows === rows
            ? []
            : [`season ${context} ${cell}: expected the rows of its windows, got ${rows}`]),
        ]),
        ...(season.windows.length === windows.count &&
        season.windows.every((w) => w === null || w < season.cells.length)
          ? []
          : [`season: expected one of its ${season.cells.length} cells or null for each of ${windows.count} windows`]),
      ];

const problemsOf = ({ features, joint, contexts }: BaselineSpec): readonly string[] => [
  ...features.flatMap(({ name, cells, counts }) => {
    const { count } = layoutOf(cells);
    return counts.length === count ? [] : [`${name}: expected counts of its ${count} cells, got ${counts.length}`];
  }),
  ...contexts.flatMap(({ context, counts }) =>
    isOnCells(counts, features)
      ? []
      : [`context ${context}: expected counts of the cells of all ${features.length} features`],
  ),
  ...(joint === null || (features.at(-2)?.name === T2 && features.at(-1)?.name === Q)
    ? []
    : [`features: expected ${T2} and ${Q} as the last, for there is a joint distribution`]),
  ...(joint !== null && [joint.mean, joint.scale, ...joint.loadings].some((of) => of.length !== features.length - 2)
    ? [`joint: expected a number for each of ${features.length - 2} features`]
    : []),
];

/**
 * The baseline of a package, of this or of an older form.
 * @param what names it in errors. @throws {ContractError} when it is neither form, or its parts do not fit.
 */
export const readBaseline = (document: unknown, what: string): BaselineSpec => {
  const baseline =
    (document as { readonly schema?: unknown } | null)?.schema === 'baseline/1'
      ? upgraded(parseAs(DecileBaseline, document, what))
      : parseAs(BaselineSpec, document, what);
  const problems = [...problemsOf(baseline), ...seasonProblems(baseline)];
  if (problems.length > 0) throw new ContractError(what, problems);
  return baseline;
};

/**
 * @param names of the features that its model reads, in their order. @param what names the baseline in errors.
 * @throws {ContractError} when it is a baseline of others.
 */
export const checkFeatures = ({ features, joint }: BaselineSpec, names: readonly string[], what: string): void => {
  const own = features.map((f) => f.name).slice(0, joint === null ? undefined : -2);
  if (JSON.stringify(own) !== JSON.stringify(names))
    throw new ContractError(what, [
      `features: expected ${names.join(', ')} as the feature set has them, got ${own.join(', ')}`,
    ]);
};
