import { z } from 'zod';
import { DecisionId } from './decision.ts';
import { Actor, AssetId, Instant, SiteId, Slug } from './primitives.ts';

/** What a person saw when the machine was opened. */
export const AsFound = z.enum(['failed', 'damaged', 'healthy', 'unknown']);
export type AsFound = z.infer<typeof AsFound>;

/**
 * Something the IT side knows. `validTime` is when it was true, `knownTime` when anyone knew.
 * A `failure` ends a run at frame `index`; a `finding` is what maintenance found; a `repair` ends a run too, and as found
 * it says whether it prevented a failure. An event that knows neither run nor index is joined by its decision, or by
 * asset and `validTime`. The same id with other content is a correction; so is another id that says what it `corrects`.
 */
export const PlantEvent = z.strictObject({
  schema: z.literal('plant-event/1'),
  eventId: z.string().min(1).max(128),
  kind: z.enum(['failure', 'finding', 'repair', 'changeover', 'tool-change', 'inspection']),
  site: SiteId,
  asset: AssetId,
  run: Slug.nullable(),
  index: z.int().positive().nullable(),
  decision: DecisionId.optional().describe('id of the decision that it is an answer to'),
  asFound: AsFound.optional(),
  corrects: z.string().min(1).max(128).optional().describe('id of the event that this one replaces'),
  validTime: Instant,
  knownTime: Instant,
  reportedBy: Actor,
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});
export type PlantEvent = z.infer<typeof PlantEvent>;

/** Characters of JSON that a detail may have: an event travels whole, in messages that hold 256 KB. */
const DETAIL_CHARACTERS = 8192;
/** Field of a detail: see {@link leftAtMostOf}. */
const LEFT_AT_MOST = 'leftAtMost';
/**
 * What the unit would have lived on at most by who found damage, label units of its model: it bounds the truth from above,
 * which a repair in time only bounds from below. Null: the event does not say, or says no number of 0 or more.
 */
export const leftAtMostOf = ({ detail }: Pick<PlantEvent, 'detail'>): number | null => {
  const said = detail[LEFT_AT_MOST];
  const value = typeof said === 'string' && said.trim() !== '' ? Number(said) : said;
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY ? value : null;
};
/** How ids end that the platform itself gives: of events that say which run another one was joined to. */
export const JOINED = '~joined';

/** An event as a plant reports it; what the platform cannot pass on, or says itself, is refused where it comes in. */
export const ReportedEvent = PlantEvent.refine((e) => JSON.stringify(e.detail).length <= DETAIL_CHARACTERS, {
  path: ['detail'],
  message: `expected at most ${DETAIL_CHARACTERS} characters of JSON; keep reports elsewhere and name them`,
})
  .refine((e) => e.detail[LEFT_AT_MOST] === undefined || leftAtMostOf(e) !== null, {
    path: ['detail', LEFT_AT_MOST],
    message: 'expected a number of 0 or more, in label units: what the unit would have lived on at most',
  })
  .refine((e) => !e.eventId.endsWith(JOINED), {
    path: ['eventId'],
    message: `ids that end in ${JOINED} are the platform's own; give another`,
  });
