import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import type { RetrainEvidence } from '#core/drift/decision/decision-machine.ts';
import { judgeLine } from '#core/drift/decision/decision-machine.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { boundedLoss } from '#core/outcomes/loss.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { validationLossOf } from '#core/policy/validation-loss.ts';
import { type Model, trainRidge } from './ridge.ts';

/** Rows of one day with what turned out to be true of each. */
export interface Day {
  readonly rows: readonly (readonly number[])[];
  readonly truths: readonly number[];
}

export interface Plan {
  readonly days: readonly Day[];
  /** Days that the first model learns from; those after are served. */
  readonly first: number;
  /** Days that every later model learns from, up to the day it is made. */
  readonly window: number;
  /** Error that counts as wholly wrong, in the unit of the target. */
  readonly cap: number;
  readonly policy: JudgingPolicy;
}

/** A model and the day from which it serves. */
interface Served {
  readonly from: number;
  readonly model: Model;
}

/** What a rule of retraining came to. */
export interface Course {
  readonly retrains: number;
  /** Made and not released, since the champion was as good on sealed days. */
  readonly refused: number;
  /** Answers minus truths of each served day. */
  readonly errors: readonly (readonly number[])[];
}

const PENALTY = 10;
/** Of the days of a window each fifth is sealed: a model is measured on them and does not learn from them. */
const SEALED = 5;
const EPOCH = Date.UTC(2011, 0, 1);
const instant = (day: number): string => new Date(EPOCH + 86_400_000 * day).toISOString();

const learn = ({ days }: Plan, from: number, to: number): Model => {
  const seen = days.slice(from, to).filter((_, i) => (from + i) % SEALED !== 0);
  return trainRidge(
    seen.flatMap((d) => d.rows),
    seen.flatMap((d) => d.truths),
    PENALTY,
  );
};

const lossOf = ({ rows, truths }: Day, model: Model, cap: number): number =>
  rows.reduce((sum, row, i) => sum + boundedLoss(model(row), truths[i] as number, cap), 0) / rows.length;

const sealedIn = (plan: Plan, from: number, to: number): readonly Day[] =>
  plan.days.slice(from, to).filter((_, i) => (from + i) % SEALED === 0);

const course = (plan: Plan, served: readonly Served[], refused: number): Course => ({
  retrains: served.length - 1,
  refused,
  errors: plan.days.slice(plan.first).map(({ rows, truths }, i) => {
    const { model } = served.findLast((s) => s.from <= plan.first + i) as Served;
    return rows.map((row, r) => model(row) - (truths[r] as number));
  }),
});

const firstModel = (plan: Plan): Served => ({ from: plan.first, model: learn(plan, 0, plan.first) });

/** Retrains on fixed days, whatever happens. */
export const byCalendar = (plan: Plan, on: readonly number[]): Course =>
  course(
    plan,
    [firstModel(plan), ...on.map((day) => ({ from: day, model: learn(plan, Math.max(0, day - plan.window), day) }))],
    0,
  );

/**
 * Retrains when the decision machine asks for it, by the loss of each day, known the day after. A candidate is released if
 * its loss on the sealed days since the champion learnt is smaller; otherwise it is refused, and the machine cools down.
 */
export const byMachine = (plan: Plan): Course => {
  const { days, cap, policy } = plan;
  let champion = firstModel(plan);
  let learnt = [0, plan.first] as readonly [number, number];
  const served = [champion];
  let retrains: RetrainEvidence[] = [];
  let refused = 0;
  for (;;) {
    const sealed = sealedIn(plan, ...learnt).map((d, i) => ({
      run: String(i),
      rows: 1,
      sumLoss: lossOf(d, champion.model, cap),
    }));
    const upper = validationLossOf(sealed, seededRandom(1))?.upper as number;
    const packageDigest = digestOf({ champion: served.length });
    const outcomes = days.slice(champion.from).map((d, i) => ({
      unit: `turbine/d${champion.from + i}`,
      asset: 'turbine',
      knownTime: instant(champion.from + i + 1),
      loss: lossOf(d, champion.model, cap),
    }));
    const { askedAt, action } = judgeLine({
      modelLine: 'emissions/plant',
      policy,
      packageDigest,
      expectedLoss: upper + policy.lossTolerance,
      outcomes,
      features: [],
      retrains,
      coverage: { matured: outcomes.length, known: outcomes.length },
    });
    if (askedAt === null || action === null || action.requestId === null) return course(plan, served, refused);
    const day = Math.round((Date.parse(askedAt) - EPOCH) / 86_400_000);
    const from = Math.max(0, day - plan.window);
    const candidate = learn(plan, from, day);
    const since = sealedIn(plan, Math.max(from, learnt[1]), day);
    const total = (model: Model): number => since.reduce((sum, d) => sum + lossOf(d, model, cap), 0);
    const better = total(candidate) < total(champion.model);
    const { requestId } = action;
    retrains = [...retrains, { requestId, at: askedAt, outcome: better ? 'candidate' : 'refused' }];
    if (!better) {
      refused++;
      continue;
    }
    champion = { from: day, model: candidate };
    learnt = [from, day];
    served.push(champion);
  }
};
