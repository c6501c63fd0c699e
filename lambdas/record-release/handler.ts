import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import type { EventDetail } from '#core/contracts/events.ts';
import { modelComponentName, type ReleaseRecord, ReleaseRequest } from '#core/contracts/release.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { endedExecution, requestIn } from '../shared/ended-execution.ts';
import { Refused, TryAgain } from '../shared/errors.ts';
import { Fault } from '../shared/fault.ts';
import type { FleetTable } from '../shared/fleet-table.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { Approval, ReleasePlan, releaseCommand, releaseRecord } from '../shared/release-run.ts';
import { clip, instantOf, RetrainExecution, readModelLine } from '../shared/retrain-run.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly ledger: Ledger;
  readonly table: Pick<FleetTable, 'rings'>;
  readonly now: () => string;
}

const State = z.looseObject({
  ...ReleaseRequest.shape,
  prepared: z.looseObject({ plan: ReleasePlan }).optional(),
  approval: Approval.optional(),
  failed: z.record(z.string(), Fault).optional(),
});
const Input = z.strictObject({ execution: RetrainExecution, state: State });

const messageOf = ({ Error: name, Cause: cause }: z.infer<typeof Fault>): string => {
  try {
    const parsed = JSON.parse(cause) as Record<string, unknown>;
    return `${name === 'Refused' ? '' : `${name}: `}${parsed['errorMessage'] ?? cause}`;
  } catch {
    return name === 'Refused' || name === 'WaveReverted' ? cause : `${name}: ${cause}`;
  }
};

/**
 * Last step of a release: what ran where, on whose word, and how it ended. Only a released package becomes the champion
 * of its line, by a write that is conditional on what the line was; not one that was released to some rings to be tried.
 * It also takes Step Functions' own event of an end: of an execution that was stopped or took too long it is the only
 * word, and of one that recorded its end itself it changes nothing.
 * @throws {TryAgain} when the line changed in between.
 */
export const makeHandler = (deps: Deps) => {
  const crown = async (plan: ReleasePlan): Promise<void> => {
    const { request } = plan;
    const found = await readModelLine(deps.registry, request.modelLine);
    if (found === null) throw new Refused(`model line ${request.modelLine} is gone from the registry`);
    if (found.line.champion?.releaseId === request.releaseId) return;
    const body: ModelLineRecord = {
      ...found.line,
      champion: {
        packageDigest: request.packageDigest,
        packagePrefix: request.packagePrefix,
        releaseNumber: request.releaseNumber,
        releaseId: request.releaseId,
      },
    };
    try {
      await deps.ledger.write([
        releaseCommand(plan, `champion/${found.version}`, {
          record: { class: 'model-line', id: request.modelLine, body: { ...body } },
          expectVersion: found.version,
        }),
      ]);
    } catch (error) {
      if ((error as Error).name === 'VersionConflict') throw new TryAgain((error as Error).message);
      throw error;
    }
  };

  return async (event: unknown): Promise<{ status: ReleaseRecord['status']; reason: string }> => {
    const ended = endedExecution(event);
    const { execution, state } = parseAs(Input, ended ?? event, 'input of record-release');
    const request = requestIn(ReleaseRequest, state);
    const plan = state.prepared?.plan ?? {
      execution: execution.name,
      executionId: execution.id,
      startedAt: instantOf(execution.startedAt),
      request,
      componentName: modelComponentName(request.modelLine),
      componentVersion: `1.0.${request.releaseNumber}`,
    };
    const rings = state.prepared === undefined && ended === null ? [] : await deps.table.rings(request.releaseId);
    const waves = rings.flatMap((r) => (r.wave === null ? [] : [r.wave])).sort((a, b) => a.ring - b.ring);
    const notBack = rings.flatMap((r) => (r.revert?.notBack ?? []).map((d) => ({ ...d, thingGroup: r.thingGroup })));
    const faults = Object.entries(state.failed ?? {});
    const status = ((): ReleaseRecord['status'] => {
      // Nobody saw to its rings any more.
      if (ended !== null) return 'failed';
      if (faults.length === 0) return waves.some((w) => w.verdict === 'continue') ? 'released' : 'refused';
      // A revert that failed too must not read as if all were well, nor one that a device was told of and does not follow.
      if (faults.some(([step]) => step === 'Revert' || step === 'LookBack') || notBack.some((d) => d.online))
        return 'failed';
      if (waves.some((w) => w.verdict === 'revert')) return 'reverted';
      return faults.every(([, f]) => f.Error === 'Refused' || f.Error === 'States.Timeout') &&
        rings.every((r) => r.deploymentId === null)
        ? 'refused'
        : 'failed';
    })();
    const reverting = waves.filter((w) => w.verdict === 'revert');
    const why = (w: (typeof waves)[number]): string => `ring ${w.ring}: ${w.reasons.join('; ')}`;
    const reason = `${clip(
      status === 'released'
        ? `${waves.filter((w) => w.verdict === 'continue').length} of ${waves.length} rings serve it; ${request.reason}`
        : status === 'reverted'
          ? reverting.map(why).join(' | ')
          : faults.length === 0
            ? 'no ring has a commissioned device: nothing was deployed'
            : [
                ...reverting.map(why),
                ...faults
                  .filter(([, fault]) => reverting.length === 0 || fault.Error !== 'WaveReverted')
                  .map(([step, fault]) => `${step}: ${messageOf(fault)}`),
              ].join(' | '),
      1500,
    )}${notBack.length === 0 ? '' : clip(` | not back: ${notBack.map((d) => `${d.device}, ${d.why}`).join('; ')}`, 500)}`;
    const crowned = status === 'released' && (plan as ReleasePlan).crowns;
    if (crowned) await crown(plan as ReleasePlan);
    const record = releaseRecord(plan, {
      status,
      reason,
      approvedBy: state.approval?.approvedBy ?? 'nobody',
      finishedAt: deps.now(),
      crowned,
      waves,
      notBack: notBack.map(({ device, thingGroup, why }) => ({ device, thingGroup, why })),
    });
    const finished: EventDetail<'ReleaseFinished'> = {
      modelLine: request.modelLine,
      site: request.site,
      releaseId: request.releaseId,
      packageDigest: request.packageDigest,
      outcome: status as EventDetail<'ReleaseFinished'>['outcome'],
      reason: clip(reason),
    };
    await deps.ledger.write([
      releaseCommand(plan, 'finished', {
        record: { class: 'release', id: request.releaseId, body: { ...record } },
        announce: { type: 'ReleaseFinished', detail: finished },
      }),
    ]);
    return { status, reason: clip(reason) };
  };
};
