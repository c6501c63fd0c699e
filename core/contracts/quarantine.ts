import { z } from 'zod';
import { Actor, Instant, SiteId } from './primitives.ts';

/** Why something was put aside, in one word: what `millwright quarantine` counts by. */
export const QuarantineClass = z.enum(['not-json', 'contract', 'sender', 'unit', 'name-used', 'container', 'unproved']);
export type QuarantineClass = z.infer<typeof QuarantineClass>;

/** One message that could not land: a line of a quarantine object of messages. */
export const QuarantinedMessage = z.strictObject({
  schema: z.literal('quarantined-message/1'),
  at: Instant,
  class: QuarantineClass,
  reason: z.string().min(1).max(400),
  topic: z.string().nullable().describe('where it came; null when it came by no topic'),
  bytes: z.base64().describe('as it came, every byte'),
});
export type QuarantinedMessage = z.infer<typeof QuarantinedMessage>;

/** What came of a replay. */
export const ReplayResult = z.strictObject({
  at: Instant,
  by: Actor,
  landed: z.int().nonnegative().describe('good now, stored by this replay'),
  known: z.int().nonnegative().describe('good now, stored before'),
  bad: z.int().nonnegative().describe('still bad; they stay with their reasons'),
  handedOn: z.boolean().describe('the object was given to its own way in again, which checks it anew'),
});
export type ReplayResult = z.infer<typeof ReplayResult>;

/** Body of registry record `quarantine/<key>`: an object of bad lines or messages, which is never changed or removed. */
export const QuarantineRecord = z.strictObject({
  schema: z.literal('quarantine/1'),
  key: z.string().min(1).describe('of the quarantine object in the lake'),
  versionId: z
    .string()
    .nullable()
    .optional()
    .describe('of the object whose lines they are; none where they are messages'),
  site: SiteId,
  records: z.int().positive(),
  reason: z.string().min(1).max(400).describe('of the first'),
  replay: ReplayResult.nullable().describe('the last one'),
});
export type QuarantineRecord = z.infer<typeof QuarantineRecord>;

const WHAT = z.union([
  z.strictObject({ keys: z.array(z.string().startsWith('quarantine/')).min(1).max(100) }),
  z.strictObject({ class: QuarantineClass }),
  z.strictObject({ all: z.literal(true) }),
]);

/** What the function `quarantine` is asked. */
export const QuarantineRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('list'), site: SiteId.nullable(), limit: z.int().min(1).max(1000) }),
  z.strictObject({
    do: z.literal('show'),
    key: z.string().startsWith('quarantine/'),
    limit: z.int().min(1).max(200),
  }),
  z.strictObject({
    do: z.literal('replay'),
    what: WHAT,
    dryRun: z.boolean(),
    by: Actor,
    reason: z.string().min(1).max(400),
  }),
]);
export type QuarantineRequest = z.infer<typeof QuarantineRequest>;

/** One quarantine object as a list shows it. */
export const QuarantineEntry = z.strictObject({
  key: z.string(),
  site: z.string(),
  from: z.enum(['messages', 'observations', 'frames', 'events', 'decisions']),
  at: Instant.describe('when it was written'),
  records: z.int().nonnegative(),
  classes: z.partialRecord(QuarantineClass, z.int().positive()),
  replay: ReplayResult.nullable(),
});
export type QuarantineEntry = z.infer<typeof QuarantineEntry>;

export const QuarantineList = z.strictObject({
  entries: z.array(QuarantineEntry),
  more: z.boolean().describe('there are older ones'),
});
export type QuarantineList = z.infer<typeof QuarantineList>;

/** One bad record as it is shown. */
export const QuarantineLine = z.strictObject({
  class: QuarantineClass,
  reason: z.string(),
  place: z.string().describe('line of its object, or topic'),
  text: z.string().describe('its beginning'),
});
export const QuarantineShown = z.strictObject({
  entry: QuarantineEntry,
  lines: z.array(QuarantineLine),
});
export type QuarantineShown = z.infer<typeof QuarantineShown>;

export const ReplayAnswer = z.strictObject({
  replays: z.array(
    z.strictObject({
      key: z.string(),
      result: ReplayResult,
      stillBad: z.array(z.string()).describe('reasons of those that are still bad, each once'),
    }),
  ),
  more: z.boolean().describe('there are more objects: ask again'),
});
export type ReplayAnswer = z.infer<typeof ReplayAnswer>;
