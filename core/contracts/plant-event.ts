import { z } from 'zod';
import { Actor, AssetId, Instant, SiteId, Slug } from './primitives.ts';

/**
 * Something the IT side knows. `validTime` is when it was true, `knownTime` when anyone knew.
 * A `failure` ends a run at frame `index`; a `finding` is what maintenance found; a `repair` starts a new run.
 */
export const PlantEvent = z.strictObject({
  schema: z.literal('plant-event/1'),
  eventId: z.string().min(1).max(128),
  kind: z.enum(['failure', 'finding', 'repair', 'changeover', 'tool-change', 'inspection']),
  site: SiteId,
  asset: AssetId,
  run: Slug,
  index: z.int().positive().nullable(),
  validTime: Instant,
  knownTime: Instant,
  reportedBy: Actor,
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});
export type PlantEvent = z.infer<typeof PlantEvent>;
