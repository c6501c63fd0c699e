import type { FeatureRow, FeatureSet } from '../../contracts/feature-set.ts';
import type { Frame } from '../../contracts/frame.ts';
import type { LabelDefinition, SignalDefinition } from '../../contracts/use-case.ts';
import { remainingLife } from '../../outcomes/labels.ts';
import { featureVector, windowLength } from './vector.ts';
import { FrameWindow } from './window.ts';

/**
 * Feature rows of one run, frames in any order, the first of each index counts. A frame whose vector has a missing feature gives no row.
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
): readonly FeatureRow[] => {
  const window = new FrameWindow(o.signals, windowLength(o.featureSet));
  const rows: FeatureRow[] = [];
  let previous = 0;
  for (const frame of [...frames].sort((a, b) => a.index - b.index)) {
    if (frame.index === previous) continue;
    previous = frame.index;
    // Frames after the failure belong to no life that the label knows.
    if (endedAt !== null && frame.index > endedAt) break;
    const vector = featureVector(o.featureSet, window.push(frame), o.signals);
    if (!vector.ok) continue;
    rows.push({
      asset: frame.asset,
      run: frame.run,
      index: frame.index,
      sourceTime: frame.sourceTime,
      label: remainingLife(o.label, endedAt, frame.index),
      x: [...vector.x],
    });
  }
  return rows;
};
