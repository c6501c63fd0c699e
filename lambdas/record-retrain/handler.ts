import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import type { EventDetail } from '#core/contracts/events.ts';
import { RetrainRequest } from '#core/contracts/retrain.ts';
import { endedExecution, requestIn } from '../shared/ended-execution.ts';
import { Fault, sayFault } from '../shared/fault.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { clip, RetrainExecution, retrainRecord, stepCommand } from '../shared/retrain-run.ts';

export interface Deps {
  readonly ledger: Ledger;
}

/** The state of the execution as it ended: the request's own fields, answers of steps, and one fault by its step. */
const State = z.looseObject({
  ...RetrainRequest.shape,
  plan: z
    .union([z.looseObject({ go: z.literal(true) }), z.looseObject({ go: z.literal(false), why: z.string() })])
    .optional(),
  snapshot: z.looseObject({ digest: z.string() }).optional(),
  failed: z.record(z.string(), Fault).optional(),
});
const Input = z.strictObject({ execution: RetrainExecution, state: State });

/**
 * Last step of a retrain that made no candidate: skipped, refused or failed, at which step and why. The champion is
 * not touched. It also takes Step Functions' own event of an end: of an execution that was stopped or took too long it is
 * the only word, and of one that recorded its end itself it changes nothing.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ status: 'skipped' | 'refused' | 'failed'; step: string; detail: string }> => {
    const { execution, state } = parseAs(Input, endedExecution(event) ?? event, 'input of record-retrain');
    const request = requestIn(RetrainRequest, state);
    const [step, fault] = Object.entries(state.failed ?? {})[0] ?? [];
    const outcome =
      step !== undefined && fault !== undefined
        ? {
            status: fault.Error === 'Refused' ? ('refused' as const) : ('failed' as const),
            step,
            detail: clip(sayFault(fault), 2000),
          }
        : state.plan?.go === false
          ? { status: 'skipped' as const, step: 'ResolveTrigger', detail: state.plan.why }
          : {
              status: 'failed' as const,
              step: 'unknown',
              detail: 'the execution ended without a fault and without a candidate',
            };
    const record = retrainRecord(request, execution.id, outcome, { snapshotDigest: state.snapshot?.digest ?? null });
    const finished: EventDetail<'RetrainFinished'> = {
      modelLine: request.modelLine,
      site: request.site,
      requestId: request.requestId,
      outcome: outcome.status,
      reason: clip(`${outcome.step}: ${outcome.detail}`),
    };
    await deps.ledger.write([
      stepCommand({ execution: execution.name, executionId: execution.id, request }, 'finished', {
        record: { class: 'retrain', id: request.requestId, body: { ...record } },
        announce: { type: 'RetrainFinished', detail: finished },
      }),
    ]);
    return outcome;
  };
