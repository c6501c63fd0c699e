import type { RecordClass } from '../../core/contracts/ledger.ts';
import { digestOf } from '../../core/lineage/digest.ts';
import type { RegistryReader, StoredRecord } from '../../core/ports/registry.ts';
import { dynamoJudgement } from '../../lambdas/shared/judgement-table.ts';
import type { Ledger, LedgerCommandInput } from '../../lambdas/shared/ledger-client.ts';

type Stored = Record<string, unknown> & { pk: string; sk: string };
interface Put {
  readonly Item: Stored;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
}

const named = (name: string): Error => Object.assign(new Error(name), { name });

/** The judgement table over a DynamoDB in memory that knows the commands and conditions which the port sends. */
export const memoryJudgement = () => {
  const items = new Map<string, Stored>();
  const keyOf = ({ pk, sk }: { pk: string; sk: string }): string => `${pk}\n${sk}`;
  const holds = ({ Item, ConditionExpression, ExpressionAttributeValues }: Put): boolean => {
    const there = items.get(keyOf(Item));
    if (ConditionExpression === undefined) return true;
    if (ConditionExpression === 'attribute_not_exists(pk)') return there === undefined;
    if (ConditionExpression === '#v = :v') return there?.['version'] === ExpressionAttributeValues?.[':v'];
    throw new Error(`this table knows no condition ${ConditionExpression}`);
  };
  const inOrder = (): Stored[] => [...items.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  let overtake: (() => Promise<void>) | null = null;
  const client = {
    async send(command: { constructor: { name: string }; input: Record<string, unknown> }) {
      const { input } = command;
      const { [':p']: pk, [':s']: sk } = (input['ExpressionAttributeValues'] ?? {}) as Record<string, string>;
      switch (command.constructor.name) {
        case 'GetCommand':
          return { Item: structuredClone(items.get(keyOf(input['Key'] as never))) };
        case 'PutCommand':
          items.set(keyOf(input['Item'] as Stored), structuredClone(input['Item'] as Stored));
          return {};
        case 'QueryCommand': {
          if (sk === '') throw named('ValidationException');
          const prefix = String(input['KeyConditionExpression']).includes('begins_with');
          const found = inOrder().filter(
            (i) => i.pk === pk && (prefix ? i.sk.startsWith(sk as string) : i.sk >= (sk as string)),
          );
          return { Items: structuredClone(found.slice(0, (input['Limit'] as number | undefined) ?? found.length)) };
        }
        case 'TransactWriteCommand': {
          const between = overtake;
          overtake = null;
          await between?.();
          const puts = (input['TransactItems'] as { Put: Put }[]).map((t) => t.Put);
          if (new Set(puts.map((p) => keyOf(p.Item))).size < puts.length) throw named('ValidationException');
          if (!puts.every(holds)) throw named('TransactionCanceledException');
          for (const { Item } of puts) items.set(keyOf(Item), structuredClone(Item));
          return {};
        }
        default:
          throw new Error(`this table knows no ${command.constructor.name}`);
      }
    },
  };
  return {
    judgement: dynamoJudgement(client as never, 'judgement'),
    items,
    /** Does something just before the next conditional write, as another worker might. */
    beforeNextWrite: (something: () => Promise<void>) => {
      overtake = something;
    },
  };
};

/** Ledger and registry in one, with versions: replays, refused lost updates and announcements as the real writer has them. */
export const memoryRegistryWithLedger = () => {
  const versions = new Map<string, StoredRecord[]>();
  const seen = new Set<string>();
  const announced: { type: string; detail: Record<string, unknown> }[] = [];
  const commands: LedgerCommandInput[] = [];
  const of = (recordClass: string, id: string): StoredRecord[] => versions.get(`${recordClass}/${id}`) ?? [];
  const put = (
    recordClass: RecordClass,
    id: string,
    body: Record<string, unknown>,
    actor = 'test',
    at = '2026-01-01T00:00:00.000Z',
  ): StoredRecord => {
    const record: StoredRecord = {
      class: recordClass,
      id,
      version: of(recordClass, id).length + 1,
      at,
      actor,
      bodyDigest: digestOf(body),
      body: structuredClone(body),
    };
    versions.set(`${recordClass}/${id}`, [...of(recordClass, id), record]);
    return record;
  };
  const ledger: Ledger = {
    async write(given) {
      return given.map((command) => {
        const { class: recordClass, id, body } = command.record;
        const latest = of(recordClass, id).at(-1);
        const replayed = seen.has(command.commandId);
        if (!replayed) {
          if (command.expectVersion !== undefined && command.expectVersion !== (latest?.version ?? 0))
            throw named('VersionConflict');
          seen.add(command.commandId);
          commands.push(command);
          if (latest?.bodyDigest !== digestOf(body)) put(recordClass as RecordClass, id, body, command.actor);
        }
        if (command.announce !== undefined) announced.push(structuredClone(command.announce) as never);
        const now = of(recordClass, id).at(-1) as StoredRecord;
        return {
          commandId: command.commandId,
          status: replayed ? ('replayed' as const) : ('committed' as const),
          version: now.version,
          bodyDigest: now.bodyDigest,
          chain: `${command.site}/${recordClass}`,
          sequence: 1,
          hash: now.bodyDigest,
        };
      });
    },
  };
  const registry: RegistryReader = {
    latest: async (recordClass, id) => of(recordClass, id).at(-1) ?? null,
    list: async (recordClass) =>
      [...versions.values()].flatMap((v) => (v.at(-1)?.class === recordClass ? [v.at(-1) as StoredRecord] : [])),
    edges: async () => [],
  };
  return { ledger, registry, put, versions: of, announced, commands };
};
