import { z } from 'zod';
import { Quality } from './frame.ts';
import { AssetId, DeviceId, Instant, SiteId, Slug } from './primitives.ts';

/** Name of a signal, unique within its asset. */
export const SignalName = z.string().min(1).max(64);
export type SignalName = z.infer<typeof SignalName>;

/** What is known of how a value came to be, beside its quality (OPC UA Part 8, Part 11; Sparkplug B is_historical). */
export const ObservationFlag = z.enum(['historical', 'substituted', 'interpolated', 'clamped']);
export type ObservationFlag = z.infer<typeof ObservationFlag>;

/** Where a value came from. */
export const Provenance = z.strictObject({
  connector: Slug.describe('component or system that read it'),
  configVersion: z.string().min(1).max(64).describe('of the connector: which mapping and which address it had'),
});
export type Provenance = z.infer<typeof Provenance>;

/** One value of a series; short names, because messages are metered by 5 kB. */
export const ObservationPoint = z
  .strictObject({
    t: Instant.describe('source time; never overwritten'),
    v: z.union([z.number(), z.string().max(256), z.boolean(), z.null()]).describe('null only with BAD or UNCERTAIN'),
    q: Quality.default('GOOD'),
    why: z.string().max(120).optional().describe('reason of a quality that is not GOOD'),
    raw: z.string().max(32).optional().describe('code of quality as the source gave it'),
    flags: z.array(ObservationFlag).optional(),
  })
  .refine((p) => p.v !== null || p.q !== 'GOOD', 'a value that is null cannot be GOOD');
export type ObservationPoint = z.infer<typeof ObservationPoint>;

/** Values of one signal of one asset, in the order in which they came. */
export const ObservationSeries = z.strictObject({
  asset: AssetId,
  signal: SignalName,
  unit: z.string().min(1).describe('UCUM code of the values as sent'),
  points: z.array(ObservationPoint).min(1).max(2000),
});
export type ObservationSeries = z.infer<typeof ObservationSeries>;

/**
 * Observations of one device; topic `millwright/<stage>/<site>/<device>/observations`, under 7 kB; the same document, a
 * line each, in a bulk upload. `site/device/boot/sequence` names it: however often it is sent, its rows land once.
 */
export const ObservationMessage = z.strictObject({
  schema: z.literal('observations/1'),
  site: SiteId,
  device: DeviceId,
  boot: Slug,
  sequence: z.int().positive(),
  receivedTime: Instant.describe('when the gateway had it'),
  provenance: Provenance,
  series: z.array(ObservationSeries).min(1).max(200),
});
export type ObservationMessage = z.infer<typeof ObservationMessage>;

export const observationTopic = (stage: string, site: string, device: string): string =>
  `millwright/${stage}/${site}/${device}/observations`;

/** What one observation is outside of a message: what `core/quality` and `core/frames` work on. */
export interface Observation {
  readonly asset: string;
  readonly signal: string;
  readonly unit: string;
  readonly value: number | string | boolean | null;
  readonly quality: Quality;
  readonly reason?: string;
  /** Code of quality as the source gave it. */
  readonly raw?: string;
  readonly flags?: readonly ObservationFlag[];
  /** Milliseconds since 1970, UTC. */
  readonly sourceTime: number;
  readonly receivedTime: number;
  /** Place in the order of its device: boot by boot, message by message, point by point. */
  readonly sequence: number;
}
