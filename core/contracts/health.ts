import { z } from 'zod';

/** What the function platform-health of a plane looks at: its environment variable MILLWRIGHT_WATCH, as JSON. */
export const HealthWatch = z.strictObject({
  plane: z.enum(['governance', 'ml', 'plant']),
  workflows: z.array(z.strictObject({ arn: z.string(), allowedMinutes: z.int().positive() })).default([]),
  silentMinutes: z.int().positive().nullable().default(null).describe('of devices; null: looks at none'),
  checkpointMinutes: z.int().positive().nullable().default(null).describe('age of the newest; null: looks at none'),
});
export type HealthWatch = z.output<typeof HealthWatch>;

/** Metrics it puts, in the namespace of the stage, with the plane as their only dimension: no model line, no device. */
export const HEALTH_METRICS = {
  devices: 'Devices',
  silent: 'SilentDevices',
  stuck: 'StuckExecutions',
  oldest: 'OldestExecutionMinutes',
  checkpointAge: 'CheckpointAgeMinutes',
  late: 'LateCheckpoints',
  unwatched: 'UnwatchedDevices',
} as const;

export const healthNamespace = (prefix: string): string => `${prefix}/health`;
