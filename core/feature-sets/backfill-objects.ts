import { lakeKeys, type RawObjectRecord } from '../contracts/lake.ts';
import { inParallel } from '../policy/in-parallel.ts';
import type { RegistryHistory, RegistryReader } from '../ports/registry.ts';
import type { BackfillRequest } from './backfill.ts';
import { rawObjectVersions } from './raw-object-versions.ts';

export interface BackfillSources {
  readonly registry: Pick<RegistryReader, 'latest'> & RegistryHistory;
  /** Lists keys that begin with a prefix. */
  readonly lake: { list(prefix: string): Promise<readonly string[]> };
}

/**
 * Raw objects that a backfill may read, each as all its versions: of its site, and of its asset where it names one. Others
 * are not looked up. Uploads that are not registered are not there.
 */
export const backfillObjects = async (
  { registry, lake }: BackfillSources,
  of: Pick<BackfillRequest, 'site' | 'asset'>,
): Promise<readonly (readonly RawObjectRecord[])[]> => {
  const versionsOf = async (key: string): Promise<RawObjectRecord[]> =>
    (await rawObjectVersions(registry, key)).map((v) => v.record);
  const keys = await lake.list(lakeKeys.allFramesPrefix(of));
  return (await inParallel(keys, versionsOf)).filter((versions) => versions.length > 0);
};
