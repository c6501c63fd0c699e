import type { FeatureDigest } from '#core/contracts/device.ts';
import { FeatureDigest as FeatureDigestContract } from '#core/contracts/device.ts';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { windowOfParts } from '#core/drift/sketch/digest-parts.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';

/** A window has one content for ever, wherever it was written: what it is merged with can be computed again. */
export class WindowChanged extends Error {
  constructor(key: string) {
    super(`${key} was written before with other content: a device sends a window again as it was; look who wrote it`);
    this.name = 'WindowChanged';
  }
}

/**
 * Keeps a window in the lake; the same again is harmless. @returns the bytes that are kept.
 * @throws {WindowChanged} when its name has other content.
 */
export const keepWindow = async (lake: ObjectStore, window: DriftWindow): Promise<Uint8Array> => {
  const key = lakeKeys.driftWindow(window);
  const bytes = Buffer.from(canonicalJson(window));
  const there = await lake.find(key);
  if (there === null) await lake.put(key, bytes, 'application/json');
  else if (!bytes.equals(there)) throw new WindowChanged(key);
  return bytes;
};

/**
 * The window that parts belong to, once all of it is there. Parts that come alone wait in the lake, because the others
 * may come to another instance of this function; whichever comes last finds them all.
 * @param parts of one window, that came together. @returns null while some have not come.
 */
export const wholeWindow = async (
  lake: ObjectStore,
  parts: readonly [FeatureDigest, ...FeatureDigest[]],
): Promise<DriftWindow | null> => {
  const together = windowOfParts(parts);
  if (together !== null) return together;
  await inParallel(parts, (part) =>
    lake.put(lakeKeys.driftPart(part, part.part), Buffer.from(canonicalJson(part)), 'application/json'),
  );
  const [first] = parts;
  const keys = await lake.list(lakeKeys.driftParts(first));
  if (keys.length < first.parts) return null;
  const all = await inParallel(keys, async (key) => parseAs(FeatureDigestContract, await getJson(lake, key), key));
  return windowOfParts(all);
};
