import { gzipSync } from 'node:zlib';
import { lakeKeys } from '#core/contracts/lake.ts';
import type { QuarantineRecord } from '#core/contracts/quarantine.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import type { LedgerCommandInput } from './ledger-client.ts';
import type { CreatedObject } from './object-created.ts';
import type { ObjectStore } from './object-store.ts';

/** Site of what came by no topic and under no key of a site. */
export const UNKNOWN_SITE = 'unknown';

/** Copies bad lines of an upload to quarantine, gzip NDJSON. @returns the key of the copy. */
export const putLinesAside = async (
  lake: Pick<ObjectStore, 'put'>,
  { key, versionId }: Pick<CreatedObject, 'key' | 'versionId'>,
  bad: readonly object[],
): Promise<string> => {
  const asideKey = lakeKeys.quarantine(key, versionId);
  await lake.put(asideKey, gzipSync(bad.map((b) => JSON.stringify(b)).join('\n')), 'application/gzip');
  return asideKey;
};

/**
 * Records and announces an object of quarantine.
 * @param o.content what besides its key tells one content of the object from another; @param o.says why it was written.
 */
export const asideCommand = (o: {
  readonly aside: Pick<QuarantineRecord, 'key' | 'versionId' | 'site' | 'records' | 'reason'>;
  readonly content: readonly string[];
  readonly actor: string;
  readonly says: string;
}): LedgerCommandInput => {
  const { key, site, records, reason } = o.aside;
  const body: QuarantineRecord = { schema: 'quarantine/1', ...o.aside, replay: null };
  return {
    schema: 'ledger-command/1',
    commandId: commandIdOf('quarantine', key, ...o.content),
    site,
    actor: o.actor,
    reason: o.says,
    record: { class: 'quarantine', id: key, body: { ...body } },
    announce: { type: 'Quarantined', detail: { site, key, reason, records } },
  };
};
