import { type DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS, type EventType } from '#core/contracts/events.ts';
import {
  type AuditEvent,
  type LedgerCommand,
  type LedgerReceipt,
  LedgerRequest,
  type LineageEdge,
  registryKeys,
} from '#core/contracts/ledger.ts';
import { appendLink, type ChainHead } from '#core/lineage/chain.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { TryAgain } from '../shared/errors.ts';

export interface Deps {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => string;
  readonly announce: (events: readonly { type: string; detail: Record<string, unknown> }[]) => Promise<void>;
  /** Waits before a try after a conflict; `attempt` counts from 1. */
  readonly backoff: (attempt: number) => Promise<void>;
}

interface Latest {
  readonly version: number;
  readonly bodyDigest: string;
  readonly chain: string;
  readonly sequence: number;
  readonly hash: string;
}

/** DynamoDB allows 100 actions in a transaction. */
const MAX_ACTIONS = 100;
const ATTEMPTS = 20;

/** Another version is there than the caller expected: nothing was written. */
export class VersionConflict extends Error {
  constructor(what: string, expected: number, found: number) {
    super(
      `${what}: expected version ${expected}, found ${found}; read it again and decide anew, someone wrote in between`,
    );
    this.name = 'VersionConflict';
  }
}

const chainOf = (command: LedgerCommand): string => `${command.site}/${command.record.class}`;
const uniqueEdges = (edges: readonly LineageEdge[]): LineageEdge[] => [
  ...new Map(edges.map((e) => [`${e.from} ${e.rel} ${e.to}`, e])).values(),
];
const actionsOf = (command: LedgerCommand): number => 4 + 2 * uniqueEdges(command.edges).length;

/** Commands in order, in groups of one chain that fit one transaction and touch no record twice. */
export const groupCommands = (commands: readonly LedgerCommand[]): LedgerCommand[][] => {
  const groups: LedgerCommand[][] = [];
  let actions = 0;
  for (const command of commands) {
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      chainOf(group[0] as LedgerCommand) === chainOf(command) &&
      actions + actionsOf(command) <= MAX_ACTIONS &&
      !group.some((c) => c.record.id === command.record.id || c.commandId === command.commandId) &&
      !group.some((c) =>
        c.edges.some((e) => command.edges.some((f) => e.from === f.from && e.to === f.to && e.rel === f.rel)),
      );
    if (fits) {
      group.push(command);
      actions += actionsOf(command);
    } else {
      groups.push([command]);
      actions = 1 + actionsOf(command);
    }
  }
  return groups;
};

const checkAnnouncements = (commands: readonly LedgerCommand[]): void => {
  for (const { announce: given, commandId } of commands)
    for (const announce of [given ?? []].flat()) {
      const schema = EVENTS[announce.type as EventType];
      if (schema === undefined)
        throw new Error(
          `command ${commandId} announces "${announce.type}", which is not in the catalogue of events (${Object.keys(EVENTS).join(', ')})`,
        );
      parseAs(schema, announce.detail, `announcement ${announce.type} of command ${commandId}`);
    }
};

/**
 * The only writer of the registry. For each command, in one transaction that is conditional on the head of its chain:
 * the record's new version, the pointer to the newest, its lineage edges both ways, the audit event, the head.
 * A command seen before answers with its first receipt; a body equal to the newest writes edges that are new and
 * nothing else. Announcements leave after the commit, and again when a command is repeated: at least once.
 * @throws {ContractError} | {VersionConflict} | {TryAgain} after 20 lost races; nothing of the failing group is written.
 */
export const makeHandler = (deps: Deps) => {
  const read = async <T>(key: Record<string, string>): Promise<T | undefined> =>
    (await deps.db.send(new GetCommand({ TableName: deps.table, Key: key, ConsistentRead: true }))).Item as
      | T
      | undefined;

  const attempt = async (group: readonly LedgerCommand[]): Promise<LedgerReceipt[]> => {
    const chain = chainOf(group[0] as LedgerCommand);
    const [head, seen, latest] = await Promise.all([
      read<ChainHead>(registryKeys.head(chain)),
      Promise.all(group.map((c) => read<{ receipt: LedgerReceipt }>(registryKeys.command(c.commandId)))),
      Promise.all(group.map((c) => read<Latest>(registryKeys.latest(c.record.class, c.record.id)))),
    ]);
    const put = (item: Record<string, unknown>, condition?: Record<string, unknown>) => ({
      Put: { TableName: deps.table, Item: item, ...condition },
    });
    const items: NonNullable<ConstructorParameters<typeof TransactWriteCommand>[0]['TransactItems']> = [];
    const receipts: LedgerReceipt[] = [];
    const at = deps.now();
    let link: AuditEvent | undefined;
    for (const [i, command] of group.entries()) {
      const earlier = seen[i]?.receipt;
      if (earlier !== undefined) {
        receipts.push({ ...earlier, status: 'replayed' });
        continue;
      }
      const { class: recordClass, id, body } = command.record;
      const now = latest[i];
      const what = `${recordClass} ${id}`;
      if (command.expectVersion !== undefined && command.expectVersion !== (now?.version ?? 0))
        throw new VersionConflict(what, command.expectVersion, now?.version ?? 0);
      const bodyDigest = digestOf(body);
      const edges = uniqueEdges(command.edges);
      if (now !== undefined && now.bodyDigest === bodyDigest && edges.length === 0) {
        receipts.push({
          commandId: command.commandId,
          status: 'unchanged',
          version: now.version,
          bodyDigest,
          chain: now.chain,
          sequence: now.sequence,
          hash: now.hash,
        });
        continue;
      }
      const same = now !== undefined && now.bodyDigest === bodyDigest;
      const version = same ? now.version : (now?.version ?? 0) + 1;
      link = appendLink(link ?? head ?? null, {
        chain,
        at,
        actor: command.actor,
        reason: command.reason,
        commandId: command.commandId,
        record: { class: recordClass, id, version, bodyDigest },
        edges,
      });
      const receipt: LedgerReceipt = {
        commandId: command.commandId,
        status: 'committed',
        version,
        bodyDigest,
        chain,
        sequence: link.sequence,
        hash: link.hash,
      };
      receipts.push(receipt);
      const record = {
        class: recordClass,
        id,
        version,
        at,
        actor: command.actor,
        site: command.site,
        bodyDigest,
        body,
        chain,
        sequence: link.sequence,
        hash: link.hash,
      };
      if (!same) {
        items.push(
          put(
            { ...registryKeys.version(recordClass, id, version), ...record },
            { ConditionExpression: 'attribute_not_exists(pk)' },
          ),
          put(
            {
              ...registryKeys.latest(recordClass, id),
              ...record,
              gsi1pk: registryKeys.classIndex(recordClass),
              gsi1sk: `${at}#${id}`,
            },
            now === undefined
              ? { ConditionExpression: 'attribute_not_exists(pk)' }
              : {
                  ConditionExpression: '#v = :v',
                  ExpressionAttributeNames: { '#v': 'version' },
                  ExpressionAttributeValues: { ':v': now.version },
                },
          ),
        );
      }
      items.push(
        put(
          { ...registryKeys.audit(chain, link.sequence), ...link },
          { ConditionExpression: 'attribute_not_exists(pk)' },
        ),
        put(
          { ...registryKeys.command(command.commandId), receipt },
          { ConditionExpression: 'attribute_not_exists(pk)' },
        ),
      );
      for (const edge of edges)
        items.push(
          put({ ...registryKeys.out(edge.from, edge.rel, edge.to), ...edge, at }),
          put({ ...registryKeys.in(edge.from, edge.rel, edge.to), ...edge, at }),
        );
    }
    if (link !== undefined) {
      items.push(
        put(
          {
            ...registryKeys.head(chain),
            chain,
            sequence: link.sequence,
            hash: link.hash,
            at,
            gsi1pk: registryKeys.classIndex('chain-head'),
            gsi1sk: chain,
          },
          head === undefined
            ? { ConditionExpression: 'attribute_not_exists(pk)' }
            : {
                ConditionExpression: '#s = :s AND #h = :h',
                ExpressionAttributeNames: { '#s': 'sequence', '#h': 'hash' },
                ExpressionAttributeValues: { ':s': head.sequence, ':h': head.hash },
              },
        ),
      );
      await deps.db.send(new TransactWriteCommand({ TransactItems: items }));
    }
    return receipts;
  };

  const lostRace = (error: unknown): boolean =>
    ['TransactionCanceledException', 'TransactionConflictException', 'TransactionInProgressException'].includes(
      (error as Error).name,
    );

  const commit = async (group: readonly LedgerCommand[]): Promise<LedgerReceipt[]> => {
    for (let n = 1; ; n++) {
      try {
        return await attempt(group);
      } catch (error) {
        if (!lostRace(error)) throw error;
        if (n >= ATTEMPTS)
          throw new TryAgain(
            `chain ${chainOf(group[0] as LedgerCommand)}: ${ATTEMPTS} tries lost the race for its head (${(error as Error).message}); nothing was written, send the same commands again`,
          );
        await deps.backoff(n);
      }
    }
  };

  return async (event: unknown): Promise<{ receipts: LedgerReceipt[] }> => {
    const { commands } = parseAs(LedgerRequest, event, 'ledger request');
    checkAnnouncements(commands);
    const receipts: LedgerReceipt[] = [];
    for (const group of groupCommands(commands)) {
      receipts.push(...(await commit(group)));
      const announcements = group.flatMap((c) => c.announce ?? []);
      if (announcements.length > 0) await deps.announce(announcements);
    }
    return { receipts };
  };
};
