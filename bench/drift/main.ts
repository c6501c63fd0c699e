import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Group, GroupOptions } from './group.ts';

const FOLDER = join(import.meta.dirname, 'groups');

export const GROUPS: readonly string[] = readdirSync(FOLDER)
  .filter((f) => f.endsWith('.ts'))
  .map((f) => basename(f, '.ts'))
  .sort();

/** Measures how models are judged, group after group, or one of them. */
export const drift = async (o: GroupOptions & { readonly only: string | undefined }): Promise<void> => {
  for (const name of GROUPS) {
    if (o.only !== undefined && o.only !== name) continue;
    o.report.note(name);
    const { measure } = (await import(pathToFileURL(join(FOLDER, `${name}.ts`)).href)) as Group;
    await measure(o);
  }
};
