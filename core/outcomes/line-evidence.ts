import type { ValidationLoss } from '../contracts/evaluation.ts';
import type { LineJudgement } from '../contracts/judgement.ts';
import { siteBudget } from '../drift/decision/alarm-limit.ts';
import { type Judged, judgeLine, type LineEvidence, retrainRequestId } from '../drift/decision/decision-machine.ts';
import { boundWithin } from '../drift/tolerance/error-spending.ts';
import { digestOf } from '../lineage/digest.ts';
import { few } from '../text/few.ts';
import { type Counted, countOutcomes } from './counted.ts';
import { coverageOf, knownUnits } from './coverage.ts';
import type { LineFacts } from './line-facts.ts';
import { outcomeSummary } from './outcome-summary.ts';
import { settledFacts } from './settled-facts.ts';

export { factPrefixes, factsOf, JudgedPackage, type LineFacts, type LineItem, type SiteFacts } from './line-facts.ts';

/** The evidence that the decision machine folds. */
const evidenceOf = (facts: LineFacts, validationLoss: ValidationLoss, counted: Counted): LineEvidence => {
  const { modelLine, policy, packageDigest, features, retrains, changes, lines } = facts;
  const budget = siteBudget(policy, lines ?? 1);
  return {
    modelLine,
    policy,
    packageDigest,
    expectedLoss: Math.min(
      1,
      (budget === null ? validationLoss.upper : boundWithin(validationLoss, budget)) + policy.lossTolerance,
    ),
    outcomes: counted.outcomes.map(({ meanError: _, ...o }) => o),
    features,
    retrains,
    ...(changes === undefined ? {} : { changes }),
    ...(lines === undefined ? {} : { lines }),
    coverage: coverageOf(facts.served, knownUnits(facts.outcomes), policy.maturityDays),
  };
};

/** The newest retrain that was asked for under this champion. */
const newestRequest = ({ modelLine, packageDigest, retrains }: LineFacts): string | null => {
  const known = new Set(retrains.map((r) => r.requestId));
  let ordinal = 1;
  while (known.has(retrainRequestId(modelLine, packageDigest, ordinal))) ordinal++;
  return ordinal === 1 ? null : retrainRequestId(modelLine, packageDigest, ordinal - 1);
};

/** Judges a line by what is kept of it; also says when the outcome was known that asks for a retrain, and the way there. */
export const judgeEvidence = (
  given: LineFacts,
): { readonly judgement: LineJudgement } & Pick<Judged, 'askedAt' | 'path' | 'bearing'> => {
  const facts = settledFacts(given);
  const { modelLine, site, packageDigest, policy, validationLoss } = facts;
  const contradicted = facts.outcomes.filter((o) => o.end === 'contradicted').map((o) => `${o.asset}/${o.run}`);
  const left =
    contradicted.length === 0
      ? []
      : [`left out, since the unit went on or the report was taken back: ${few(contradicted.sort(), 5)}`];
  if (validationLoss !== null) {
    const counted = countOutcomes(facts);
    const { askedAt, path, bearing, ...judged } = judgeLine(evidenceOf(facts, validationLoss, counted));
    // A retrain that is under way stays the action of its line, for whoever looks only then.
    const requestId = judged.state === 'RETRAIN_REQUESTED' ? newestRequest(facts) : null;
    const action =
      judged.action === null && requestId !== null
        ? { kind: 'retrain' as const, requestId, count: judged.outcomes }
        : judged.action;
    const { fields, notes } = outcomeSummary(facts, validationLoss, counted);
    const reasons = [...judged.reasons, ...notes, ...left];
    return {
      judgement: { schema: 'line-judgement/1', site, ...judged, ...fields, action, reasons },
      askedAt,
      path,
      bearing,
    };
  }
  const losses = facts.outcomes.flatMap(({ loss }) => (loss === null ? [] : [loss]));
  const known = knownUnits(facts.outcomes);
  return {
    judgement: {
      schema: 'line-judgement/1',
      modelLine,
      site,
      packageDigest,
      state: 'HEALTHY',
      eValue: 0,
      threshold: policy.alarmAt,
      outcomes: losses.length,
      meanLoss: losses.length === 0 ? null : losses.reduce((a, b) => a + b, 0) / losses.length,
      expectedLoss: 1,
      coverage: coverageOf(facts.served, known, policy.maturityDays),
      worstAsset: null,
      features: [],
      action: null,
      reasons: [
        'not judged: the record of this package has no validation loss to hold outcomes against; a retrain makes one that has',
        ...left,
      ],
      evidenceDigest: digestOf({ modelLine, packageDigest }),
    },
    askedAt: null,
    path: [],
    bearing: [],
  };
};

/**
 * The facts without changes of machines that no longer bear on the judgement: each retrain answers all that were changed
 * before it, and of those since the first that became known asks. They are as many as retrains of the champion, and two more.
 */
export const bearingFacts = (facts: LineFacts): LineFacts =>
  facts.changes === undefined || facts.changes.length === 0
    ? facts
    : { ...facts, changes: judgeEvidence(facts).bearing };
