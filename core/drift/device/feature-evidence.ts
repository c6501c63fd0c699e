import type { WindowEvidence } from '../../contracts/drift.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import type { FeatureEvidence } from '../decision/feature-votes.ts';

/** Most features and assets that evidence names: a message of a line says the first few. */
const NAMED = 20;
/** The judgement table keeps no larger number. */
const LARGEST = 1e100;
const LONGEST = 400;

/** What the judge of the line reads of a device, of its newest window. @param at by the clock of who judged it. */
export const featureEvidence = (e: WindowEvidence, at: string, policy: JudgingPolicy): FeatureEvidence => {
  const worst = e.features[0];
  return {
    device: e.device,
    at,
    state: e.state,
    feature: worst?.name ?? '',
    psi: worst?.psi ?? 0,
    lower: worst?.lower ?? 0,
    calibrated: e.calibrated,
    ...(e.kind === 'data-quality' ? { quality: e.says.join('; ').slice(0, LONGEST) } : {}),
    features: e.features
      .filter((f) => f.lower > policy.psiWatch || (f.eValue ?? 0) >= e.threshold)
      .map((f) => f.name)
      .slice(0, NAMED),
    farOffWindows: e.farOffWindows,
    kind: e.kind,
    context: e.context,
    since: e.since,
    assets: e.assets.slice(0, NAMED),
    ...(e.ageing === null ? {} : { ageing: e.ageing }),
    slow: e.slow ?? false,
    reached: e.reached ?? false,
    eValue: Math.min(LARGEST, e.eValue),
    threshold: e.threshold,
    evidence: e.hash,
    window: { from: e.from, to: e.to },
  };
};
