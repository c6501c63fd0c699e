import { z } from 'zod';
import { Digest, Slug } from './primitives.ts';
import { Season } from './season.ts';

/**
 * How values of one feature are put into cells, fixed with the model so that counts of any windows can be added
 * (docs/drift.md). Cells in this order: inner cells between `edges` (edges + 1 of them), one for each atom, `under`,
 * `over`, `missing` (null and NaN), `infinite`; of a category: one for each name, `other`, `unseen`, `missing`.
 */
export const NumericCells = z.strictObject({
  kind: z.literal('numeric'),
  edges: z
    .array(z.number())
    .min(1)
    .describe('inner edges, ascending: reference quantiles, the outermost at 0.1 and 99.9 %'),
  atoms: z.array(z.number()).describe('values that many reference rows have exactly: a cell each'),
  range: z.tuple([z.number(), z.number()]).nullable().describe('what is possible; outside is under or over'),
  center: z.number().describe('moments are counted in (value − center) / scale'),
  scale: z.number().positive(),
});
export type NumericCells = z.infer<typeof NumericCells>;

export const CategoryCells = z.strictObject({
  kind: z.literal('category'),
  names: z.array(z.string()).min(1).describe('names with a cell of their own, the most frequent first'),
  others: z.array(z.string()).describe('names the reference had too rarely for a cell: they count as other'),
});
export type CategoryCells = z.infer<typeof CategoryCells>;

export const BaselineFeature = z.strictObject({
  name: z.string(),
  cells: z.discriminatedUnion('kind', [NumericCells, CategoryCells]),
  counts: z.array(z.int().nonnegative()).describe('reference rows in each cell'),
  windowStatistic: z
    .strictObject({ mean: z.number().nonnegative(), variance: z.number().nonnegative() })
    .optional()
    .describe(
      'of nm / (n + m) · PSI between a reference window of n rows and the m others of its context, on pooled cells',
    ),
  seasonStatistic: z
    .strictObject({ mean: z.number().nonnegative(), variance: z.number().nonnegative() })
    .optional()
    .describe('the same against the others of its cell of the season'),
  windowMeans: z
    .array(z.number())
    .optional()
    .describe(
      'mean of (value − center) / scale of each reference window, context after context as in `contexts`, in their order: limits are bootstrapped from them',
    ),
  fewestCells: z.int().positive().optional().describe('cells that a reference window fills at least'),
});
export type BaselineFeature = z.infer<typeof BaselineFeature>;

/**
 * Joint distribution of the features, frozen with the model: principal components of the standardised reference rows
 * (Jackson & Mudholkar 1979). T² of the kept components and Q, the squared rest, are counted by their roots as two more
 * features: squares have tails too heavy for means of windows.
 */
export const JointBaseline = z.strictObject({
  mean: z.array(z.number()),
  scale: z.array(z.number().positive()),
  loadings: z.array(z.array(z.number())).min(1).describe('components × features, rows orthonormal'),
  variances: z.array(z.number().positive()).describe('of each component'),
});
export type JointBaseline = z.infer<typeof JointBaseline>;

/** Names of the two features that tell of the joint distribution; they come after all others. */
export const T2 = 'joint:t2';
export const Q = 'joint:q';

/** References by the time of day: of each cell the reference windows whose middle lies in it (core/drift/baselines/seasonal.ts). */
export const SeasonBaseline = z.strictObject({
  of: Season.describe('whose cells they are; of another season nobody knows what training had'),
  cells: z.array(
    z.strictObject({
      context: Slug,
      cell: z.string().regex(/^(d[1-7]-)?h[0-2][0-9]$/),
      rows: z.int().positive(),
      counts: z.array(z.array(z.int().nonnegative())).describe('by feature as in `features`, by cell'),
    }),
  ),
  windows: z
    .array(z.int().nonnegative().nullable())
    .describe('which of `cells` each reference window is in; null: in none of them, or of more than a day'),
  leftOut: z
    .array(z.strictObject({ context: Slug, cell: z.string(), windows: z.int().positive() }))
    .describe(
      'cells without a reference, and how many windows they would have had: theirs are held against the context; all cells, where too few windows lay in cells with enough of them',
    ),
});
export type SeasonBaseline = z.infer<typeof SeasonBaseline>;

/** What drift is measured against; by digest, shipped in the package as `baseline.json`. */
export const BaselineSpec = z.strictObject({
  schema: z.literal('baseline/2'),
  featureSetDigest: Digest,
  rows: z.int().positive(),
  windows: z.strictObject({
    rows: z.int().positive().describe('consecutive rows of a window: what a device is judged after'),
    count: z.int().nonnegative().describe('reference windows, without overlap'),
  }),
  features: z
    .array(BaselineFeature)
    .min(1)
    .describe('in the order of the feature set; then joint:t2, joint:q if joint'),
  joint: JointBaseline.nullable(),
  contexts: z
    .array(
      z.strictObject({
        context: Slug,
        rows: z.int().positive(),
        counts: z.array(z.array(z.int().nonnegative())).describe('by feature as in `features`, by cell'),
        windows: z.int().nonnegative().optional().describe('reference windows of it; absent: as many as its rows hold'),
      }),
    )
    .describe('the same cells, the rows of one context alone; contexts that training did not know are not here'),
  season: SeasonBaseline.optional().describe('absent: training was not told that inputs follow the time of day'),
});
export type BaselineSpec = z.infer<typeof BaselineSpec>;

/** What packages had before cells: deciles and their shares. Read by core/drift/sketch/upgrade.ts. */
export const DecileBaseline = z.strictObject({
  schema: z.literal('baseline/1'),
  featureSetDigest: Digest,
  rows: z.int().positive(),
  windows: z.strictObject({ rows: z.int().positive(), count: z.int().nonnegative() }).optional(),
  features: z.array(
    z.strictObject({
      name: z.string(),
      edges: z.array(z.number()).min(1),
      shares: z.array(z.number().min(0).max(1)),
      mean: z.number(),
      std: z.number().nonnegative(),
      windowStatistic: z
        .strictObject({ mean: z.number().nonnegative(), variance: z.number().nonnegative() })
        .optional(),
      fewestBins: z.int().positive().optional(),
    }),
  ),
});
export type DecileBaseline = z.infer<typeof DecileBaseline>;
