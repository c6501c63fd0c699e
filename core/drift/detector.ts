/**
 * A sequential detector: one observation at a time, constant state, no clock, no chance. Values are immutable, so a
 * detector can be kept, compared and gone back to.
 */
export interface Detector<Observation, Self> {
  /** What it says after the observations so far. */
  readonly value: number;
  /** @returns the detector after one more observation. */
  update(observation: Observation): Self;
  /** @returns it as it was before the first observation. */
  reset(): Self;
  /** Its state as plain JSON. */
  toJSON(): unknown;
}
