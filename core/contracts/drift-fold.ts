import { z } from 'zod';
import { WindowEvidence } from './drift.ts';
import { PlantEvent } from './plant-event.ts';
import { JudgingPolicy } from './use-case.ts';

/**
 * One step of the judgement of a device, with all that it was judged by beside the windows and the baseline, which it
 * names by digest: who has those computes the evidence again, byte by byte (`millwright explain drift`). An object of the
 * lake, as canonical JSON.
 */
export const DriftFold = z.strictObject({
  schema: z.literal('drift-fold/1'),
  evidence: WindowEvidence,
  policy: JudgingPolicy,
  events: z.array(PlantEvent).describe('plant events of the assets that were known'),
});
export type DriftFold = z.infer<typeof DriftFold>;
