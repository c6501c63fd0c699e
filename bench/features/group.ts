import type { Report } from '../report.ts';

/** What a group of the bench of features is given. */
export interface GroupOptions {
  readonly report: Report;
  /** Hours of the line that `realtime` runs. */
  readonly hours: number;
}
