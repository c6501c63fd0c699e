import type { JudgingPolicy } from '#core/contracts/use-case.ts';

/** How lines are judged where a group says nothing else: as the demonstration use case declares it. */
export const POLICY: JudgingPolicy = {
  lossTolerance: 0.02,
  alarmAt: 1000,
  minOutcomes: 20,
  leaveAfter: 8,
  cooldownDays: 7,
  maxRetrains: 3,
  budgetDays: 90,
  maturityDays: 14,
  psiWatch: 0.02,
  psiSerious: 0.1,
  alpha: 0.01,
};
