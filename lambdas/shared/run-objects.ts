import type { RawObjectRecord } from '#core/contracts/lake.ts';
import type { FrameSource } from '#core/feature-sets/frame-versions.ts';
import { rawObjectVersions } from '#core/feature-sets/raw-object-versions.ts';
import { type FrameRange, framesObjectsWithin, overlaps } from '#core/lake/frames-within.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import { onceEach } from '#core/policy/once-each.ts';
import type { RegistryHistory, RegistryReader } from '#core/ports/registry.ts';
import { FRAMES_KEY, framesOf } from './frames.ts';
import type { ObjectStore } from './object-store.ts';

export interface RunObjectsDeps {
  readonly lake: Pick<ObjectStore, 'bucket' | 'get' | 'list'>;
  readonly registry: Pick<RegistryReader, 'latest'> & RegistryHistory;
}

/** A registered raw object of a run: which of its bytes there were, the first ones first. */
export interface RunObject {
  readonly key: string;
  readonly first: number;
  readonly last: number;
  readonly versions: readonly { readonly record: RawObjectRecord; readonly correctedAt: string | null }[];
}

/** Raw objects of a run as the registry knows them; each is looked up once. Uploads that are not registered yet are not there. */
export const runObjects = (
  deps: RunObjectsDeps,
  run: { readonly site: string; readonly asset: string; readonly run: string },
) => {
  const look = onceEach(async (key: string): Promise<RunObject | null> => {
    const parts = FRAMES_KEY.exec(key);
    const versions = (parts === null ? [] : await rawObjectVersions(deps.registry, key))
      // The same bytes uploaded again are no correction.
      .filter(({ record }, i, all) => record.digest !== all[i - 1]?.record.digest)
      .map(({ record, at }, i) => ({ record, correctedAt: i === 0 ? null : at }));
    return versions.length === 0 ? null : { key, first: Number(parts?.[4]), last: Number(parts?.[5]), versions };
  });
  let listed: { readonly of: FrameRange; readonly found: readonly (FrameRange & { readonly key: string })[] } | null =
    null;
  return {
    /** Registered objects whose frames lie in a range of indexes. Lists anew where the range before did not have them all. */
    async within(range: FrameRange): Promise<readonly RunObject[]> {
      if (listed === null || range.first < listed.of.first || listed.of.last < range.last)
        listed = { of: range, found: await framesObjectsWithin(deps.lake, run, range) };
      const found = await inParallel(
        listed.found.filter((o) => overlaps(o, range)),
        (o) => look(o.key),
      );
      return found.filter((o) => o !== null);
    },
  };
};

/**
 * Frames of each version of an object, exactly the bytes that the registry names.
 * @throws {Error} naming the object when its bytes are gone or others.
 */
export const sourcesOf = (lake: Pick<ObjectStore, 'bucket' | 'get'>, object: RunObject): Promise<FrameSource[]> =>
  inParallel(object.versions, async ({ record, correctedAt }) => {
    const { bucket, key, versionId, digest, bytes } = record;
    return { key, digest, correctedAt, frames: await framesOf(lake, { bucket, key, versionId, digest, bytes }) };
  });
