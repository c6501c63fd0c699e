import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import type { EventDetail } from '#core/contracts/events.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { QuantizeReport, TrainingMetrics } from '#core/contracts/training.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';
import {
  clip,
  GateAnswer,
  PackageAnswer,
  ReportAnswer,
  RetrainRun,
  readReport,
  retrainRecord,
  SnapshotAnswer,
  stepCommand,
  TrainAnswer,
} from '../shared/retrain-run.ts';

export interface Deps {
  readonly ledger: Ledger;
  readonly artifacts: ObjectStore;
}

const Input = z.strictObject({
  run: RetrainRun,
  snapshot: SnapshotAnswer,
  train: TrainAnswer,
  report: ReportAnswer,
  gate: GateAnswer,
  package: PackageAnswer,
});

/**
 * Registers the model with its lineage (training run, package), then offers it: ReleaseCandidate, RetrainFinished.
 * @throws {Error} when the package in the bucket is not the one that was named.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ releaseId: string }> => {
    const { run, snapshot, train, report, gate, package: made } = parseAs(Input, event, 'input of register-model');
    const { request } = run;
    const document = await getJson(deps.artifacts, `${made.prefix}manifest.json`);
    if (digestOf(document) !== made.digest)
      throw new Error(`${made.prefix}manifest.json has the digest ${digestOf(document)}, expected ${made.digest}`);
    const manifest = parseAs(ModelPackageManifest, document, `${made.prefix}manifest.json`);
    const { validationLoss, expectedDisagreement, championPackage } = await readReport(deps.artifacts, report);
    const file = (name: string): Promise<unknown> => getJson(deps.artifacts, `${snapshot.candidatePrefix}${name}`);
    const metrics = parseAs(TrainingMetrics, await file('metrics.json'), 'metrics.json of the trainer');
    const quantize = parseAs(QuantizeReport, await file('quantize.json'), 'quantize.json of quantization');
    const trainingRun = nodeRef('training-run', train.job);
    const packageNode = nodeRef('package', made.digest);
    const releaseId = clip(`rel-${made.releaseNumber}-${made.digest.slice(7, 19)}`, 64);
    const candidate: EventDetail<'ReleaseCandidate'> = {
      schema: 'release-request/1',
      releaseId,
      modelLine: request.modelLine,
      site: request.site,
      packageDigest: made.digest,
      packagePrefix: made.prefix,
      releaseNumber: made.releaseNumber,
      requestedBy: request.requestedBy,
      reason: clip(request.reason),
      revert: false,
    };
    const finished: EventDetail<'RetrainFinished'> = {
      modelLine: request.modelLine,
      site: request.site,
      requestId: request.requestId,
      outcome: 'candidate',
      reason: clip(gate.says),
    };
    const record = retrainRecord(
      request,
      run.executionId,
      { status: 'candidate', step: 'Register', detail: gate.says },
      { snapshotDigest: snapshot.digest, packageDigest: made.digest },
    );
    await deps.ledger.write([
      stepCommand(run, 'training-run', {
        record: {
          class: 'training-run',
          id: train.job,
          body: {
            schema: 'training-run/1',
            modelLine: request.modelLine,
            job: train.job,
            model: train.model,
            snapshotDigest: snapshot.digest,
            packageDigest: made.digest,
            metrics,
            quantize,
          },
        },
        edges: [{ from: trainingRun, rel: 'used', to: nodeRef('snapshot', snapshot.digest) }],
      }),
      stepCommand(run, 'package', {
        record: {
          class: 'package',
          id: made.digest,
          body: {
            schema: 'package/1',
            modelLine: request.modelLine,
            site: request.site,
            prefix: made.prefix,
            releaseNumber: made.releaseNumber,
            bytes: made.bytes,
            variants: manifest.variants,
            expiresAt: manifest.expiresAt,
            validationLoss: validationLoss ?? null,
            championPackage,
            expectedDisagreement: expectedDisagreement ?? null,
          },
        },
        edges: [
          { from: packageNode, rel: 'trained-on', to: nodeRef('snapshot', snapshot.digest) },
          { from: packageNode, rel: 'packaged-from', to: trainingRun },
          { from: packageNode, rel: 'used', to: nodeRef('feature-set', manifest.featureSetDigest) },
          { from: packageNode, rel: 'evaluated-by', to: nodeRef('evaluation', report.digest) },
          { from: packageNode, rel: 'derived-from', to: nodeRef('retrain', request.requestId) },
        ],
        announce: { type: 'ReleaseCandidate', detail: candidate },
      }),
      // Last: whoever hears that a retrain finished finds the package that it made.
      stepCommand(run, 'finished', {
        record: { class: 'retrain', id: request.requestId, body: { ...record } },
        announce: { type: 'RetrainFinished', detail: finished },
      }),
    ]);
    return { releaseId };
  };
