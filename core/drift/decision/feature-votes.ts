import type { WindowKind } from '../../contracts/drift.ts';
import { limitOf, type SiteBudget } from './alarm-limit.ts';

/** What one device saw of its inputs, newest window. */
export interface FeatureEvidence {
  readonly device: string;
  /** When it was judged, by the clock; compared with other devices', never with the time of outcomes. */
  readonly at: string;
  /** What the tolerance test of the window says. */
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
  /** What the window is after all is weighed; absent: as `state`. */
  readonly kind?: WindowKind;
  readonly context?: string;
  /** Source time: from when it has been of this kind. */
  readonly since?: string;
  readonly assets?: readonly string[];
  /** `daysToLimit` is null while the slope is not sure, 0 when the limit is reached. */
  readonly ageing?: { readonly feature: string; readonly perDay: number; readonly daysToLimit: number | null };
  /** A mean went off slowly and is not back, although each window alone may be as it should be. */
  readonly slow?: boolean;
  /** Over the windows of the device: their number until it reaches A without a change is at least A on the average. */
  readonly eValue?: number;
  readonly threshold?: number;
  /** The e-value reached the threshold, and has not been under the root of it for long since. */
  readonly reached?: boolean;
  /** Hash of the evidence that says so. */
  readonly evidence?: string;
  /** Source time of the first and the last row. */
  readonly window?: { readonly from: string; readonly to: string };
}

/** What all devices together say of the inputs. */
export interface FeatureVotes {
  readonly watch: boolean;
  /** Calibrated, far off, long enough, on enough devices: the inputs alone are a reason to learn again. */
  readonly serious: boolean;
  /** Mean of the e-values of the devices that vote, and what it has to reach; null where a device has none. */
  readonly eValue: { readonly value: number; readonly needed: number } | null;
  /** Features that are not as in training, worst first. */
  readonly features: readonly string[];
  readonly voting: readonly string[];
  readonly held: readonly { readonly device: string; readonly quality: string }[];
  /** Whose windows are of these kinds, which are no drift of the model's inputs. */
  readonly changeovers: readonly FeatureEvidence[];
  readonly newContexts: readonly FeatureEvidence[];
  readonly recurring: readonly FeatureEvidence[];
  /** The nearest to its limit first. */
  readonly ageing: readonly FeatureEvidence[];
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
const DAY_MS = 86_400_000;
const present = (evidence: readonly FeatureEvidence[]): readonly FeatureEvidence[] => {
  const newest = Math.max(...evidence.map((e) => Date.parse(e.at)));
  return evidence.filter((e) => Date.parse(e.at) > newest - GONE_AFTER_DAYS * DAY_MS);
};

const kindOf = (e: FeatureEvidence): WindowKind => (e.quality === undefined ? (e.kind ?? e.state) : 'data-quality');
/** Windows that were held against the model's reference; the others say nothing for or against drift. */
const JUDGED: readonly WindowKind[] = ['steady', 'watch', 'serious', 'ageing', 'recurring'];
const DRIFTING: readonly WindowKind[] = ['watch', 'serious'];

/** That it changes slowly says more than that it changed. */
const ages = (e: FeatureEvidence): boolean =>
  kindOf(e) === 'ageing' || (e.ageing !== undefined && DRIFTING.includes(kindOf(e)));

const isFarOffForLong = (e: FeatureEvidence): boolean =>
  e.calibrated &&
  ((kindOf(e) === 'serious' && (e.farOffWindows ?? 0) >= FAR_OFF_WINDOWS) || (ages(e) && e.ageing?.daysToLimit === 0));

/** Windows of a device in 30 days, by how long its newest one is; null where that is not known. */
const monthly = ({ window }: FeatureEvidence): number | null => {
  if (window === undefined) return null;
  const days = (Date.parse(window.to) - Date.parse(window.from)) / DAY_MS;
  return days > 0 ? 30 / days : null;
};

/**
 * The mean over devices of e-detectors is one too, in windows of each device: many devices are not many chances of a
 * false alarm. What ages or was accepted before is no part of it.
 */
const meanEValue = (trusted: readonly FeatureEvidence[], budget: SiteBudget | null): FeatureVotes['eValue'] => {
  let [sum, needed] = [0, 0];
  for (const e of trusted) {
    if (e.eValue === undefined || e.threshold === undefined) return null;
    // Held at the threshold: about there an e-value goes to and fro with every window.
    const value = e.reached === true ? Math.max(e.eValue, e.threshold) : e.eValue;
    sum += kindOf(e) === 'recurring' || ages(e) ? 0 : value;
    needed = Math.max(needed, limitOf(e.threshold, budget, monthly(e)));
  }
  return trusted.length === 0 ? null : { value: sum / trusted.length, needed };
};

/**
 * @param all one of each device. @param alpha level of the test of each window.
 * @param budget of alarms for nothing; null: none was declared.
 */
export const countVotes = (
  all: readonly FeatureEvidence[],
  alpha: number,
  budget: SiteBudget | null = null,
): FeatureVotes => {
  const evidence = present(all);
  const of = (...kinds: WindowKind[]) => evidence.filter((e) => kinds.includes(kindOf(e)));
  const trusted = of(...JUDGED);
  const eValue = meanEValue(trusted, budget);
  const voting = trusted.filter((e) => DRIFTING.includes(kindOf(e)) && !ages(e)).sort((a, b) => b.psi - a.psi);
  const isMore = (votes: number) => votes > 0 && votes >= votesNeeded(trusted.length, alpha);
  // A mean that is off for long is seen by a chart alone: each of its windows is as it should be, and their e-value small.
  const slow = voting.filter((e) => e.slow === true);
  const watch = eValue === null ? isMore(voting.length) : eValue.value >= eValue.needed || isMore(slow.length);
  const ageing = trusted
    .filter(ages)
    .sort((a, b) => (a.ageing?.daysToLimit ?? Number.MAX_VALUE) - (b.ageing?.daysToLimit ?? Number.MAX_VALUE));
  const farOff = trusted.filter(isFarOffForLong);
  const isMany = farOff.length > FAR_OFF_SHARE * trusted.length;
  const moved = watch ? voting.flatMap((e) => ((e.features ?? []).length > 0 ? (e.features ?? []) : [e.feature])) : [];
  const aged = ageing.flatMap((e) => (e.ageing === undefined ? [] : [e.ageing.feature]));
  return {
    watch,
    serious: isMany && (watch || farOff.some(ages)),
    eValue,
    features: [...new Set([...moved, ...aged])],
    voting: voting.map((e) => e.device),
    held: of('data-quality').map(({ device, quality }) => ({
      device,
      quality: quality ?? 'its data is not to be trusted',
    })),
    changeovers: of('suspected-changeover'),
    newContexts: of('new-context'),
    recurring: of('recurring'),
    ageing,
  };
};
