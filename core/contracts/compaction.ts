import { z } from 'zod';
import { LANDED_TABLES } from './lake-tables.ts';
import { Instant, SiteId } from './primitives.ts';

const LandedTable = z.enum(LANDED_TABLES);
const LakeDate = z.iso.date();

/** What compaction has decided about a day, before it writes anything; the object is written once. */
export const CompactionPlan = z.strictObject({
  schema: z.literal('compaction-plan/1'),
  table: LandedTable,
  site: SiteId,
  date: LakeDate,
  at: Instant,
  parts: z
    .array(z.strictObject({ name: z.string().min(1), sources: z.array(z.string()).min(1) }))
    .min(1)
    .describe('files of tier cold, and which files of tier hot each is made of'),
});
export type CompactionPlan = z.infer<typeof CompactionPlan>;

/** A step of compaction that is done; the object is written once. */
export const CompactionMark = z.strictObject({ schema: z.literal('compaction-mark/1'), at: Instant });
export type CompactionMark = z.infer<typeof CompactionMark>;

/** What the function `compact` is asked; nothing means: every closed day that has small files. */
export const CompactRequest = z.strictObject({
  table: LandedTable.optional(),
  site: SiteId.optional(),
  date: LakeDate.optional(),
  dryRun: z.boolean().default(false),
});
export type CompactRequest = z.infer<typeof CompactRequest>;

export const CompactedDay = z.strictObject({
  table: LandedTable,
  site: SiteId,
  date: LakeDate,
  files: z.int().nonnegative().describe('small files'),
  bytes: z.int().nonnegative(),
  parts: z.int().nonnegative().describe('files that they become'),
  state: z.enum(['open', 'single', 'planned', 'written', 'committed', 'done']),
});
export type CompactedDay = z.infer<typeof CompactedDay>;

export const CompactAnswer = z.strictObject({
  days: z.array(CompactedDay),
  more: z.boolean().describe('time was over before all was done: ask again'),
});
export type CompactAnswer = z.infer<typeof CompactAnswer>;
