import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { EvaluationReport, ShardErrors } from '#core/contracts/evaluation.ts';
import type { LedgerCommand } from '#core/contracts/ledger.ts';
import { Digest, Instant } from '#core/contracts/primitives.ts';
import { ModelLineRecord, type RetrainRecord, RetrainRequest } from '#core/contracts/retrain.ts';
import { TrainingHyperparameters } from '#core/contracts/training.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { getJson, type ObjectStore } from './object-store.ts';

/** What steps of a retrain know of each other: small answers and names of objects, never data. */
export const RetrainExecution = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  startedAt: z.string().min(1),
});

export const Champion = z.strictObject({ packageDigest: Digest, packagePrefix: z.string() });

/** Answer of `resolve-trigger`; every later step gets it as `run`. */
export const RetrainRun = z.strictObject({
  go: z.literal(true),
  execution: z.string(),
  executionId: z.string(),
  startedAt: Instant,
  request: RetrainRequest,
  useCaseDigest: Digest,
  jobName: z.string().max(63),
  champion: Champion.nullable(),
});
export type RetrainRun = z.infer<typeof RetrainRun>;

export const RetrainDeclined = z.strictObject({ go: z.literal(false), why: z.string() });

/** Answer of `snapshot-dataset`. */
export const SnapshotAnswer = z.strictObject({
  digest: Digest,
  featureSetDigest: Digest,
  itemsKey: z.string(),
  testItemsKey: z.string(),
  counts: z.strictObject({ train: z.int(), calibration: z.int(), test: z.int() }),
  snapshotUri: z.string(),
  trainUri: z.string(),
  calibrationUri: z.string(),
  outputUri: z.string(),
  candidateUri: z.string(),
  candidatePrefix: z.string(),
  compare: z
    .strictObject({
      cap: z.number().positive().describe('of the label: a loss is bounded by it'),
      tolerance: z.number().positive().describe('label units: two answers that differ by more disagree'),
      referenceUpTo: z
        .number()
        .min(0)
        .max(1)
        .describe('share of disagreeing rows of an asset up to which the champion is a reference there'),
    })
    .describe('how models are compared, by the use case that the retrain started with'),
  maxRuntimeSeconds: z.int().positive(),
  hyperparameters: TrainingHyperparameters,
});
export type SnapshotAnswer = z.infer<typeof SnapshotAnswer>;

/** What `evaluate` writes for one part: errors by variant, or why a model is refused. */
export const EvaluationShard = z.strictObject({ shards: z.array(ShardErrors), refused: z.string().nullable() });
export type EvaluationShard = z.infer<typeof EvaluationShard>;

export const TrainAnswer = z.strictObject({ job: z.string(), model: z.string() });
export const ReportAnswer = z.strictObject({ key: z.string(), digest: Digest });
export type ReportAnswer = z.infer<typeof ReportAnswer>;
export const GateAnswer = z.strictObject({
  verdictKey: z.string(),
  admittedVariants: z.array(z.enum(['fp32', 'int8'])).min(1),
  says: z.string(),
});
export const PackageAnswer = z.strictObject({
  digest: Digest,
  prefix: z.string(),
  releaseNumber: z.int().positive(),
  bytes: z.int().positive(),
});
export type PackageAnswer = z.infer<typeof PackageAnswer>;

/** UTC with milliseconds, however the service wrote it. */
export const instantOf = (text: string): string => {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new Error(`"${text}" is no instant; expected ISO 8601`);
  return at.toISOString();
};

/** Reasons in the registry have 400 characters at most. */
export const clip = (text: string, length = 400): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

/** @throws {Error} when the registry does not have the use case, or has it under a digest that is not its own. */
export const readUseCase = async (registry: Pick<RegistryReader, 'latest'>, digest: string): Promise<UseCase> => {
  const record = await registry.latest('use-case', digest);
  if (record === null) throw new Error(`the registry has no use case ${digest}; publish it: millwright publish`);
  if (digestOf(record.body) !== digest)
    throw new Error(`the registry's use case ${digest} has the digest ${digestOf(record.body)}; publish it again`);
  return parseAs(UseCase, record.body, `use case ${digest}`);
};

/** @throws {Error} when the report in the bucket is not the one that was named. */
export const readReport = async (artifacts: ObjectStore, ref: ReportAnswer): Promise<EvaluationReport> => {
  const document = await getJson(artifacts, ref.key);
  if (digestOf(document) !== ref.digest)
    throw new Error(`${ref.key} has the digest ${digestOf(document)}, expected ${ref.digest}; ask for a new retrain`);
  return parseAs(EvaluationReport, document, ref.key);
};

/** @returns the line and the version it was read at, for a conditional write. */
export const readModelLine = async (
  registry: Pick<RegistryReader, 'latest'>,
  modelLine: string,
): Promise<{ line: ModelLineRecord; version: number } | null> => {
  const record = await registry.latest('model-line', modelLine);
  if (record === null) return null;
  return { line: parseAs(ModelLineRecord, record.body, `model line ${modelLine}`), version: record.version };
};

/** The use case that a model line has at present. @throws {Error} when the registry lacks the line or its use case. */
export const useCaseOfLine = async (registry: Pick<RegistryReader, 'latest'>, modelLine: string): Promise<UseCase> => {
  const found = await readModelLine(registry, modelLine);
  const record = found === null ? null : await registry.latest('use-case', found.line.useCaseDigest);
  if (record === null)
    throw new Error(`model line ${modelLine} or its use case is not in the registry: publish it, millwright publish`);
  return parseAs(UseCase, record.body, `use case of ${modelLine}`);
};

/** A ledger command of one step: the same execution and step give the same command, so a retried step is harmless. */
export const stepCommand = (
  run: Pick<RetrainRun, 'execution' | 'executionId' | 'request'>,
  step: string,
  command: Pick<LedgerCommand, 'record'> &
    Partial<Pick<LedgerCommand, 'edges' | 'announce' | 'expectVersion' | 'reason'>>,
): LedgerCommand => ({
  schema: 'ledger-command/1',
  commandId: commandIdOf('retrain', run.execution, step),
  site: run.request.site,
  actor: clip(run.executionId, 256),
  reason: clip(run.request.reason),
  edges: [],
  ...command,
});

/** What a retrain was asked for and how far it came: the one shape of its record, at its start and at its end. */
export const retrainRecord = (
  request: RetrainRequest,
  execution: string,
  outcome: Pick<RetrainRecord, 'status' | 'step' | 'detail'>,
  made: Partial<Pick<RetrainRecord, 'snapshotDigest' | 'packageDigest'>> = {},
): RetrainRecord => ({
  schema: 'retrain/1',
  requestId: request.requestId,
  execution,
  modelLine: request.modelLine,
  site: request.site,
  cause: request.cause,
  requestedBy: request.requestedBy,
  reason: request.reason,
  ...outcome,
  snapshotDigest: made.snapshotDigest ?? null,
  packageDigest: made.packageDigest ?? null,
});
