import type { PackedCounts } from './counts.ts';
import type { Learned } from './learned.ts';

/** Ways in which a device ran and was accepted: after a tagged change, or because it was learned. */
export interface Regime {
  /** When it was accepted. */
  readonly since: string;
  readonly packed: PackedCounts;
  /** Of what the device had learned: since when, as what it was remembered, and {@link Learned.center}. */
  readonly learned?: { readonly from: string; readonly key: string; readonly center: Learned['center'] };
}

/** Most regimes of one device; the oldest is forgotten. */
export const MOST_REGIMES = 3;

/** @returns the library with one more, the newest first. */
export const accept = (library: readonly Regime[], regime: Regime): readonly Regime[] =>
  [regime, ...library].slice(0, MOST_REGIMES);

/**
 * The regime that a window is like; null when there is none.
 * @param distance upper bound of the index between the window and a regime: what cannot be told from more than `tolerance` is no match.
 */
export const recurring = (
  library: readonly Regime[],
  distance: (regime: Regime) => number,
  tolerance: number,
): Regime | null => {
  const near = library
    .map((regime) => ({ regime, upper: distance(regime) }))
    .filter(({ upper }) => upper < tolerance)
    .sort((a, b) => a.upper - b.upper);
  return near[0]?.regime ?? null;
};
