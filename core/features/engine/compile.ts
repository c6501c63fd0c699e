import type { FeatureSet } from '../../contracts/feature-set.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import { FeatureWindow } from './feature-window.ts';
import { planOf } from './plan.ts';
import { VectorComputer } from './vector.ts';

/** A feature set with everything looked up: `open` a window for each asset. */
export interface CompiledFeatureSet {
  /** Frames of its longest window. */
  readonly length: number;
  open(): FeatureWindow;
}

/**
 * Makes a feature set ready to compute: the same code where features are materialised and on the device.
 * @throws {Error} naming every problem when this code cannot compute the set.
 */
export const compileFeatureSet = (set: FeatureSet, signals: readonly SignalDefinition[]): CompiledFeatureSet => {
  const plan = planOf(set, signals);
  const computer = new VectorComputer(plan);
  return { length: plan.length, open: () => new FeatureWindow(plan, computer.vectorAt) };
};
