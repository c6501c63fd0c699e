import type { Baseline } from '../contracts/model-package.ts';

/** Half a count in every bin (Jeffreys), so that an empty bin gives a large number and not infinity. */
const PRIOR = 0.5;

/**
 * Population stability index of counts against shares over the same bins: Σ (q − p) ln(q / p), in nats.
 * 0 = the same; above 0.1 worth a look, above 0.25 changed (Siddiqi 2006). For small samples it is biased up by about
 * (bins − 1) / n.
 * @throws {RangeError} when the bins differ in number or there is no count.
 */
export const psi = (shares: readonly number[], counts: readonly number[]): number => {
  if (shares.length !== counts.length)
    throw new RangeError(
      `psi: ${shares.length} baseline bins but ${counts.length} counted bins; they must be the same bins`,
    );
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0) throw new RangeError('psi: nothing was counted');
  const n = total + PRIOR * counts.length;
  let sum = 0;
  for (const [i, share] of shares.entries()) {
    const p = (share * total + PRIOR) / n;
    const q = ((counts[i] as number) + PRIOR) / n;
    sum += (q - p) * Math.log(q / p);
  }
  return sum;
};

export interface DriftJudgement {
  readonly state: 'steady' | 'watch' | 'drifted';
  readonly worstFeature: string;
  readonly psi: number;
  readonly features: readonly { readonly name: string; readonly psi: number }[];
}

/**
 * Judges what a device saw against the baseline of its package.
 * @param counts per feature, on the baseline's bins; features that were not counted are left out.
 */
export const judgeDrift = (
  baseline: Baseline,
  counts: ReadonlyMap<string, readonly number[]>,
  limits: { readonly watch: number; readonly drifted: number } = { watch: 0.1, drifted: 0.25 },
): DriftJudgement => {
  const features = baseline.features.flatMap(({ name, shares }) => {
    const seen = counts.get(name);
    return seen === undefined ? [] : [{ name, psi: psi(shares, seen) }];
  });
  const worst = features.reduce((a, b) => (b.psi > a.psi ? b : a), { name: '', psi: 0 });
  const state = worst.psi > limits.drifted ? 'drifted' : worst.psi > limits.watch ? 'watch' : 'steady';
  return { state, worstFeature: worst.name, psi: worst.psi, features };
};
