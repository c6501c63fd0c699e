import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS } from '#core/contracts/events.ts';
import { BackfillPart, BackfillRecord } from '#core/contracts/feature-store.ts';
import { backfillKeys } from '#core/contracts/lake.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { backfillCommand, backfillRecord } from '../shared/backfill-run.ts';
import { endedExecution, requestIn } from '../shared/ended-execution.ts';
import { Fault, sayFault } from '../shared/fault.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';
import { clip, RetrainExecution } from '../shared/retrain-run.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly ledger: Ledger;
  readonly lake: ObjectStore;
}

const Request = EVENTS.BackfillRequested;
const State = z.looseObject({ ...Request.shape, failed: z.record(z.string(), Fault).optional() });
const Input = z.strictObject({ execution: RetrainExecution, state: State });
/** Raw objects named in the record at most; the parts name them all. */
const NAMED = 50;

/**
 * Last step of a backfill: what its parts did, together, and how it ended. It also takes Step Functions' own event of an
 * end: of an execution that was stopped it is the only word, and of one that recorded its end itself it changes nothing.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ status: BackfillRecord['status']; detail: string }> => {
    const { execution, state } = parseAs(Input, endedExecution(event) ?? event, 'input of record-backfill');
    const request = requestIn(Request, state);
    const known = await deps.registry.latest('backfill', request.backfillId);
    const begun = known === null ? null : parseAs(BackfillRecord, known.body, `backfill ${request.backfillId}`);
    const keys = await deps.lake.list(backfillKeys.parts(request.backfillId));
    const parts = await inParallel(keys, async (key) => parseAs(BackfillPart, await getJson(deps.lake, key), key));
    const sum = (of: (p: BackfillPart) => number): number => parts.reduce((total, p) => total + of(p), 0);
    // An object may be read by two parts, for the windows of each.
    const failed = [...new Map(parts.flatMap((p) => p.failed).map((f) => [f.key, f])).values()];
    const [fault] = Object.values(state.failed ?? {});
    const ended =
      fault !== undefined
        ? {
            status: fault.Error === 'Refused' ? ('refused' as const) : ('failed' as const),
            detail: clip(sayFault(fault), 2000),
          }
        : failed.length > 0
          ? {
              status: 'failed' as const,
              detail: `${failed.length} raw objects gave no rows; the others did. The first: ${failed[0]?.key}: ${failed[0]?.reason}`,
            }
          : { status: 'done' as const, detail: '' };
    const body = backfillRecord(request, execution.id, {
      ...ended,
      parts: begun?.parts ?? 0,
      objects: begun?.objects ?? 0,
      frames: begun?.frames ?? 0,
      rows: sum((p) => p.rows),
      written: sum((p) => p.written),
      unchanged: sum((p) => p.unchanged),
      failures: failed.length,
      failed: failed.slice(0, NAMED).map((f) => ({ ...f, reason: clip(f.reason) })),
    });
    await deps.ledger.write([backfillCommand(request, execution, 'finished', body)]);
    return ended;
  };
