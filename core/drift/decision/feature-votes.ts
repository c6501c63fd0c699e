/** What one device saw of its inputs, newest window. */
export interface FeatureEvidence {
  readonly device: string;
  /** When it was judged, by the clock; compared with other devices', never with the time of outcomes. */
  readonly at: string;
  readonly state: 'steady' | 'watch' | 'serious';
  /** The feature that moved most, its index of stability and the lower bound of that. */
  readonly feature: string;
  readonly psi: number;
  readonly lower: number;
  /** Whether the baseline had enough reference windows for the test to keep its level. */
  readonly calibrated: boolean;
  /** Why the data cannot be trusted, a stuck sensor for example: holds the device's vote. */
  readonly quality?: string;
  /** Features that are not as in training, worst first. */
  readonly features?: readonly string[];
  /** Windows in a row in which many features were far off ({@link isFarOff}). */
  readonly farOffWindows?: number;
}

/** What all devices together say of the inputs. */
export interface FeatureVotes {
  readonly watch: boolean;
  /** Calibrated, far off, long enough, on enough devices: the inputs alone are a reason to learn again. */
  readonly serious: boolean;
  /** Features that are not as in training, worst first. */
  readonly features: readonly string[];
  readonly voting: readonly string[];
  readonly held: readonly { readonly device: string; readonly quality: string }[];
}

/** A window is far off when the population index is surely above this … */
const FAR_OFF_PSI = 0.25;
/** … on more than this share of the features; and a fleet is when more than this share of its devices is. */
const FAR_OFF_SHARE = 0.3;
/** One far-off window may be a changeover; so many in a row are not. */
const FAR_OFF_WINDOWS = 3;
/** How often all devices of a line together may call for attention for nothing, at one window of each. */
const FLEET_LEVEL = 0.05;

/** @param lowers lower bound of the population index of each feature of a window. */
export const isFarOff = (lowers: readonly number[]): boolean =>
  lowers.filter((l) => l > FAR_OFF_PSI).length > FAR_OFF_SHARE * lowers.length;

/**
 * How many of `devices` must vote before it is more than their false alarms: the smallest k with
 * P(Binomial(devices, alpha) ≥ k) ≤ 0.05. Without it a fleet large enough would never be healthy.
 */
export const votesNeeded = (devices: number, alpha: number): number => {
  // By its logarithm: in a large fleet the first terms are too small for a number.
  let term = devices * Math.log1p(-alpha);
  let below = Math.exp(term);
  let k = 1;
  while (1 - below > FLEET_LEVEL && k < devices) {
    term += Math.log(((devices - k + 1) / k) * (alpha / (1 - alpha)));
    below += Math.exp(term);
    k += 1;
  }
  return k;
};

/** A device whose newest window is so much older than the newest of all is gone: what it said last must not stand for ever. */
const GONE_AFTER_DAYS = 30;
const present = (evidence: readonly FeatureEvidence[]): readonly FeatureEvidence[] => {
  const newest = Math.max(...evidence.map((e) => Date.parse(e.at)));
  return evidence.filter((e) => Date.parse(e.at) > newest - GONE_AFTER_DAYS * 86_400_000);
};

/** @param all one of each device. @param alpha level of the test of each window. */
export const countVotes = (all: readonly FeatureEvidence[], alpha: number): FeatureVotes => {
  const evidence = present(all);
  const held = evidence.flatMap(({ device, quality }) => (quality === undefined ? [] : [{ device, quality }]));
  const trusted = evidence.filter((e) => e.quality === undefined);
  const voting = trusted.filter((e) => e.state !== 'steady').sort((a, b) => b.psi - a.psi);
  const farOff = voting.filter(
    (e) => e.calibrated && e.state === 'serious' && (e.farOffWindows ?? 0) >= FAR_OFF_WINDOWS,
  );
  const watch = voting.length > 0 && voting.length >= votesNeeded(trusted.length, alpha);
  return {
    watch,
    serious: watch && farOff.length > FAR_OFF_SHARE * trusted.length,
    features: watch ? [...new Set(voting.flatMap((e) => e.features ?? [e.feature]))] : [],
    voting: voting.map((e) => e.device),
    held,
  };
};
