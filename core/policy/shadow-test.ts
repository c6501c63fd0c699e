import type { ShadowPolicy } from '../contracts/use-case.ts';

/** Batches of one asset by how many of their frames disagree with the champion: `batches[k]` batches had `k` of them. */
export interface AssetBatches {
  readonly asset: string;
  readonly batches: readonly number[];
}

/** What one device of the ring compared; null when it cannot compare. */
export interface DeviceBatches {
  readonly device: string;
  readonly assets: readonly AssetBatches[] | null;
}

export interface ShadowTestInput {
  readonly policy: ShadowPolicy;
  /** Share of disagreement that the evaluation of the package expects; null when it was not measured. */
  readonly expected: number | null;
  /** Assets on which the two are known to differ: the champion is no reference there. */
  readonly differsOn: readonly string[];
  /** Every device of the ring. */
  readonly devices: readonly DeviceBatches[];
}

interface Seen {
  readonly batches: number;
  readonly frames: number;
  readonly disagreement: number | null;
}

export interface ShadowTestResult {
  /** `open`: more batches are needed. `no-reference`: nothing that was compared can say anything about the package. */
  readonly verdict: 'against' | 'in-favour' | 'open' | 'no-reference';
  /** Share of disagreement that is acceptable. */
  readonly acceptable: number;
  readonly batches: number;
  readonly frames: number;
  /** Share of the frames in whole batches; null without any. */
  readonly disagreement: number | null;
  /** E-value against "the share is acceptable". */
  readonly against: number;
  /** E-value against "the share is above the acceptable one by the margin or more". */
  readonly inFavour: number;
  /** Assets that were compared and left out. */
  readonly noReference: readonly string[];
  /** Devices on which more disagree than is acceptable, the worst first, and what was seen on them together. */
  readonly far: { readonly devices: readonly string[] } & Pick<Seen, 'frames' | 'disagreement'>;
}

/** Bets as shares of the largest one that cannot lose everything; a grid, for the true share is not known. */
const BETS = [0.05, 0.1, 0.2, 0.4, 0.7] as const;
/** An acceptable share of 0 would allow bets without a bound. */
const SMALLEST_SHARE = 0.01;
/** What stores and people still read as a number. */
const LARGEST = 1e12;

const told = (eValue: number): number => (eValue < 1e-6 ? 0 : Number(Math.min(LARGEST, eValue).toPrecision(4)));

/** Mean over the bets of the product of the factors that each observation contributes. */
const eValue = (assets: readonly AssetBatches[], factor: (share: number, bet: number) => number): number => {
  const wealth = BETS.map((bet) => {
    let log = 0;
    for (const { batches } of assets)
      for (const [k, count] of batches.entries())
        if (count > 0) log += count * Math.log(factor(k / Math.max(1, batches.length - 1), bet));
    return Math.exp(Math.min(log, 700));
  });
  return wealth.reduce((sum, w) => sum + w, 0) / BETS.length;
};

const summary = (assets: readonly AssetBatches[]): Seen => {
  let batches = 0;
  let frames = 0;
  let disagreeing = 0;
  for (const asset of assets)
    for (const [k, count] of asset.batches.entries()) {
      batches += count;
      frames += count * (asset.batches.length - 1);
      disagreeing += count * k;
    }
  return { batches, frames, disagreement: frames === 0 ? null : disagreeing / frames };
};

/**
 * Sequential test of a package on its decisions, against the champion's on the same frames.
 *
 * One observation is a batch: the share d of its frames on which the two disagree, in [0, 1]. Frames within a batch may
 * depend on each other in any way. With p0 the acceptable share and p1 = p0 + margin, two e-processes run side by side
 * (test martingales by betting, averaged over a grid of bets; Waudby-Smith and Ramdas 2024, JRSS B 86:1):
 * M = Π(1 + λ(d − p0)) against "E d ≤ p0 whatever came before", N = Π(1 − λ(d − p1)) against "E d ≥ p1". By Ville's
 * inequality M ever reaches 1/alpha for an acceptable package with probability alpha at most, N reaches 1/beta for one
 * that is not with probability beta at most, however often and whenever one looks. Both hold for each wave.
 *
 * N is of all batches. M is half of all batches and half the mean over the devices of the ring, each with its own: the
 * many that are well do not hide the one on which a package computes otherwise. While such a one is in sight (its share is
 * p1 or more) the test is not in favour.
 */
export const shadowTest = (input: ShadowTestInput): ShadowTestResult => {
  const { policy, differsOn } = input;
  const acceptable = Math.max(policy.maxDisagreement, input.expected ?? 0);
  const tooMuch = acceptable + policy.margin;
  const isReference = ({ asset }: AssetBatches): boolean => !differsOn.includes(asset);
  const devices = input.devices.map((d) => {
    const assets = (d.assets ?? []).filter(isReference);
    return { device: d.device, assets, share: summary(assets).disagreement ?? 0 };
  });
  const assets = devices.flatMap((d) => d.assets);
  const noReference = input.devices.flatMap((d) => d.assets ?? []).filter((a) => !isReference(a));
  const far = devices.filter((d) => d.share > acceptable).sort((a, b) => b.share - a.share);
  const farSeen = summary(far.flatMap((d) => d.assets));
  const evidence = (of: readonly AssetBatches[]): number =>
    eValue(of, (d, bet) => 1 + (bet / Math.max(acceptable, SMALLEST_SHARE)) * (d - acceptable));
  const ofEach = devices.length === 0 ? 1 : devices.reduce((sum, d) => sum + evidence(d.assets), 0) / devices.length;
  const against = (evidence(assets) + ofEach) / 2;
  const inFavour = tooMuch >= 1 ? 0 : eValue(assets, (d, bet) => 1 - (bet / (1 - tooMuch)) * (d - tooMuch));
  const verdict = ((): ShadowTestResult['verdict'] => {
    // Where they may differ on nearly everything, agreement proves nothing and difference neither.
    if (tooMuch >= 1 || (assets.length === 0 && noReference.length > 0)) return 'no-reference';
    if (against >= 1 / policy.alpha) return 'against';
    return inFavour >= 1 / policy.beta && devices.every((d) => d.share < tooMuch) ? 'in-favour' : 'open';
  })();
  return {
    verdict,
    acceptable,
    ...summary(assets),
    against: told(against),
    inFavour: told(inFavour),
    noReference: [...new Set(noReference.map((a) => a.asset))].sort(),
    far: { devices: far.map((d) => d.device), frames: farSeen.frames, disagreement: farSeen.disagreement },
  };
};
