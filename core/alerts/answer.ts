import type { AlertRecord } from '../contracts/judgement.ts';
import type { AsFound, PlantEvent } from '../contracts/plant-event.ts';
import type { Instant } from '../contracts/primitives.ts';
import type { Truth } from './change.ts';

/** What may be found with each answer, the first where a person does not say. */
export const FOUND_WITH: Readonly<Record<Truth, readonly AsFound[]>> = {
  true: ['damaged', 'failed'],
  false: ['healthy'],
  repaired: ['unknown', 'damaged', 'failed', 'healthy'],
};

/**
 * An instant by the plant's own clock, as far as the alert shows it: its decision has both clocks. In a plant that sends
 * what happens as it happens they are the same; recorded or simulated machines live at another time.
 */
const plantTime = ({ sourceTime, raisedAt }: AlertRecord, at: Instant): Instant =>
  new Date(Date.parse(sourceTime) + Math.max(0, Date.parse(at) - Date.parse(raisedAt))).toISOString();

/** Id of the plant event that answers an alert: one an alert, so that saying it again is no second outcome. */
export const answerEventId = ({ asset, run }: Pick<AlertRecord, 'asset' | 'run'>): string => `alert.${asset}.${run}`;

export interface Answer {
  readonly truth: Truth;
  readonly asFound: AsFound;
  /** Last frame that was decided about before the machine was opened. */
  readonly index: number;
  readonly by: string;
  /** When the person said it. */
  readonly at: Instant;
  readonly note: string;
  /** Of a machine found damaged: what it would have lived on at most, label units; absent: nobody said. */
  readonly leftAtMost?: number | undefined;
}

/**
 * What a person said of an alert, as the plant event by which the model is judged: a finding, or a repair that ended the
 * run. The same answer gives the same event.
 * @throws {RangeError} when what was found contradicts the answer, or a life is left to what was not found damaged.
 */
export const answerEvent = (alert: AlertRecord, answer: Answer): PlantEvent => {
  const { truth, asFound, index, by, at, note, leftAtMost } = answer;
  const fits = FOUND_WITH[truth];
  if (leftAtMost !== undefined && asFound !== 'damaged')
    throw new RangeError(`what was found "${asFound}" has no life left to be said; expected it with "damaged" only`);
  if (!fits.includes(asFound))
    throw new RangeError(
      `an alert that was "${truth}" was not found "${asFound}"; expected ${fits.join(' or ')}, or another answer`,
    );
  const known = plantTime(alert, at);
  return {
    schema: 'plant-event/1',
    eventId: answerEventId(alert),
    kind: truth === 'repaired' ? 'repair' : 'finding',
    site: alert.site,
    asset: alert.asset,
    run: alert.run,
    index: Math.max(index, alert.index),
    decision: alert.decision,
    asFound,
    validTime: known,
    knownTime: known,
    reportedBy: by,
    detail: {
      alert: alert.alertId,
      ...(note === '' ? {} : { note }),
      ...(leftAtMost === undefined ? {} : { leftAtMost }),
    },
  };
};
