import type { JoinedOutcomeRecord } from '#core/contracts/judgement.ts';

type Named = Pick<JoinedOutcomeRecord, 'modelLine' | 'packageDigest' | 'asset' | 'run' | 'validTime' | 'knownTime'>;

/** What became known of a unit of plant-a that failed after 50 frames: nearly all of 40 decisions had a value. */
export const anOutcome = (of: Named & Partial<JoinedOutcomeRecord>): JoinedOutcomeRecord => ({
  schema: 'outcome-judgement/2',
  site: 'plant-a',
  end: 'failed',
  endedAt: 50,
  events: [`failure-of-${of.asset}/${of.run}`],
  decisions: 40,
  withValue: 38,
  loss: 0.4,
  rmse: 24,
  lastError: 10,
  ...of,
});
