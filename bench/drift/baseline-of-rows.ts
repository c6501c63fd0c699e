import { type BaselineFeature, type BaselineSpec, Q, T2 } from '#core/contracts/baseline.ts';
import type { DriftWindow } from '#core/contracts/drift.ts';
import type { Season } from '#core/contracts/season.ts';
import { seasonCell, seasonContext } from '#core/drift/baselines/seasonal.ts';
import { psi, sharesOf } from '#core/drift/effects/psi.ts';
import { cellOf, layoutOf } from '#core/drift/sketch/cells.ts';
import { UNITS } from '#core/drift/sketch/feature-sketch.ts';
import { JointDistance } from '#core/drift/sketch/joint.ts';
import { poolCells, pooledCounts } from '#core/drift/sketch/pool.ts';
import { WindowSketch } from '#core/drift/sketch/window-sketch.ts';
import { componentsOf } from './principal-components.ts';

type Row = readonly number[];

export interface ReferenceRows {
  readonly rows: readonly Row[];
  /** Rows of a window. */
  readonly window: number;
  /** Context of each row; absent: they have none. */
  readonly contexts?: readonly string[];
  /** Share of the variance that components of the joint distribution hold; absent: it is not watched. */
  readonly joint?: number;
  /** Inner cells at quantiles; 20 as the trainer makes them. */
  readonly cells?: number;
  /** Whose cells have references of their own, and when each row was, milliseconds; absent: none have. */
  readonly season?: { readonly of: Season; readonly at: readonly number[] };
}

/** A value that so large a share of the rows has gets a cell of its own. */
const ATOM_SHARE = 0.05;
const TAILS = [0.001, 0.999] as const;

const quantile = (sorted: Row, q: number): number => {
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const [a, b] = [sorted[low] as number, sorted[Math.min(low + 1, sorted.length - 1)] as number];
  return a + (b - a) * (at - low);
};

const cellsOf = (column: Row, cells: number): BaselineFeature['cells'] => {
  const times = new Map<number, number>();
  for (const x of column) times.set(x, (times.get(x) ?? 0) + 1);
  const atoms = [...times].filter(([, n]) => n >= ATOM_SHARE * column.length).map(([x]) => x);
  atoms.sort((a, b) => a - b);
  const rest = column.filter((x) => !atoms.includes(x));
  const sorted = (rest.length > 0 ? rest : [...column]).sort((a, b) => a - b);
  const inner = Array.from({ length: cells - 1 }, (_, i) => quantile(sorted, (i + 1) / cells));
  const [low, high] = TAILS.map((q) => quantile(sorted, q)) as [number, number];
  const edges = [...new Set([low, ...inner, high])].sort((a, b) => a - b);
  const held = column.map((x) => Math.min(high, Math.max(low, x)));
  const center = held.reduce((a, b) => a + b, 0) / held.length;
  const scale = Math.sqrt(held.reduce((s, x) => s + (x - center) ** 2, 0) / held.length) || 1;
  return { kind: 'numeric', edges, atoms, range: null, center, scale };
};

const add = (a: Row, b: Row): number[] => a.map((x, i) => x + (b[i] as number));
const less = (a: Row, b: Row): number[] => a.map((x, i) => x - (b[i] as number));
const total = (a: Row): number => a.reduce((x, y) => x + y, 0);

interface Counted {
  readonly context: string;
  readonly counts: number[];
  readonly mean: number;
}

/** Which cell of the season each whole window lies in, and the cells: those of each context apart, all that have windows. */
const placesOf = (contexts: readonly string[], { window, season }: ReferenceRows) => {
  if (season === undefined) return null;
  const instant = (row: number | undefined): string => new Date(season.at[row as number] as number).toISOString();
  const names = [...new Set(contexts)].flatMap((context) => {
    const rows = contexts.flatMap((c, i) => (c === context ? [i] : []));
    return Array.from({ length: Math.floor(rows.length / window) }, (_, w) => ({
      context,
      cell: seasonCell(instant(rows[w * window]), instant(rows[(w + 1) * window - 1]), season.of),
    }));
  });
  const keys = new Map<string, { readonly context: string; readonly cell: string; readonly place: number }>();
  const places = names.map(({ context, cell }) => {
    if (cell === null) return null;
    const key = seasonContext(context, cell);
    const known = keys.get(key) ?? { context, cell, place: keys.size };
    keys.set(key, known);
    return known.place;
  });
  return { of: season.of, places, cells: [...keys.values()] };
};

const statisticOf = (windows: readonly (readonly [own: Row, all: Row])[], groups: readonly number[]) => {
  const found = windows.flatMap(([own, all]) => {
    const others = pooledCounts(groups, less(all, own));
    const [n, m] = [total(own), total(others)];
    return m < n ? [] : [((n * m) / (n + m)) * psi(sharesOf(others), sharesOf(pooledCounts(groups, own)))];
  });
  const mean = total(found) / found.length;
  const variance = found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (found.length - 1);
  return found.length < 2 ? undefined : { mean, variance };
};

const featureOf = (
  name: string,
  column: Row,
  contexts: readonly string[],
  { window, cells = 20 }: ReferenceRows,
  season: ReturnType<typeof placesOf>,
) => {
  const feature = cellsOf(column, cells);
  if (feature.kind !== 'numeric') throw new Error(`${name}: expected numbers`);
  const width = layoutOf(feature).count;
  const none = (): number[] => new Array<number>(width).fill(0);
  const windows: Counted[] = [];
  const byContext = new Map<string, number[]>();
  for (const context of new Set(contexts)) {
    const numbers = column.filter((_, i) => contexts[i] === context);
    let all = none();
    for (let from = 0; from < numbers.length; from += window) {
      const part = numbers.slice(from, from + window);
      const counts = none();
      for (const x of part) counts[cellOf(feature, x)] = (counts[cellOf(feature, x)] as number) + 1;
      all = add(all, counts);
      const mean = part.reduce((s, x) => s + Math.round(((x - feature.center) * UNITS) / feature.scale), 0);
      if (part.length === window) windows.push({ context, counts, mean: mean / part.length / UNITS });
    }
    byContext.set(context, all);
  }
  const counts = [...byContext.values()].reduce(add, none());
  const groups = poolCells({ cells: feature, counts }, window);
  const statistic = statisticOf(
    windows.map((w) => [w.counts, byContext.get(w.context) as number[]]),
    groups,
  );
  const bySeason = (season?.cells ?? []).map((_, place) =>
    windows.reduce((sum, w, i) => (season?.places[i] === place ? add(sum, w.counts) : sum), none()),
  );
  const within = statisticOf(
    windows.flatMap((w, i) => {
      const all = bySeason[season?.places[i] ?? -1];
      return all === undefined ? [] : [[w.counts, all] as const];
    }),
    groups,
  );
  const spec: BaselineFeature = {
    name,
    cells: feature,
    counts,
    ...(statistic === undefined ? {} : { windowStatistic: statistic }),
    ...(within === undefined ? {} : { seasonStatistic: within }),
    windowMeans: windows.map((w) => w.mean),
    fewestCells: Math.min(...windows.map((w) => w.counts.filter((c) => c > 0).length)),
  };
  return { spec, windows: windows.length, byContext, bySeason };
};

/** A baseline of rows as the trainer makes it (training/millwright_training/baseline.py), for data that is made or read here. */
export const baselineOfRows = (names: readonly string[], of: ReferenceRows): BaselineSpec => {
  const joint = of.joint === undefined ? null : componentsOf(of.rows, of.joint);
  const distance = joint === null ? null : new JointDistance(joint);
  const rows = of.rows.map((row) => {
    if (distance === null) return row;
    distance.measure(row);
    return [...row, distance.t, distance.q];
  });
  const contexts = of.contexts ?? rows.map(() => 'all');
  const all = distance === null ? names : [...names, T2, Q];
  const season = placesOf(contexts, of);
  const features = all.map((name, i) =>
    featureOf(
      name,
      rows.map((r) => r[i] as number),
      contexts,
      of,
      season,
    ),
  );
  return {
    schema: 'baseline/2',
    featureSetDigest: `sha256:${'0'.repeat(64)}`,
    rows: rows.length,
    windows: { rows: of.window, count: features[0]?.windows ?? 0 },
    features: features.map((f) => f.spec),
    joint,
    contexts:
      of.contexts === undefined
        ? []
        : [...new Set(contexts)].map((context) => ({
            context,
            rows: contexts.filter((c) => c === context).length,
            counts: features.map((f) => f.byContext.get(context) as number[]),
          })),
    ...(season === null
      ? {}
      : {
          season: {
            of: season.of,
            cells: season.cells.map(({ context, cell, place }) => ({
              context,
              cell,
              rows: season.places.filter((p) => p === place).length * of.window,
              counts: features.map((f) => f.bySeason[place] as number[]),
            })),
            windows: season.places,
            leftOut: [],
          },
        }),
  };
};

export interface SeenRows {
  readonly rows: readonly (readonly (number | string | null)[])[];
  /** Of the first decision; windows of one device rise. */
  readonly sequence: number;
  /** Of the first row, milliseconds; and between two rows. */
  readonly at: number;
  readonly every: number;
  readonly context?: string;
  readonly asset?: string;
}

const NOWHERE = { site: 'plant-a', device: 'edge-1', boot: 'boot-1', modelLine: 'study/plant-a' };

/** Rows as a device counts and sends them. @throws {RangeError} when they are not as wide as the baseline. */
export const windowOfRows = (
  baseline: BaselineSpec,
  { rows, sequence, at, every, context = 'all', asset = 'asset-1' }: SeenRows,
): DriftWindow => {
  const sketch = new WindowSketch(baseline);
  for (const [i, x] of rows.entries())
    sketch.add({ sequence: sequence + i, asset, sourceTime: new Date(at + i * every).toISOString(), x });
  const window = sketch.window({ ...NOWHERE, packageDigest: `sha256:${'1'.repeat(64)}`, context });
  if (window === null) throw new RangeError('a window of rows: expected one row at least, got none');
  return window;
};
