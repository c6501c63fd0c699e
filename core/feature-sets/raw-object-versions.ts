import { parseAs } from '../contracts/errors.ts';
import { RawObjectRecord } from '../contracts/lake.ts';
import type { RegistryHistory, RegistryReader } from '../ports/registry.ts';

/**
 * Versions of a raw object as the registry has them, the first one first, each with the instant at which the registry
 * learnt of it; none where the object is not registered. Only of one that has several is its history asked for.
 */
export const rawObjectVersions = async (
  registry: Pick<RegistryReader, 'latest'> & RegistryHistory,
  key: string,
): Promise<readonly { readonly record: RawObjectRecord; readonly at: string }[]> => {
  const latest = await registry.latest('raw-object', key);
  if (latest === null) return [];
  const stored = latest.version === 1 ? [latest] : await registry.versions('raw-object', key);
  return stored.map(({ body, at }) => ({ record: parseAs(RawObjectRecord, body, `raw object ${key}`), at }));
};
