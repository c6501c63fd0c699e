/** Bets as shares of the largest one that keeps every factor positive: small ones find small changes, large ones find large ones soon. */
export const BETS = [0.05, 0.1, 0.2, 0.4, 0.7] as const;

/**
 * For streams of errors: fewer bets, most weight on a rate that doubles or trebles. Chosen on simulated rises from 0.1 to
 * 0.15, 0.2, 0.3 and 0.5, and fixed before the bench measured it on other streams.
 */
export const RATE_BETS = [0.05, 0.1, 0.25, 0.5] as const;
export const RATE_WEIGHTS = [0.22, 0.13, 0.4, 0.25] as const;

/** A statistic stays a finite number, and comes down again in finite time after a long bad period. */
const LIMIT = 1e12;

/** What one observation is worth to a bet that the mean is above `mean`: 1 on average, at most, while it is not. */
const factor = (bet: number, x: number, mean: number): number => 1 + (bet / mean) * (x - mean);

/** Shiryaev–Roberts: `S ← (S + 1) · (1 + λ (x − m))` of each bet, λ = bet / m. */
export const stepShiryaevRoberts = (
  states: readonly number[],
  x: number,
  mean: number,
  bets: readonly number[],
): readonly number[] => states.map((s, i) => Math.min(LIMIT, (s + 1) * factor(bets[i] as number, x, mean)));

/** CUSUM: `S ← max(S, 1) · (1 + λ (x − m))` of each bet, from 1 on. */
export const stepECusum = (
  states: readonly number[],
  x: number,
  mean: number,
  bets: readonly number[],
): readonly number[] => states.map((s, i) => Math.min(LIMIT, Math.max(s, 1) * factor(bets[i] as number, x, mean)));

/** What all bets say together, each with the same weight. */
export const averageOf = (states: readonly number[]): number => states.reduce((sum, s) => sum + s, 0) / states.length;

/** The same, each with its own weight; weights add up to 1. */
export const weightedOf = (states: readonly number[], weights: readonly number[]): number =>
  states.reduce((sum, s, i) => sum + s * (weights[i] as number), 0);
