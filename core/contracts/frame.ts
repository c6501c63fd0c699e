import { z } from 'zod';
import { AssetId, Instant, SiteId, Slug } from './primitives.ts';

/** Normalised quality of one value (OPC UA StatusCode severity, ISA-18.2 practice); BAD carries no usable value. */
export const Quality = z.enum(['GOOD', 'UNCERTAIN', 'BAD']);
export type Quality = z.infer<typeof Quality>;

/**
 * One signal's part of a frame: a scalar, or a waveform as base64 of little-endian float32.
 * Exactly one of `value` and `samples` is present unless the quality is BAD.
 */
export const SignalValue = z
  .strictObject({
    value: z.number().optional(),
    samples: z.base64().optional(),
    quality: Quality,
    reason: z.string().max(120).optional(),
  })
  .refine(
    (s) => s.quality === 'BAD' || (s.value === undefined) !== (s.samples === undefined),
    'expected exactly one of value and samples unless quality is BAD',
  );
export type SignalValue = z.infer<typeof SignalValue>;

/**
 * A frame: all signals of one asset observed together, once per unit of work (a machine cycle, a shift, a flight).
 * `run` is the life the asset is in: it ends at a failure or overhaul, and windows never span two runs or two contexts.
 * `index` counts frames in the run from 1, in `indexUnit` of the use case.
 */
export const Frame = z.strictObject({
  schema: z.literal('frame/1'),
  site: SiteId,
  asset: AssetId,
  run: Slug,
  index: z.int().positive(),
  context: Slug,
  sourceTime: Instant,
  receivedTime: Instant,
  signals: z.record(z.string().min(1).max(64), SignalValue),
});
export type Frame = z.infer<typeof Frame>;
