import { z } from 'zod';
import { SignalName } from './observation.ts';
import { AssetId, DeviceId, Instant, SiteId, Slug } from './primitives.ts';

/** What is checked of each signal on the way in; one file of core/quality each. */
export const QualityCheck = z.enum(['range', 'rate', 'stuck', 'gap', 'clock-step', 'unit', 'duplicate-time', 'late']);
export type QualityCheck = z.infer<typeof QualityCheck>;

/** What a signal is expected to do; a rule that is absent is not checked. */
export const QualityRules = z.strictObject({
  range: z.tuple([z.number(), z.number()]).optional().describe('physically possible values; outside is BAD'),
  maxRate: z.number().positive().optional().describe('largest change, units a second; faster is UNCERTAIN'),
  stuckSeconds: z
    .number()
    .positive()
    .optional()
    .describe('the same value for longer is UNCERTAIN: of a live sensor noise moves the last digit'),
  intervalSeconds: z.number().positive().optional().describe('expected between two values'),
  gapSeconds: z.number().positive().optional().describe('silence for longer is a gap; default five intervals'),
  latenessSeconds: z.number().nonnegative().optional().describe('received later than this after its source time'),
});
export type QualityRules = z.infer<typeof QualityRules>;

/** One stretch of one signal in which one check failed. Results are data: the table `quality`. */
export const QualityFinding = z.strictObject({
  schema: z.literal('quality-finding/1'),
  site: SiteId,
  asset: AssetId,
  signal: SignalName,
  check: QualityCheck,
  from: Instant.describe('source time of the first value concerned'),
  to: Instant.describe('source time of the last one; of an open stretch the last seen, of a gap the value after it'),
  open: z.boolean().describe('it went on when this was said; a later finding with the same `from` replaces this one'),
  count: z.int().positive().describe('values concerned'),
  worst: z.number().nullable().describe('largest deviation, in the unit of the check: signal units, seconds'),
  says: z.string().min(1).max(240),
});
export type QualityFinding = z.infer<typeof QualityFinding>;

/** Findings of one device; topic `…/quality`, under 7 kB. Named and landed as observations are. */
export const QualityMessage = z.strictObject({
  schema: z.literal('quality/1'),
  site: SiteId,
  device: DeviceId,
  boot: Slug,
  sequence: z.int().positive(),
  at: Instant,
  findings: z.array(QualityFinding).min(1),
});
export type QualityMessage = z.infer<typeof QualityMessage>;

export const qualityTopic = (stage: string, site: string, device: string): string =>
  `millwright/${stage}/${site}/${device}/quality`;
