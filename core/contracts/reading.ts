import { z } from 'zod';
import { Quality } from './frame.ts';
import { ObservationFlag, SignalName } from './observation.ts';
import { AssetId, Instant, Slug } from './primitives.ts';

/** One value of a machine, or samples of a waveform in its place. Short names: many come. */
export const ReadingPoint = z
  .strictObject({
    signal: SignalName,
    t: Instant.describe('source time; of samples that of the first'),
    v: z.union([z.number(), z.string().max(256), z.boolean(), z.null()]).optional(),
    samples: z.base64().optional().describe('little-endian float32, at the rate of the signal'),
    unit: z.string().min(1).max(64).optional().describe('UCUM code; absent: the one the signal is declared with'),
    q: Quality.default('GOOD'),
    why: z.string().max(120).optional().describe('reason of a quality that is not GOOD'),
    raw: z.string().max(32).optional().describe('code of quality as the source gave it'),
    flags: z.array(ObservationFlag).optional(),
  })
  .refine((p) => (p.v === undefined) !== (p.samples === undefined), 'expected exactly one of v and samples')
  .refine((p) => p.v !== null || p.q !== 'GOOD', 'a value that is null cannot be GOOD');
export type ReadingPoint = z.infer<typeof ReadingPoint>;

/**
 * Values as a machine sends them to a connector, a line of JSON. `n` counts the lines of a session from 1: what was not
 * acknowledged is sent again after a reconnect, and what was taken before is not taken twice.
 */
export const Reading = z.strictObject({
  schema: z.literal('reading/1'),
  session: Slug.describe('another one with each start of the sender'),
  n: z.int().positive(),
  asset: AssetId.optional().describe('absent: the machine at this address'),
  points: z.array(ReadingPoint).min(1).max(2000),
});
export type Reading = z.infer<typeof Reading>;
