import type { DetectorDefinition } from '../detector.ts';
import type { ReplayedAlarm } from './replay-policy.ts';

/** A loss of one unit in [0, 1], and when it became known. */
export interface KnownLoss {
  readonly at: string;
  readonly unit: string;
  readonly loss: number;
}

/**
 * When a detector would have alarmed on the losses of the past; after an alarm it begins anew.
 * @param expected where an error begins, for detectors that take errors only.
 */
export const replayDetector = (
  { name, watches, start }: DetectorDefinition,
  losses: readonly KnownLoss[],
  expected: number,
): readonly ReplayedAlarm[] => {
  let detector = start() as { readonly inAlarm: boolean; update(x: number): typeof detector; reset(): typeof detector };
  const alarms: ReplayedAlarm[] = [];
  for (const { at, unit, loss } of losses) {
    detector = detector.update(watches === 'error' ? Number(loss > expected) : loss);
    if (!detector.inAlarm) continue;
    alarms.push({ at, says: `${name} alarms at ${unit}` });
    detector = detector.reset();
  }
  return alarms;
};
