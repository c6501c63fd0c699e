import type { GroupOptions } from './group.ts';
import { materialise } from './materialise.ts';
import { pointInTime } from './point-in-time.ts';
import { realtime } from './realtime.ts';
import { rolling } from './rolling.ts';
import { spectral } from './spectral.ts';

const ALL: Readonly<Record<string, (o: GroupOptions) => Promise<void>>> = {
  spectral,
  rolling,
  realtime,
  'point-in-time': pointInTime,
  materialise,
};

export const GROUPS: readonly string[] = Object.keys(ALL);

/** Measures the feature engine and the store, group after group, or one of them. */
export const features = async (o: GroupOptions & { readonly only: string | undefined }): Promise<void> => {
  for (const [name, group] of Object.entries(ALL)) {
    if (o.only !== undefined && o.only !== name) continue;
    o.report.note(name);
    await group(o);
  }
};
