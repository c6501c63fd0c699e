import type { FeatureRow, FeatureSet } from '../contracts/feature-set.ts';
import type { Frame } from '../contracts/frame.ts';
import type { LabelDefinition, SignalDefinition } from '../contracts/use-case.ts';
import { featureVector, windowLength } from './vector.ts';
import { FrameWindow } from './window.ts';

/**
 * Feature rows of one run, frames in any order. A frame whose vector has a missing feature gives no row.
 * @param endedAt index of the failure as known at the snapshot's `knownUntil`; null = still running, rows have no label.
 * The label is piecewise-linear remaining useful life, `min(endedAt − index, cap)` (Heimes 2008).
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
  for (const frame of [...frames].sort((a, b) => a.index - b.index)) {
    // Frames after the failure belong to no life that the label knows.
    if (endedAt !== null && frame.index > endedAt) break;
    const vector = featureVector(o.featureSet, window.push(frame), o.signals);
    if (!vector.ok) continue;
    rows.push({
      asset: frame.asset,
      run: frame.run,
      index: frame.index,
      sourceTime: frame.sourceTime,
      label: endedAt === null ? null : Math.min(endedAt - frame.index, o.label.cap),
      x: [...vector.x],
    });
  }
  return rows;
};
