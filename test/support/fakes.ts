import { createHash } from 'node:crypto';
import type { RecordClass } from '../../core/contracts/ledger.ts';
import { listKeys } from '../../core/lake/list-keys.ts';
import type { RegistryReader, StoredRecord } from '../../core/ports/registry.ts';
import type { Ledger, LedgerCommandInput } from '../../lambdas/shared/ledger-client.ts';
import type { ObjectStore } from '../../lambdas/shared/object-store.ts';

const digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Lists keys as S3 does, in answers of `size` keys. */
export const listOf =
  (keys: () => Iterable<string>, size = 1000): ObjectStore['list'] =>
  (prefix, options) =>
    listKeys(async ({ after = '', token = after }) => {
      const left = [...keys()].filter((k) => k.startsWith(prefix) && k > token).sort();
      const page = left.slice(0, size);
      return { keys: page, token: left.length > size ? page.at(-1) : undefined };
    }, options);

/** A bucket in memory. */
export const memoryStore = (bucket = 'bucket', objects = new Map<string, Uint8Array>()) => {
  const store: ObjectStore & { readonly objects: Map<string, Uint8Array> } = {
    bucket,
    objects,
    async get(key) {
      const found = objects.get(key);
      if (found === undefined) throw new Error(`s3://${bucket}/${key} does not exist`);
      return found;
    },
    async find(key) {
      return objects.get(key) ?? null;
    },
    async put(key, bytes) {
      objects.set(key, bytes);
      return { bucket, key, versionId: null, digest: digest(bytes), bytes: bytes.byteLength };
    },
    list: listOf(() => objects.keys()),
  };
  return store;
};

/** A command that writes a record. */
export const recordCommand = (recordClass: RecordClass, id: string, body: object): LedgerCommandInput => ({
  schema: 'ledger-command/1',
  commandId: `${recordClass}/${id}`,
  site: 'plant-a',
  actor: 'test',
  reason: 'test',
  record: { class: recordClass, id, body: { ...body } },
});

/** A ledger that keeps what it was told; `refuse` makes every write fail. */
export const memoryLedger = (refuse?: Error) => {
  const commands: LedgerCommandInput[] = [];
  const ledger: Ledger & { readonly commands: LedgerCommandInput[] } = {
    commands,
    async write(given) {
      if (refuse !== undefined) throw refuse;
      commands.push(...given);
      return given.map((c, i) => ({
        commandId: c.commandId,
        status: 'committed' as const,
        version: 1,
        bodyDigest: `sha256:${'0'.repeat(64)}`,
        chain: `${c.site}/${c.record.class}`,
        sequence: i + 1,
        hash: `sha256:${'0'.repeat(64)}`,
      }));
    },
  };
  return ledger;
};

/** As the ledger writer does: what must not be there yet and is, by another command, is refused. */
export const refusingSecondFirsts = (ledger: ReturnType<typeof memoryLedger>): ReturnType<typeof memoryLedger> => ({
  ...ledger,
  async write(given) {
    for (const { commandId, record, expectVersion } of given) {
      const there = ledger.commands.filter((c) => c.record.class === record.class && c.record.id === record.id);
      if (expectVersion === 0 && there.length > 0 && !there.some((c) => c.commandId === commandId))
        throw Object.assign(new Error('expected that it is not there'), { name: 'VersionConflict' });
    }
    return ledger.write(given);
  },
});

/** Events that a command announces, in order. */
export const announcedBy = (
  command: LedgerCommandInput | undefined,
): readonly { type: string; detail: Record<string, unknown> }[] => [command?.announce ?? []].flat();

/** A registry that reads what a memory ledger was told. */
export const registryOf = (commands: readonly LedgerCommandInput[]): RegistryReader => {
  const stored = (c: LedgerCommandInput): StoredRecord => ({
    class: c.record.class as RecordClass,
    id: c.record.id,
    version: 1,
    at: '2026-01-01T00:00:00.000Z',
    actor: c.actor,
    bodyDigest: `sha256:${'0'.repeat(64)}`,
    body: c.record.body,
  });
  return {
    async latest(recordClass, id) {
      const found = commands.findLast((c) => c.record.class === recordClass && c.record.id === id);
      return found === undefined ? null : stored(found);
    },
    async list(recordClass, options) {
      return commands
        .filter((c) => c.record.class === recordClass)
        .slice(0, options?.limit)
        .map(stored);
    },
    async edges(node, direction) {
      return commands.flatMap((c) => c.edges ?? []).filter((e) => (direction === 'out' ? e.from : e.to) === node);
    },
  };
};

/** What SQS hands to a Lambda. */
export const sqsEvent = (...bodies: unknown[]) =>
  ({
    Records: bodies.map((body, i) => ({
      messageId: `m${i}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })),
  }) as never;

export const objectCreated = (key: string) => ({ detail: { bucket: { name: 'bucket' }, object: { key } } });

/** A log that keeps its errors. */
export const memoryLog = () => {
  const errors: { message: string; error: Error }[] = [];
  return { errors, error: (message: string, error: Error) => void errors.push({ message, error }) };
};
