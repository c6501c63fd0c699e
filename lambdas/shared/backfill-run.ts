import type { z } from 'zod';
import type { EventDetail } from '#core/contracts/events.ts';
import type { BackfillRecord } from '#core/contracts/feature-store.ts';
import type { LineageEdge } from '#core/contracts/ledger.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import type { LedgerCommandInput } from './ledger-client.ts';
import { clip, type RetrainExecution } from './retrain-run.ts';

type Request = EventDetail<'BackfillRequested'>;

/** What a backfill was asked for and how far it came: the one shape of its record, at its start and at its end. */
export const backfillRecord = (
  request: Request,
  execution: string,
  came: Pick<BackfillRecord, 'status' | 'detail'> & Partial<BackfillRecord>,
): BackfillRecord => ({
  schema: 'backfill/1',
  backfillId: request.backfillId,
  execution,
  featureSetDigest: request.featureSetDigest,
  site: request.site,
  from: request.from,
  to: request.to,
  asset: request.asset,
  requestedBy: request.requestedBy,
  reason: request.reason,
  parts: 0,
  objects: 0,
  frames: 0,
  rows: 0,
  written: 0,
  unchanged: 0,
  failures: 0,
  failed: [],
  ...came,
});

/** A ledger command of one step: the same execution and step give the same command, so a retried step is harmless. */
export const backfillCommand = (
  request: Request,
  execution: z.infer<typeof RetrainExecution>,
  step: string,
  body: BackfillRecord,
  edges: readonly LineageEdge[] = [],
): LedgerCommandInput => ({
  schema: 'ledger-command/1',
  commandId: commandIdOf('backfill', execution.name, step),
  site: request.site,
  actor: clip(execution.id, 256),
  reason: clip(request.reason),
  record: { class: 'backfill', id: request.backfillId, body: { ...body } },
  edges: [...edges],
});
