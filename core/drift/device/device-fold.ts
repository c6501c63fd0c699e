import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { DriftWindow, WindowEvidence } from '../../contracts/drift.ts';
import type { PlantEvent } from '../../contracts/plant-event.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import type { DeviceState } from './device-state.ts';

/** What a window is judged by. */
export interface JudgedBy {
  readonly baseline: BaselineSpec;
  readonly policy: JudgingPolicy;
  /** Plant events of the assets of the device, up to the end of the window; any order, known ones again do no harm. */
  readonly events: readonly PlantEvent[];
  /** Why its data cannot be trusted; empty when it can. */
  readonly held: readonly string[];
}

export interface Folded {
  readonly state: DeviceState;
  readonly evidence: WindowEvidence;
}

/**
 * Judges one window of one device.
 * @param state as the fold before left it; null at the first window of a package on a device.
 * @param windows that make up the judged window: of one device, package and context, together `baseline.windows.rows` rows or more.
 */
export type FoldWindow = (state: DeviceState | null, windows: readonly DriftWindow[], of: JudgedBy) => Folded;
