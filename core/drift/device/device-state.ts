import type { WindowKind } from '../../contracts/drift.ts';
import type { Digest, Instant } from '../../contracts/primitives.ts';

/** What the judgement of a device keeps between windows: plain JSON, bounded. Opaque to whoever stores it. */
export interface DeviceState {
  readonly schema: 'drift-state/1';
  /** Of the newest evidence. */
  readonly sequence: number;
  readonly head: Digest;
  readonly kind: WindowKind;
  readonly since: Instant;
  readonly context: string;
}
