import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { ModelPackageManifest, PackageSignature } from '#core/contracts/model-package.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import { Envelope } from '#core/contracts/training.ts';
import { checkFeatures, readBaseline } from '#core/drift/sketch/upgrade.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { daysAfter } from '#core/policy/days-after.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { Refused, TryAgain } from '../shared/errors.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore, sha256 } from '../shared/object-store.ts';
import {
  GateAnswer,
  type PackageAnswer,
  ReportAnswer,
  RetrainRun,
  readModelLine,
  readReport,
  readUseCase,
  SnapshotAnswer,
  stepCommand,
  TrainAnswer,
} from '../shared/retrain-run.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly ledger: Ledger;
  readonly artifacts: ObjectStore;
  /** DER signature, ECDSA P-256 over SHA-256 of the message's bytes. */
  readonly sign: (message: Uint8Array) => Promise<{ readonly keyId: string; readonly signature: Uint8Array }>;
}

const Input = z.strictObject({
  run: RetrainRun,
  snapshot: SnapshotAnswer,
  train: TrainAnswer,
  report: ReportAnswer,
  gate: GateAnswer,
});
const Golden = z.object({
  samples: z.array(z.strictObject({ row: z.int().nonnegative(), expected: z.number() })).min(1),
  tolerance: z.number().positive(),
  int8Tolerance: z.number().positive(),
});

/**
 * Makes one signed unit of everything that decides: weights, features, thresholds, envelope, baseline, golden samples.
 * The next release number is taken from the line by a conditional write; a number taken by a try that failed stays unused.
 * @throws {Refused} when the trainer's files do not belong to this snapshot, or are not those that were judged. @throws {TryAgain} when the number was lost to another.
 */
export const makeHandler = (deps: Deps) => {
  const takeNumber = async (run: RetrainRun): Promise<number> => {
    const found = await readModelLine(deps.registry, run.request.modelLine);
    if (found === null) throw new Refused(`model line ${run.request.modelLine} is gone from the registry`);
    const next = found.line.lastReleaseNumber + 1;
    const body: ModelLineRecord = { ...found.line, lastReleaseNumber: next };
    try {
      await deps.ledger.write([
        stepCommand(run, `number/${next}`, {
          record: { class: 'model-line', id: run.request.modelLine, body: { ...body } },
          expectVersion: found.version,
        }),
      ]);
    } catch (error) {
      if ((error as Error).name === 'VersionConflict') throw new TryAgain((error as Error).message);
      throw error;
    }
    return next;
  };

  return async (event: unknown): Promise<PackageAnswer> => {
    const { run, snapshot, train, report: ref, gate } = parseAs(Input, event, 'input of package-model');
    const { modelLine } = run.request;
    const candidate = (file: string) => deps.artifacts.get(`${snapshot.candidatePrefix}${file}`);
    const json = (file: string) => getJson(deps.artifacts, `${snapshot.candidatePrefix}${file}`);
    const useCase = await readUseCase(deps.registry, run.useCaseDigest);
    const report = await readReport(deps.artifacts, ref);
    const envelope = parseAs(Envelope, await json('envelope.json'), 'envelope.json of the trainer');
    const golden = parseAs(Golden, await json('golden.json'), 'golden.json of quantization');
    const files = new Map<string, Uint8Array>();
    for (const file of ['model.fp32.onnx', 'model.int8.onnx', 'baseline.json', 'golden.bin'])
      files.set(file, await candidate(file));
    const bytesOf = (file: string): Uint8Array => files.get(file) as Uint8Array;
    const baseline = readBaseline(
      JSON.parse(Buffer.from(bytesOf('baseline.json')).toString('utf8')),
      'baseline.json of the trainer',
    );
    const width = useCase.featureSet.features.length;
    if (baseline.featureSetDigest !== snapshot.featureSetDigest)
      throw new Refused(
        `baseline.json is of feature set ${baseline.featureSetDigest}, the snapshot of ${snapshot.featureSetDigest}: these files are of another training`,
      );
    checkFeatures(
      baseline,
      useCase.featureSet.features.map((f) => f.name),
      'baseline.json of the trainer',
    );
    if (envelope.ranges.length !== width || bytesOf('golden.bin').byteLength % (4 * width) !== 0)
      throw new Refused(
        `the feature set has ${width} features; envelope.json has ${envelope.ranges.length}, golden.bin ${bytesOf('golden.bin').byteLength} bytes`,
      );
    for (const variant of ['fp32', 'int8'] as const) {
      const digest = sha256(bytesOf(`model.${variant}.onnx`));
      if (digest !== report.models[variant])
        throw new Refused(
          `model.${variant}.onnx is ${digest}, but ${report.models[variant]} was judged: a package holds what was judged and nothing else`,
        );
    }
    const releaseNumber = await takeNumber(run);
    const manifest: ModelPackageManifest = {
      schema: 'model-package/1',
      modelLine,
      releaseNumber,
      createdAt: run.startedAt,
      expiresAt: daysAfter(run.startedAt, useCase.expiresAfterDays),
      owner: useCase.owner,
      useCaseDigest: run.useCaseDigest,
      featureSet: useCase.featureSet,
      featureSetDigest: snapshot.featureSetDigest,
      snapshotDigest: snapshot.digest,
      trainingJob: train.job,
      evaluationDigest: ref.digest,
      signals: useCase.signals,
      label: useCase.label,
      indexUnit: useCase.indexUnit,
      thresholds: useCase.thresholds,
      fallback: useCase.fallback,
      latencyBudgetMs: useCase.latencyBudgetMs,
      inputEnvelope: envelope.ranges,
      variants: (['fp32', 'int8'] as const).map((name) => ({
        name,
        executor: 'onnxruntime',
        file: `model.${name}.onnx`,
        digest: sha256(bytesOf(`model.${name}.onnx`)),
        bytes: bytesOf(`model.${name}.onnx`).byteLength,
        admitted: gate.admittedVariants.includes(name),
        testRmse: report.challenger[name].rmse,
      })),
      golden: {
        file: 'golden.bin',
        digest: sha256(bytesOf('golden.bin')),
        features: width,
        samples: golden.samples,
        tolerance: golden.tolerance,
        int8Tolerance: golden.int8Tolerance,
      },
      baseline: { file: 'baseline.json', digest: sha256(bytesOf('baseline.json')) },
    };
    parseAs(ModelPackageManifest, manifest, 'the manifest of the new package');
    const digest = digestOf(manifest);
    const { keyId, signature } = await deps.sign(Buffer.from(digest, 'utf8'));
    const signed: PackageSignature = {
      schema: 'package-signature/1',
      packageDigest: digest,
      keyId,
      algorithm: 'ECDSA_SHA_256',
      signature: Buffer.from(signature).toString('base64'),
    };
    files.set('signature.json', Buffer.from(JSON.stringify(parseAs(PackageSignature, signed, 'the signature'))));
    const prefix = artifactKeys.package(modelLine, digest);
    for (const [file, bytes] of files) await deps.artifacts.put(`${prefix}${file}`, bytes);
    // Last: a package with a manifest is whole.
    const text = Buffer.from(canonicalJson(manifest));
    await deps.artifacts.put(`${prefix}manifest.json`, text, 'application/json');
    const bytes = [...files.values()].reduce((sum, f) => sum + f.byteLength, text.byteLength);
    return { digest, prefix, releaseNumber, bytes };
  };
};
