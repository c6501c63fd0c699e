import type { FeatureRow, FeatureSet } from '../../contracts/feature-set.ts';
import type { Frame } from '../../contracts/frame.ts';
import type { LabelDefinition, SignalDefinition } from '../../contracts/use-case.ts';
import { remainingLife } from '../../outcomes/labels.ts';
import { compileFeatureSet } from './compile.ts';
import { windowLength } from './plan.ts';

/** One row of features without what is only known later. */
type UnlabelledRow = Omit<FeatureRow, 'label'>;

/**
 * Feature rows of a stretch of one run: the same as those of the whole run, as long as the `windowLength − 1` indexes
 * before it are among the frames. A frame whose vector has a missing feature gives no row.
 * @param frames in any order, the first of each index counts; others than those needed are not looked at.
 * @param range indexes wanted, both included.
 */
export const materialiseRange = (
  o: { readonly featureSet: FeatureSet; readonly signals: readonly SignalDefinition[] },
  frames: readonly Frame[],
  range: { readonly first: number; readonly last: number },
): readonly UnlabelledRow[] => {
  const window = compileFeatureSet(o.featureSet, o.signals).open();
  const oldest = range.first - windowLength(o.featureSet) + 1;
  const rows: UnlabelledRow[] = [];
  for (const frame of [...frames].sort((a, b) => a.index - b.index)) {
    if (frame.index < oldest || frame.index > range.last) continue;
    if (frame.index < range.first) {
      window.remember(frame);
      continue;
    }
    if (rows.at(-1)?.index === frame.index) continue;
    const vector = window.push(frame);
    if (!vector.ok) continue;
    const { asset, run, index, sourceTime, context } = frame;
    rows.push({ asset, run, index, sourceTime, context, x: [...vector.x] });
  }
  return rows;
};

/**
 * Feature rows of one run with their labels, frames in any order, the first of each index counts.
 * @param endedAt index of the end (`endOfRun`), at the snapshot's `knownUntil`; null = still running, rows have no label.
 */
export const materialiseRun = (
  o: {
    readonly featureSet: FeatureSet;
    readonly signals: readonly SignalDefinition[];
    readonly label: LabelDefinition;
  },
  frames: readonly Frame[],
  endedAt: number | null,
): readonly FeatureRow[] =>
  // Frames after the failure belong to no life that the label knows.
  materialiseRange(o, frames, { first: 1, last: endedAt ?? Number.POSITIVE_INFINITY }).map(({ x, ...row }) => ({
    ...row,
    label: remainingLife(o.label, endedAt, row.index),
    x,
  }));
