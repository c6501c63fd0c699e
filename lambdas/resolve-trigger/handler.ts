import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { RetrainRecord, RetrainRequest } from '#core/contracts/retrain.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { type KnownRetrain, resolveTrigger, type TriggerPolicy } from '#core/policy/trigger.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { Duplicate, Refused } from '../shared/errors.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { readFeatureSet } from '../shared/published-feature-sets.ts';
import {
  instantOf,
  type RetrainDeclined,
  RetrainExecution,
  type RetrainRun,
  readModelLine,
  readUseCase,
  retrainRecord,
  stepCommand,
} from '../shared/retrain-run.ts';
import { writeFirst } from '../shared/write-first.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly ledger: Ledger;
  /** Prefix of training jobs of this stage. */
  readonly prefix: string;
  /** Does an execution still run? False when it is gone. */
  readonly isRunning: (executionId: string) => Promise<boolean>;
  readonly policy: TriggerPolicy;
}

const Input = z.strictObject({ execution: RetrainExecution, request: RetrainRequest });
/** Retrains looked at: far more than run or end within a cooldown. */
const RECENT = 200;

/**
 * First step of a retrain: registers that it runs, then asks whether it may. In this order, so that of two that start
 * together each sees the other and both know who was first.
 * @throws {Duplicate} when the request has an execution already. @throws {Refused} when the line is unknown, belongs to another site, or its use case is not published, or its feature set is retired.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<RetrainRun | z.infer<typeof RetrainDeclined>> => {
    const { execution, request } = parseAs(Input, event, 'input of resolve-trigger');
    const found = await readModelLine(deps.registry, request.modelLine);
    if (found === null)
      throw new Refused(`there is no model line ${request.modelLine}; publish its use case first: millwright publish`);
    if (found.line.site !== request.site)
      throw new Refused(`model line ${request.modelLine} is of site ${found.line.site}, not of ${request.site}`);
    const useCase = await readUseCase(deps.registry, found.line.useCaseDigest);
    const set = await readFeatureSet(deps.registry, digestOf(useCase.featureSet));
    if (set !== null && set.retired !== null)
      throw new Refused(
        `feature set ${useCase.featureSet.id} of ${request.modelLine} was retired by ${set.retired.by}: ${set.retired.reason}; publish the use case with another one`,
      );
    const startedAt = instantOf(execution.startedAt);
    const run: RetrainRun = {
      go: true,
      execution: execution.name,
      executionId: execution.id,
      startedAt,
      request,
      useCaseDigest: found.line.useCaseDigest,
      jobName: `${deps.prefix}-${digestOf(execution.id).slice('sha256:'.length, 'sha256:'.length + 16)}`,
      champion:
        found.line.champion === null
          ? null
          : { packageDigest: found.line.champion.packageDigest, packagePrefix: found.line.champion.packagePrefix },
    };
    const known = async (): Promise<KnownRetrain[]> =>
      Promise.all(
        (await deps.registry.list('retrain', { limit: RECENT })).map(async ({ body, id, at }) => {
          const record = parseAs(RetrainRecord, body, `retrain ${id}`);
          const other =
            record.status === 'running' && record.modelLine === request.modelLine && id !== request.requestId;
          return { record, at, alive: other ? await deps.isRunning(record.execution) : true };
        }),
      );
    const earlier = await deps.registry.latest('retrain', request.requestId);
    if (earlier !== null && parseAs(RetrainRecord, earlier.body, 'retrain').execution !== execution.id)
      // The bus delivers at least once: the same request again is the execution that already has it.
      throw new Duplicate(`retrain ${request.requestId}`);
    const record = retrainRecord(request, execution.id, { status: 'running', step: 'ResolveTrigger', detail: '' });
    await writeFirst(
      deps.ledger,
      [
        stepCommand(run, 'running', {
          record: { class: 'retrain', id: request.requestId, body: { ...record } },
          edges: [
            {
              from: nodeRef('retrain', request.requestId),
              rel: 'about',
              to: nodeRef('model-line', request.modelLine),
            },
          ],
        }),
      ],
      `retrain ${request.requestId}`,
    );
    const answer = resolveTrigger(request, await known(), startedAt, deps.policy);
    return answer.go ? run : answer;
  };
