import type { JudgingPolicy } from '../../core/contracts/use-case.ts';
import {
  type FeatureEvidence,
  type LineEvidence,
  type OutcomeEvidence,
  type RetrainEvidence,
  retrainRequestId,
} from '../../core/drift/decision/decision-machine.ts';
import type { LineFacts } from '../../core/outcomes/line-evidence.ts';
import { anOutcome } from './an-outcome.ts';

export const LINE = 'predictive-maintenance/plant-a';
export const PACKAGE = `sha256:${'1'.repeat(64)}`;
export const policy: JudgingPolicy = {
  lossTolerance: 0.03,
  alarmAt: 1000,
  minOutcomes: 20,
  leaveAfter: 5,
  cooldownDays: 7,
  maxRetrains: 3,
  budgetDays: 90,
  maturityDays: 14,
  psiWatch: 0.02,
  psiSerious: 0.1,
  alpha: 0.01,
};
export const day = (d: number): string => new Date(Date.UTC(2025, 0, 1) + d * 86_400_000).toISOString();
/** One outcome a day from day `from`. */
export const outcomes = (losses: readonly number[], from = 0): OutcomeEvidence[] =>
  losses.map((loss, i) => ({
    unit: `press-${(from + i) % 3}/life-${from + i}`,
    asset: `press-${(from + i) % 3}`,
    knownTime: day(from + i),
    loss,
  }));
export const good = (n: number) => new Array<number>(n).fill(0.1);
export const bad = (n: number) => new Array<number>(n).fill(0.7);
export const evidence = (losses: readonly number[], more: Partial<LineEvidence> = {}): LineEvidence => ({
  modelLine: LINE,
  policy,
  packageDigest: PACKAGE,
  expectedLoss: 0.15,
  outcomes: outcomes(losses),
  features: [],
  retrains: [],
  coverage: { matured: losses.length, known: losses.length },
  ...more,
});
export const request = (n: number) => retrainRequestId(LINE, PACKAGE, n);
export const retrain = (n: number, outcome: RetrainEvidence['outcome'], at: string): RetrainEvidence => ({
  requestId: request(n),
  at,
  outcome,
});
export const device = (more: Partial<FeatureEvidence> = {}): FeatureEvidence => ({
  device: 'edge-1',
  at: day(3),
  state: 'serious',
  feature: 'speed',
  psi: 0.9,
  lower: 0.6,
  calibrated: true,
  farOffWindows: 3,
  ...more,
});

/** What the judge keeps of a line whose champion was validated at a mean loss of 0.1. */
export const facts = (losses: readonly number[], more: Partial<LineFacts> = {}): LineFacts => ({
  modelLine: LINE,
  site: 'plant-a',
  packageDigest: PACKAGE,
  policy,
  validationLoss: { mean: 0.1, upper: 0.12, runs: 40 },
  outcomes: outcomes(losses).map(({ asset, unit, knownTime, loss }) =>
    anOutcome({
      ...{ modelLine: LINE, packageDigest: PACKAGE, asset, run: unit.split('/')[1] as string },
      ...{ validTime: knownTime, knownTime, loss },
    }),
  ),
  features: [],
  served: outcomes(losses).map(({ unit, knownTime }) => ({ unit, lastAt: knownTime })),
  retrains: [],
  labels: [],
  ...more,
});
