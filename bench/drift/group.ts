import type { Report } from '../report.ts';

/** What a group of the bench of drift is given. */
export interface GroupOptions {
  readonly report: Report;
  /** Folder of industrial data; groups that need some and do not find it say so and end. */
  readonly data: string;
}

/** A file of groups/: found by its name, run in the order of names. */
export interface Group {
  readonly measure: (o: GroupOptions) => Promise<void>;
}
