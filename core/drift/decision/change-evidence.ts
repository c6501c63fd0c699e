import type { PlantEvent } from '../../contracts/plant-event.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { EVER, standingEvents } from '../../outcomes/standing.ts';
import { driftRules } from '../policy.ts';
import type { ChangeEvidence } from './evidence.ts';

const rulesOf = (policy: JudgingPolicy): Readonly<Record<string, string>> => driftRules(policy.drift).onEvent;

/** Whether the policy declares a retrain for any kind of change: only then events of machines are asked for. */
export const declaresRetrain = (policy: JudgingPolicy): boolean => Object.values(rulesOf(policy)).includes('retrain');

/**
 * The changes of machines for which the policy declares a retrain, of those that stand.
 * @param servedSince when the judged champion surely served already: what was changed before, it may have learnt.
 */
export const changesOf = (
  policy: JudgingPolicy,
  events: readonly PlantEvent[],
  servedSince: string | null,
): readonly ChangeEvidence[] =>
  servedSince === null
    ? []
    : standingEvents(events, EVER)
        .filter((e) => rulesOf(policy)[e.kind] === 'retrain' && e.validTime >= servedSince)
        .map(({ eventId, kind, asset, validTime, knownTime }) => ({ eventId, kind, asset, validTime, knownTime }));
