import { z } from 'zod';
import { Actor, Digest, Instant, SiteId } from './primitives.ts';

/** Record classes of the registry; each has its own hash chain per site. */
export const RecordClass = z.enum([
  'use-case',
  'model-line',
  'raw-object',
  'plant-event',
  'snapshot',
  'training-run',
  'evaluation',
  'package',
  'retrain',
  'release',
  'deployment',
  'adoption',
  'decision-object',
  'judgement',
  'alert',
  'event-file',
  'quarantine',
  'feature-set',
  'backfill',
  'plant-model',
]);
export type RecordClass = z.infer<typeof RecordClass>;

/** `class:id` names a node of the lineage graph. */
export const NodeRef = z.string().regex(/^[a-z-]+:.+$/, 'expected <class>:<id>');
export type NodeRef = z.infer<typeof NodeRef>;
export const nodeRef = (recordClass: RecordClass | 'decision' | 'device' | 'run', id: string): NodeRef =>
  `${recordClass}:${id}`;

/** Edges point from the later thing to what it was made from (PROV-O wasDerivedFrom / used). */
export const EdgeRelation = z.enum([
  'derived-from',
  'used',
  'trained-on',
  'evaluated-by',
  'packaged-from',
  'released-as',
  'deployed-to',
  'decided-by',
  'about',
  'published-as',
]);
export const LineageEdge = z.strictObject({ from: NodeRef, rel: EdgeRelation, to: NodeRef });
export type LineageEdge = z.infer<typeof LineageEdge>;

const Announcement = z.strictObject({ type: z.string(), detail: z.record(z.string(), z.unknown()) });

/**
 * What a caller asks of the ledger writer: one record version, its edges and one audit event, all or nothing.
 * `commandId` makes a repeat harmless. `expectVersion` refuses a lost update (0 = must not exist yet).
 * `announce` puts an event of the catalogue, or several, on the bus after the commit.
 */
export const LedgerCommand = z.strictObject({
  schema: z.literal('ledger-command/1'),
  commandId: z.string().min(1).max(200),
  site: SiteId,
  actor: Actor,
  reason: z.string().min(1).max(400),
  record: z.strictObject({
    class: RecordClass,
    id: z.string().min(1).max(400),
    body: z.record(z.string(), z.unknown()),
  }),
  expectVersion: z.int().nonnegative().optional(),
  edges: z.array(LineageEdge).max(40).default([]),
  announce: z.union([Announcement, z.array(Announcement).min(1).max(4)]).optional(),
});
export type LedgerCommand = z.infer<typeof LedgerCommand>;
export const LedgerRequest = z.strictObject({ commands: z.array(LedgerCommand).min(1).max(50) });
export type LedgerRequest = z.input<typeof LedgerRequest>;

export const LedgerReceipt = z.strictObject({
  commandId: z.string(),
  status: z.enum(['committed', 'replayed', 'unchanged']),
  version: z.int().positive(),
  bodyDigest: Digest,
  chain: z.string(),
  sequence: z.int().positive(),
  hash: Digest,
});
export type LedgerReceipt = z.infer<typeof LedgerReceipt>;
export const LedgerResponse = z.strictObject({ receipts: z.array(LedgerReceipt) });

/** One link of a chain: `hash` = digest of the canonical JSON of all other fields, `previous` included. */
export const AuditEvent = z.strictObject({
  schema: z.literal('audit-event/1'),
  chain: z.string(),
  sequence: z.int().positive(),
  previous: Digest.nullable(),
  at: Instant,
  actor: Actor,
  reason: z.string(),
  commandId: z.string(),
  record: z.strictObject({ class: RecordClass, id: z.string(), version: z.int().positive(), bodyDigest: Digest }),
  edges: z.array(LineageEdge),
  hash: Digest,
});
export type AuditEvent = z.infer<typeof AuditEvent>;

/** Signed heads of all chains at one instant, written to the evidence bucket. */
export const Checkpoint = z.strictObject({
  schema: z.literal('checkpoint/1'),
  at: Instant,
  heads: z.record(z.string(), z.strictObject({ sequence: z.int().positive(), hash: Digest })),
  keyId: z.string(),
  signature: z.base64(),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** Keys of the registry table (single table; GSI1 lists the newest version of each record of a class by time). */
export const registryKeys = {
  version: (c: string, id: string, version: number) => ({
    pk: `REC#${c}#${id}`,
    sk: `V#${String(version).padStart(8, '0')}`,
  }),
  latest: (c: string, id: string) => ({ pk: `REC#${c}#${id}`, sk: 'LATEST' }),
  out: (from: string, rel: string, to: string) => ({ pk: `NODE#${from}`, sk: `OUT#${rel}#${to}` }),
  in: (from: string, rel: string, to: string) => ({ pk: `NODE#${to}`, sk: `IN#${rel}#${from}` }),
  head: (chain: string) => ({ pk: `CHAIN#${chain}`, sk: 'HEAD' }),
  audit: (chain: string, sequence: number) => ({ pk: `CHAIN#${chain}`, sk: `E#${String(sequence).padStart(12, '0')}` }),
  command: (commandId: string) => ({ pk: `CMD#${commandId}`, sk: 'CMD' }),
  classIndex: (c: string) => `CLASS#${c}`,
} as const;
export const REGISTRY_CLASS_INDEX = 'byClass';

/**
 * What each look-up asks of the registry table, as the inputs of DynamoDB's GetItem and Query without the table's name.
 * A reader adds the name and follows the pages.
 */
export const registryQueries = {
  latest: (c: RecordClass, id: string) => ({ Key: registryKeys.latest(c, id), ConsistentRead: true }),
  /** Newest versions of the records of a class, newest first; heads of chains are kept as a class of their own. */
  list: (c: RecordClass | 'chain-head') => ({
    IndexName: REGISTRY_CLASS_INDEX,
    KeyConditionExpression: 'gsi1pk = :c',
    ExpressionAttributeValues: { ':c': registryKeys.classIndex(c) },
    ScanIndexForward: false,
  }),
  /** Every version of a record, the first one first; as sure to have the newest as `latest`. */
  versions: (c: RecordClass, id: string) => ({
    ConsistentRead: true,
    KeyConditionExpression: 'pk = :r AND begins_with(sk, :v)',
    ExpressionAttributeValues: { ':r': registryKeys.latest(c, id).pk, ':v': 'V#' },
  }),
  edges: (node: string, direction: 'out' | 'in') => ({
    KeyConditionExpression: 'pk = :n AND begins_with(sk, :d)',
    ExpressionAttributeValues: { ':n': `NODE#${node}`, ':d': direction === 'out' ? 'OUT#' : 'IN#' },
  }),
} as const;
