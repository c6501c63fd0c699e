import type { Variant } from '../contracts/model-package.ts';

/** A loaded model in one variant; one answer at a time, in the order asked. */
export interface ModelPort {
  readonly variant: Variant['name'];
  /**
   * @param x feature vector, in feature-set order; the model sees it as float32.
   * @returns one number, label units. Rejects when the model's process is gone.
   */
  run(x: readonly number[]): Promise<number>;
  close(): void;
}
