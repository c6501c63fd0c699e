import type { FeatureDigest } from '../../contracts/device.ts';
import type { DriftWindow } from '../../contracts/drift.ts';
import { ContractError } from '../../contracts/errors.ts';
import { canonicalJson } from '../../lineage/canonical-json.ts';
import { packSketch, unpackSketch } from './pack.ts';

/** A message has to fit 10 000 bytes of IPC in base64. */
const MAX_PART_BYTES = 6500;

/** A window as the messages of its device, each small enough to send, features in their order. */
export const digestParts = (window: DriftWindow): readonly FeatureDigest[] => {
  const { features, ...of } = window;
  const head = { ...of, schema: 'feature-digest/2' as const, part: 0, parts: features.length };
  const room = MAX_PART_BYTES - JSON.stringify({ ...head, sketches: [] }).length;
  const groups: [string, string][][] = [[]];
  let bytes = 0;
  for (const sketch of features) {
    const entry: [string, string] = [sketch.name, packSketch(sketch)];
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes + size > room && bytes > 0) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(entry);
    bytes += size;
  }
  return groups.map((sketches, part) => ({ ...head, part, parts: groups.length, sketches }));
};

/** What one part says. @throws {ContractError} naming a feature whose sketch cannot be read. */
export const sketchesOf = (digest: Pick<FeatureDigest, 'sketches'>): DriftWindow['features'] =>
  digest.sketches.map(([name, packed]) => {
    try {
      return unpackSketch(name, packed);
    } catch (error) {
      throw new ContractError('feature digest', [(error as Error).message]);
    }
  });

/**
 * The window that parts say together, in any order, each as often as it came; null while some have not come.
 * @throws {ContractError} when they are of several windows, one part has two contents, or a sketch cannot be read.
 */
export const windowOfParts = (digests: readonly FeatureDigest[]): DriftWindow | null => {
  const parts = new Map<number, FeatureDigest>();
  const [first] = digests;
  if (first === undefined) return null;
  const headOf = ({ part, sketches, ...head }: FeatureDigest): string => canonicalJson(head);
  const named = `window ${first.windowStart} of ${first.site}/${first.device}, boot ${first.boot}`;
  for (const digest of digests) {
    if (headOf(digest) !== headOf(first))
      throw new ContractError(named, ['a part of another window came with its parts']);
    const known = parts.get(digest.part);
    if (known !== undefined && canonicalJson(known) !== canonicalJson(digest))
      throw new ContractError(named, [`part ${digest.part} has two contents: a device sends a part again as it was`]);
    parts.set(digest.part, digest);
  }
  const inOrder = [...parts.values()].sort((a, b) => a.part - b.part);
  const { schema, part, parts: count, sketches, ...of } = first;
  if (inOrder.some((digest) => digest.part >= count))
    throw new ContractError(named, [`expected parts 0 … ${count - 1}, got ${inOrder.map((d) => d.part).join(', ')}`]);
  return inOrder.length < count
    ? null
    : { ...of, schema: 'drift-window/1', features: inOrder.flatMap((digest) => sketchesOf(digest)) };
};
