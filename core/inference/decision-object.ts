import { type DecisionObjectHeader, type DecisionRecord, decisionObjectKey } from '../contracts/decision.ts';
import { canonicalJson } from '../lineage/canonical-json.ts';
import { merkleRoot } from '../lineage/digest.ts';

export interface DecisionObject {
  readonly key: string;
  readonly header: DecisionObjectHeader;
  /** Header line, then one canonical line a decision. */
  readonly body: string;
}

/**
 * The object that uploads decisions of one boot, sealed by a Merkle root over its canonical lines.
 * @param stage of the platform: the key begins with the name of the device's thing.
 * @param records consecutive sequences, at least one.
 * @throws {Error} when they are not: a gap must be visible between objects, never inside one.
 */
export const decisionObject = (stage: string, records: readonly DecisionRecord[]): DecisionObject => {
  const first = records[0];
  if (first === undefined) throw new Error('a decision object needs at least one decision; got none');
  for (const [i, r] of records.entries())
    if (r.boot !== first.boot || r.sequence !== first.sequence + i)
      throw new Error(
        `a decision object needs consecutive sequences of one boot; expected ${first.boot}/${first.sequence + i}, got ${r.boot}/${r.sequence}`,
      );
  const lines = records.map(canonicalJson);
  const header: DecisionObjectHeader = {
    schema: 'decision-object/1',
    site: first.site,
    device: first.device,
    boot: first.boot,
    firstSequence: first.sequence,
    lastSequence: first.sequence + records.length - 1,
    count: records.length,
    merkleRoot: merkleRoot(lines),
    packageDigests: [...new Set(records.flatMap((r) => r.packageDigest ?? []))].sort(),
  };
  return { key: decisionObjectKey(stage, header), header, body: `${[canonicalJson(header), ...lines].join('\n')}\n` };
};
