import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { few } from '../../text/few.ts';
import { driftRules } from '../policy.ts';
import type { FeatureEvidence, FeatureVotes } from './feature-votes.ts';
import { dayOf, figure, NAMED } from './wording.ts';

/** The machines that devices saw, else the devices. */
const placesOf = (all: readonly FeatureEvidence[]): string =>
  few(
    [...new Set(all.flatMap((e) => (e.assets === undefined || e.assets.length === 0 ? [e.device] : e.assets)))],
    NAMED,
  );

const sinceOf = (all: readonly FeatureEvidence[]): string => {
  const first = all.flatMap((e) => e.since ?? []).sort()[0];
  return first === undefined ? '' : ` since ${dayOf(first)}`;
};

/** What an operator is asked about steps that nobody announced. */
export const changeoverQuestion = ({ changeovers }: FeatureVotes, { drift }: JudgingPolicy): string =>
  `many inputs of ${placesOf(changeovers)} stepped at once${sinceOf(changeovers)}: was it changed over? ` +
  'Say so with "millwright events add" (changeover or tool-change); ' +
  `unanswered for ${driftRules(drift).changeoverDays} days it is drift`;

/** What ages most, how fast, and how long it may; null where nothing does. */
export const ageingSays = ({ ageing }: FeatureVotes): string | null => {
  const [first] = ageing;
  if (first?.ageing === undefined) return null;
  const { feature, perDay, daysToLimit } = first.ageing;
  const when =
    daysToLimit === null
      ? 'when it reaches its limit is not sure yet'
      : daysToLimit === 0
        ? 'its limit is reached'
        : `its limit is ${Math.floor(daysToLimit)} days away: plan a retrain before`;
  return `${feature} of ${placesOf([first])} ages${sinceOf([first])} by ${figure(perDay)} standard deviations a day; ${when}`;
};

const unknownContexts = (all: readonly FeatureEvidence[]): string =>
  `${placesOf(all)} ran in a context that training does not know ` +
  `(${few([...new Set(all.map((e) => e.context ?? 'unnamed'))], NAMED)}): not judged as drift`;

/** What devices say of their inputs, and who has no vote. @param calm whether outcomes hold. */
export const inputReasons = (votes: FeatureVotes, policy: JudgingPolicy, calm: boolean): readonly string[] => {
  const { changeovers, newContexts, recurring, held } = votes;
  const ageing = ageingSays(votes);
  const drifting =
    `inputs are not as in training on ${few(votes.voting, NAMED)}: ${votes.features.slice(0, 3).join(', ')}` +
    (calm ? '; outcomes hold, so nothing follows from it' : '');
  return [
    ...(votes.watch ? [drifting] : []),
    ...(changeovers.length > 0 ? [changeoverQuestion(votes, policy)] : []),
    ...(ageing === null ? [] : [ageing]),
    ...(newContexts.length > 0 ? [unknownContexts(newContexts)] : []),
    ...(recurring.length > 0 ? [`inputs of ${placesOf(recurring)} are as in a regime that was accepted before`] : []),
    ...held.slice(0, NAMED).map(({ device, quality }) => `the inputs of ${device} have no vote: ${quality}`),
    ...(held.length > NAMED ? [`the inputs of ${held.length - NAMED} more devices have no vote`] : []),
  ];
};
