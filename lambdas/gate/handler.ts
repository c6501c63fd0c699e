import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { judgeCandidate, sayVerdict } from '#core/policy/gate.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { Refused } from '../shared/errors.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { type ObjectStore, putJson } from '../shared/object-store.ts';
import {
  type GateAnswer,
  ReportAnswer,
  RetrainRun,
  readReport,
  readUseCase,
  SnapshotAnswer,
  stepCommand,
} from '../shared/retrain-run.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly ledger: Ledger;
  readonly artifacts: ObjectStore;
}

const Input = z.strictObject({ run: RetrainRun, snapshot: SnapshotAnswer, report: ReportAnswer });

/**
 * Holds the evidence against the criteria of the use case and registers both, whatever the verdict, with the criteria
 * and when they were fixed.
 * @throws {Refused} with the criteria that do not hold, unless the verdict is pass.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<z.infer<typeof GateAnswer>> => {
    const { run, snapshot, report: ref } = parseAs(Input, event, 'input of gate');
    const { modelLine, requestId } = run.request;
    const [useCase, report] = await Promise.all([
      readUseCase(deps.registry, run.useCaseDigest),
      readReport(deps.artifacts, ref),
    ]);
    const verdict = judgeCandidate(report, useCase.gate, {
      trainRuns: snapshot.counts.train,
      cause: run.request.cause,
    });
    const verdictKey = artifactKeys.verdict(modelLine, requestId);
    await putJson(deps.artifacts, verdictKey, verdict);
    const from = nodeRef('evaluation', ref.digest);
    await deps.ledger.write([
      stepCommand(run, 'evaluation', {
        record: {
          class: 'evaluation',
          id: ref.digest,
          body: {
            schema: 'evaluation/1',
            report,
            verdict,
            // The use case was chosen when the retrain started, before anything was trained or looked at.
            criteria: { ...useCase.gate, useCaseDigest: run.useCaseDigest, fixedAt: run.startedAt },
          },
        },
        edges: [
          { from, rel: 'used', to: nodeRef('snapshot', snapshot.digest) },
          { from, rel: 'used', to: nodeRef('use-case', run.useCaseDigest) },
          ...(run.champion === null
            ? []
            : [{ from, rel: 'used' as const, to: nodeRef('package', run.champion.packageDigest) }]),
        ],
      }),
    ]);
    if (verdict.verdict !== 'pass') throw new Refused(sayVerdict(verdict));
    return { verdictKey, admittedVariants: verdict.admittedVariants, says: sayVerdict(verdict) };
  };
