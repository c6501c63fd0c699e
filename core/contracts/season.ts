import { z } from 'zod';

/** Cells of the day in which inputs differ although nothing changed: the same in the drift policy and in the trainer. */
export const Season = z.strictObject({
  hours: z.int().min(1).max(24).describe('of the day that make one cell'),
  weekdays: z.boolean().optional().describe('each weekday has cells of its own'),
  offsetMinutes: z.int().min(-720).max(840).optional().describe('local time less UTC, all the year'),
});
export type Season = z.infer<typeof Season>;
