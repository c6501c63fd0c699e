import type { LineJudgement, LineState } from '../../contracts/judgement.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';

/** States in which nobody has anything to do. */
const QUIET: readonly LineState[] = ['HEALTHY', 'WATCH', 'VERIFY', 'NEW_CONTEXT', 'RECURRING'];

/** The loss is confirmed and nothing is left that the machine may do. */
const needsPerson = ({ state, action, wouldHave }: LineJudgement): boolean =>
  state === 'CONFIRMED' && action === null && (wouldHave ?? null) === null;

/** Devices that an operator is asked about. */
export const askedAbout = (judgement: Pick<LineJudgement, 'action'> | undefined): number =>
  judgement?.action?.kind === 'ask-operator' ? judgement.action.count : 0;

/** What of a judgement is news for the registry: another champion, state or action; of a question also about how many. */
export const newsOf = (judgement: LineJudgement): string => {
  const { packageDigest, state, action, wouldHave } = judgement;
  return [
    packageDigest,
    state,
    action?.kind ?? '',
    action?.requestId ?? '',
    ...(action?.kind === 'ask-operator' ? [`of ${askedAbout(judgement)}`] : []),
    ...(wouldHave === undefined ? [] : [`shadow ${wouldHave?.kind ?? ''}`]),
  ].join(' ');
};

/** What calls people: one call each, however it goes on. */
const CALLS: readonly (readonly LineState[])[] = [
  ['CONFIRMED', 'RETRAIN_REQUESTED', 'COOLDOWN'],
  ['SUSPECTED_CHANGEOVER'],
  ['AGEING'],
  ['DATA_QUALITY_HOLD'],
];

/** Whether a change of state calls people: what counts against a budget of alarms when nothing changed. */
export const isAlarm = (from: LineState, to: LineState): boolean =>
  CALLS.some((call) => call.includes(to) && !call.includes(from));

/**
 * Whether owners are told of a judgement that is news. Where the policy declares a budget of alarms they are told of what
 * calls them and of its end; what is only watched is in the registry.
 * @param from state of the judgement before.
 */
export const isTold = (from: LineState, judgement: LineJudgement, { drift }: JudgingPolicy): boolean => {
  const isNews = from !== judgement.state || needsPerson(judgement);
  const isQuiet = QUIET.includes(from) && QUIET.includes(judgement.state);
  return isNews && !(isQuiet && drift?.alertsPerMonth !== undefined);
};
