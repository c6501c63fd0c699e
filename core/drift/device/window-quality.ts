import { type BaselineFeature, type BaselineSpec, Q, T2 } from '../../contracts/baseline.ts';
import type { FeatureSketch } from '../../contracts/drift.ts';
import { layoutOf } from '../sketch/cells.ts';
import { momentsOf } from '../sketch/feature-sketch.ts';
import type { Chart } from './charts.ts';

/** Only a feature that fills so many cells in every reference window cannot rest in one: others do when a machine is well. */
const VARYING_CELLS = 5;
/** A value that stays so many times longer than others do, and at least so many rows, is stuck. */
const STUCK_TIMES = 10;
const STUCK_ROWS = 20;
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** Rows without a usable value that are more than this share above those of the reference. */
const UNUSABLE_SHARE = 0.05;
/** No wear moves or spreads values by so many standard deviations from one window to the next; another unit does. */
const OTHER_UNIT = 8;
/** As far as the last window may have been for that. */
const AS_BEFORE = 4;

const isStuck = ({ cells, fewestCells }: BaselineFeature, { counts, n, longest, changes }: FeatureSketch): boolean => {
  if ((fewestCells ?? 0) < VARYING_CELLS || n < 2 || cells.kind === 'category') return false;
  if (changes === 0 && longest >= n) return true;
  const inside = counts.slice(1, cells.edges.length);
  // In an outermost cell alone is a change: another kind of wear looks like this too.
  if (inside.some((c) => c === sum(counts)) && n >= STUCK_ROWS) return true;
  const others = (n - longest) / Math.max(1, changes);
  return (
    cells.atoms.length === 0 &&
    longest >= Math.max(STUCK_ROWS, STUCK_TIMES * others) &&
    inside.some((c) => c >= longest)
  );
};

const unusableShare = ({ cells }: BaselineFeature, counts: readonly number[]): number => {
  const { missing, infinite, under, over } = layoutOf(cells);
  const total = sum(counts);
  const unusable = [missing, infinite, under, over].reduce<number>(
    (s, i) => s + (i === null ? 0 : (counts[i] as number)),
    0,
  );
  return total === 0 ? 0 : unusable / total;
};

const isOtherUnit = (sketch: FeatureSketch, before: Chart | undefined): boolean => {
  const moments = momentsOf(sketch);
  if (moments === null || (before !== undefined && Math.abs(before.last) > AS_BEFORE)) return false;
  const apart = Math.abs(moments.mean) + Math.sqrt(moments.variance);
  return apart >= OTHER_UNIT;
};

/**
 * Why a window says nothing about drift: a sensor that is stuck, values that are missing or not possible, another unit.
 * Defence behind the checks of values (core/quality), which see each value but not what training saw.
 * @param charts where the features were before. @returns a sentence for each fault; empty when there is none.
 */
export const windowFaults = (
  baseline: BaselineSpec,
  sketches: ReadonlyMap<string, FeatureSketch>,
  charts: Readonly<Record<string, Chart>>,
): readonly string[] => {
  const inOtherUnit = new Set(
    baseline.features
      .filter((f) => f.cells.kind === 'numeric' && f.name !== T2 && f.name !== Q)
      .filter((f) => {
        const sketch = sketches.get(f.name);
        return sketch !== undefined && isOtherUnit(sketch, charts[f.name]);
      })
      .map((f) => f.name),
  );
  // So many at once are another way to run, and no fault of each of their sensors.
  const isOtherWay = inOtherUnit.size > Math.max(1, sketches.size / 2);
  return baseline.features.flatMap((f) => {
    const sketch = sketches.get(f.name);
    if (sketch === undefined) return [];
    const unusable = unusableShare(f, sketch.counts);
    if (unusable > UNUSABLE_SHARE + unusableShare(f, f.counts))
      return [`${f.name} is missing or not possible in ${Math.round(100 * unusable)} % of the rows`];
    if (isStuck(f, sketch)) return [`${f.name} does not vary: its sensor may be stuck`];
    return inOtherUnit.has(f.name) && !isOtherWay
      ? [`${f.name} is beyond all wear at once: look at its unit, scale or sensor`]
      : [];
  });
};
