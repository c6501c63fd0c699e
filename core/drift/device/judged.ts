import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { DriftWindow, FeatureSketch } from '../../contracts/drift.ts';
import type { PlantEvent } from '../../contracts/plant-event.ts';
import type { Digest } from '../../contracts/primitives.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import type { WindowCounts } from '../baselines/learned.ts';
import type { DriftRules } from '../policy.ts';
import { momentsOf } from '../sketch/feature-sketch.ts';
import type { MergedWindow } from '../sketch/merge.ts';
import type { DeviceState } from './device-state.ts';
import { isCalibrated, type JudgedFeature, judgeFeatures } from './judge-features.ts';
import { keyOf, ownReference, type Place, packageReference, placeOf, type Reference } from './reference.ts';
import { windowFaults } from './window-quality.ts';

/** What a window is judged by. */
export interface JudgedBy {
  readonly baseline: BaselineSpec;
  readonly policy: JudgingPolicy;
  /**
   * Plant events of the assets of the device, with those that they correct; any order, known ones again do no harm, later
   * ones wait for their window.
   */
  readonly events: readonly PlantEvent[];
  /** Why its data cannot be trusted; empty when it can. */
  readonly held: readonly string[];
  /** Digest of a window, where the host computed it from the bytes that are kept; absent: it is computed here. */
  readonly windowDigest?: (window: DriftWindow) => Digest;
}

/** All that is known of a window before it is said what it is. */
export interface Judged {
  readonly window: MergedWindow;
  readonly sketches: ReadonlyMap<string, FeatureSketch>;
  /** Where in the season; null where the package knows no such cells. */
  readonly place: Place | null;
  readonly key: string;
  readonly reference: Reference | null;
  readonly features: readonly JudgedFeature[];
  /** What the tolerance test alone says. */
  readonly state: 'steady' | 'watch' | 'serious';
  readonly faults: readonly string[];
}

const worstOf = (features: readonly JudgedFeature[], policy: JudgingPolicy, calibrated: boolean): Judged['state'] => {
  const lower = features[0]?.lower ?? 0;
  if (lower <= policy.psiWatch) return 'steady';
  return lower > policy.psiSerious && calibrated ? 'serious' : 'watch';
};

/**
 * The clock of the rows went back: within a window, or since the windows before of the same boot and machines; rows of
 * another machine may be on their way for longer.
 */
const clockFaults = ({ last }: DeviceState, windows: readonly DriftWindow[]): readonly string[] => {
  const turned = windows.find((w) => w.to < w.from);
  if (turned !== undefined) return [`the clock of the rows went back from ${turned.from} to ${turned.to}`];
  if (last === null) return [];
  const back = windows
    .filter((w) => w.boot === last.boot && w.windowStart > last.windowStart)
    .find((w) => w.from < last.from && w.assets.some((a) => last.assets.includes(a)));
  return back === undefined ? [] : [`the clock of the rows went back: ${back.from} comes after ${last.from}`];
};

/** Holds a window against its reference, and looks whether its data can be trusted. @param windows that it is made of. */
export const judge = (
  state: DeviceState,
  window: MergedWindow,
  windows: readonly DriftWindow[],
  of: JudgedBy,
  rules: DriftRules,
): Judged => {
  const { baseline, policy } = of;
  const sketches = new Map(window.features.map((s) => [s.name, s]));
  const place = placeOf(baseline, window, rules.season);
  const key = keyOf(window.context, place);
  const packaged = packageReference(baseline, window.context, place);
  const reference = ownReference(baseline, state, { key, place, packaged }) ?? packaged;
  const features = reference === null ? [] : judgeFeatures(reference.baseline, reference.counts, sketches, policy);
  return {
    window,
    sketches,
    place,
    key,
    reference,
    features,
    state: worstOf(features, policy, isCalibrated(reference?.baseline ?? baseline)),
    faults: [...of.held, ...clockFaults(state, windows), ...windowFaults(baseline, sketches, state.charts)],
  };
};

/** A window as baselines learn it. */
export const countsOf = (baseline: BaselineSpec, { sketches, window }: Judged): WindowCounts => ({
  rows: window.rows,
  counts: baseline.features.map((f) => sketches.get(f.name)?.counts ?? f.counts.map(() => 0)),
  means: baseline.features.map((f) => {
    const sketch = sketches.get(f.name);
    return f.cells.kind === 'category' || sketch === undefined ? null : (momentsOf(sketch)?.mean ?? null);
  }),
});
