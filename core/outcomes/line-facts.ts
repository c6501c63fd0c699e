import { z } from 'zod';
import { parseAs } from '../contracts/errors.ts';
import { ValidationLoss } from '../contracts/evaluation.ts';
import { JoinedOutcomeRecord, judgementKeys } from '../contracts/judgement.ts';
import { LabelRequest } from '../contracts/label-request.ts';
import type { JudgingPolicy } from '../contracts/use-case.ts';
import type { ChangeEvidence, FeatureEvidence, RetrainEvidence } from '../drift/decision/decision-machine.ts';
import type { ServedUnit } from './coverage.ts';

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
