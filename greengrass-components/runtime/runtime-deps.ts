import type { BenchResult, RuntimeConfig } from '#core/contracts/device.ts';
import type { Variant } from '#core/contracts/model-package.ts';
import type { ModelPort } from '#core/inference/model-port.ts';
import type { Spool } from '../shared/spool.ts';
import type { PackageStore } from './package-store.ts';

/** A model in a process of its own that can measure itself. */
export interface Runner extends ModelPort {
  bench(rows: readonly (readonly number[])[], count: number): Promise<BenchResult>;
  onCrash(then: () => void): void;
}

/** Everything outside that the runtime reaches. */
export interface RuntimeDeps {
  readonly spool: Spool;
  readonly store: PackageStore;
  readonly device: string;
  /** Configuration at start; asked anew at each adoption, for a revert comes with one. */
  readonly config: RuntimeConfig;
  readonly readConfig: () => Promise<RuntimeConfig>;
  readonly loadModel: (variant: Variant['name'], path: string) => Promise<Runner>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Some lower-case letters and digits, new each time. */
  readonly chance: () => string;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void;
}
