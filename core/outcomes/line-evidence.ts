import { z } from 'zod';
import { parseAs } from '../contracts/errors.ts';
import { ValidationLoss } from '../contracts/evaluation.ts';
import { JoinedOutcomeRecord, judgementKeys, type LineJudgement } from '../contracts/judgement.ts';
import { LabelRequest } from '../contracts/label-request.ts';
import type { JudgingPolicy } from '../contracts/use-case.ts';
import { siteBudget } from '../drift/decision/alarm-limit.ts';
import {
  type ChangeEvidence,
  type FeatureEvidence,
  type Judged,
  judgeLine,
  type LineEvidence,
  type RetrainEvidence,
  retrainRequestId,
} from '../drift/decision/decision-machine.ts';
import { boundWithin } from '../drift/tolerance/error-spending.ts';
import { digestOf } from '../lineage/digest.ts';
import { countOutcomes } from './counted.ts';
import { coverageOf, knownUnits, type ServedUnit } from './coverage.ts';
import { outcomeSummary } from './outcome-summary.ts';
import { settledFacts } from './settled-facts.ts';

/** Body of the registry record of a package, as much as judging needs. */
export const JudgedPackage = z.looseObject({ validationLoss: ValidationLoss.nullable().default(null) });

/** What is known of the site; the judge keeps what it read of it with its judgement. */
export interface SiteFacts {
  /** Changes of machines that ask for a retrain; absent where the policy declares none. */
  readonly changes?: readonly ChangeEvidence[];
  /** Model lines of the site; absent where the policy declares no budget of alarms. */
  readonly lines?: number;
}

/** What is kept of a model line, about its champion only; retrains of all champions. */
export interface LineFacts extends SiteFacts {
  readonly modelLine: string;
  readonly site: string;
  readonly packageDigest: string;
  readonly policy: JudgingPolicy;
  /** Of the champion; null when its evaluation measured none. */
  readonly validationLoss: ValidationLoss | null;
  readonly outcomes: readonly JoinedOutcomeRecord[];
  readonly features: readonly FeatureEvidence[];
  readonly served: readonly ServedUnit[];
  readonly retrains: readonly RetrainEvidence[];
  /** Requests for labels of this champion. */
  readonly labels: readonly LabelRequest[];
}

/** An item of the judgement table. */
export interface LineItem {
  readonly sk: string;
  readonly [field: string]: unknown;
}

/** Prefixes of the items of a line's partition that tell of a champion. */
export const factPrefixes = (packageDigest: string): readonly string[] => [
  ...['OUTCOME', 'FEATURES', 'SERVED', 'LABELS'].map((kind) => `${kind}#${packageDigest}#`),
  'RETRAIN#',
];

/**
 * Reads the items of a line's partition (`judgementKeys`) as facts about its champion; items of other packages and kinds
 * are left out. What was read of the site comes from the newest judgement, where that is among the items. @throws {ContractError} naming an outcome that is none.
 */
export const factsOf = (
  of: Omit<LineFacts, 'outcomes' | 'features' | 'served' | 'retrains' | 'labels'>,
  items: readonly LineItem[],
): LineFacts => {
  const prefixes = factPrefixes(of.packageDigest);
  const [outcome, features, served, labels, retrain] = prefixes as [string, string, string, string, string];
  const kept = (prefix: string): readonly LineItem[] => items.filter((i) => i.sk.startsWith(prefix));
  const judged = items.find((i) => i.sk === judgementKeys.state(of.modelLine).sk);
  return {
    ...of,
    ...(judged?.['siteFacts'] as SiteFacts | undefined),
    outcomes: kept(outcome).map((i) => parseAs(JoinedOutcomeRecord, i['record'], `outcome ${i.sk}`)),
    features: kept(features).map(({ pk: _, sk: __, version: ___, ...evidence }) => evidence as never),
    served: kept(served).map((i) => ({
      unit: i.sk.slice(served.length),
      lastAt: i['lastAt'] as string,
      ...(i['rejected'] === true ? { rejected: true } : {}),
    })),
    labels: kept(labels).map((i) => parseAs(LabelRequest, i['request'], `request for labels ${i.sk}`)),
    retrains: kept(retrain).map(
      ({ requestId, at, outcome: how, released }) =>
        ({ requestId, at, outcome: how, ...(released === undefined ? {} : { released }) }) as RetrainEvidence,
    ),
  };
};

/** The evidence that the decision machine folds; null when the champion has no loss to be held against. */
export const evidenceOf = (facts: LineFacts): LineEvidence | null => {
  const { modelLine, policy, packageDigest, validationLoss, features, retrains, changes, lines } = facts;
  if (validationLoss === null) return null;
  const budget = siteBudget(policy, lines ?? 1);
  return {
    modelLine,
    policy,
    packageDigest,
    expectedLoss: Math.min(
      1,
      (budget === null ? validationLoss.upper : boundWithin(validationLoss, budget)) + policy.lossTolerance,
    ),
    outcomes: countOutcomes(facts).outcomes.map(({ meanError: _, ...o }) => o),
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
): { readonly judgement: LineJudgement; readonly askedAt: string | null; readonly path: Judged['path'] } => {
  const facts = settledFacts(given);
  const evidence = evidenceOf(facts);
  const { modelLine, site, packageDigest, policy } = facts;
  const contradicted = facts.outcomes.filter((o) => o.end === 'contradicted').map((o) => `${o.asset}/${o.run}`);
  const left =
    contradicted.length === 0
      ? []
      : [
          `left out, since the unit went on or the report was taken back: ${contradicted.sort().slice(0, 5).join(', ')}` +
            (contradicted.length > 5 ? ` and ${contradicted.length - 5} more` : ''),
        ];
  if (evidence !== null) {
    const { askedAt, path, ...judged } = judgeLine(evidence);
    // A retrain that is under way stays the action of its line, for whoever looks only then.
    const requestId = judged.state === 'RETRAIN_REQUESTED' ? newestRequest(facts) : null;
    const action =
      judged.action === null && requestId !== null
        ? { kind: 'retrain' as const, requestId, count: judged.outcomes }
        : judged.action;
    const { fields, notes } = outcomeSummary(facts, facts.validationLoss as ValidationLoss);
    const reasons = [...judged.reasons, ...notes, ...left];
    return {
      judgement: { schema: 'line-judgement/1', site, ...judged, ...fields, action, reasons },
      askedAt,
      path,
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
  };
};
