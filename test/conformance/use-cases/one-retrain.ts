// Runs one retrain of a use case with the functions of the platform over buckets and a ledger in memory, and the trainer
// as SageMaker runs it. `node one-retrain.ts <use case> <python> <folder>`; prints what came out as JSON.
import { execFileSync } from 'node:child_process';
import { createSign, createVerify, generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { MaterialiseItem } from '#core/contracts/dataset-snapshot.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { EvaluationReport } from '#core/contracts/evaluation.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { TrainingMetrics } from '#core/contracts/training.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { verifyPackage } from '#core/inference/verify-package.ts';
import { digestBytes, digestOf } from '#core/lineage/digest.ts';
import { loadUseCases } from '../../../cli/commands/publish.ts';
import { makeHandler as evaluate } from '../../../lambdas/evaluate/handler.ts';
import { runOnnx } from '../../../lambdas/evaluate/run-model.ts';
import { makeHandler as evaluateReport } from '../../../lambdas/evaluate-report/handler.ts';
import { makeHandler as gate } from '../../../lambdas/gate/handler.ts';
import { makeHandler as materialise } from '../../../lambdas/materialise/handler.ts';
import { makeHandler as packageModel } from '../../../lambdas/package-model/handler.ts';
import { makeHandler as plantEvents } from '../../../lambdas/plant-events/handler.ts';
import { makeHandler as registerUpload } from '../../../lambdas/register-upload/handler.ts';
import { makeHandler as resolveTrigger } from '../../../lambdas/resolve-trigger/handler.ts';
import { RetrainRun } from '../../../lambdas/shared/retrain-run.ts';
import { makeHandler as snapshotDataset } from '../../../lambdas/snapshot-dataset/handler.ts';
import { packTarGz } from '../../../local/sagemaker/tar.ts';
import { chooseDefinition, discoverDefinitions, openSource } from '../../../local/start/source.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { memoryLedger, memoryLog, memoryStore, objectCreated, registryOf, sqsEvent } from '../../support/fakes.ts';
import { memoryLanding } from '../../support/memory-landing.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SITE = 'plant-a';
const [id = '', python = '', work = ''] = process.argv.slice(2);

const published = await loadUseCases(ROOT);
const definitions = await discoverDefinitions(ROOT);
const useCase = published.find((u) => u.id === id);
if (useCase === undefined) throw new Error(`no use case ${id} among ${published.map((u) => u.id).join(', ')}`);
const definition = chooseDefinition(
  definitions.filter((d) => d.useCase.id === id),
  null,
);
const { source } = openSource(definition, { site: SITE, seed: 1, data: null });

const lake = memoryStore();
const lists = memoryStore();
const artifacts = memoryStore();
const ledger = memoryLedger();
const registry = registryOf(ledger.commands);
const log = memoryLog();
const modelLine = `${id}/${SITE}`;
const useCaseDigest = digestOf(useCase);
const command = { schema: 'ledger-command/1' as const, site: SITE, actor: 'test', reason: 'published' };
await ledger.write([
  { ...command, commandId: 'use-case', record: { class: 'use-case', id: useCaseDigest, body: { ...useCase } } },
  {
    ...command,
    commandId: 'model-line',
    record: {
      class: 'model-line',
      id: modelLine,
      body: { ...aModelLine(modelLine, useCaseDigest) },
    },
  },
]);

// History, as a historian hands it in.
for (const { asset, run, frames, events } of source.history()) {
  const key = lakeKeys.frames({ site: SITE, asset, run, first: 1, last: frames.length });
  await lake.put(key, gzipSync(frames.map((f) => JSON.stringify(f)).join('\n')));
  await registerUpload({
    lake,
    ledger,
    registry,
    log,
    landing: memoryLanding(),
    now: () => '2026-01-01T00:00:00.000Z',
    newBatch: () => key.replaceAll('/', '-'),
    leaseMs: 1000,
  })(sqsEvent(objectCreated(key)));
  if (events.length > 0) await plantEvents({ lake, ledger, registry, log })({ events });
}
if (log.errors.length > 0) throw log.errors[0]?.error;

const request = { modelLine, site: SITE, cause: 'first', requestedBy: 'test', reason: 'first model', requestId: 'one' };
const run = parseAs(
  RetrainRun,
  await resolveTrigger({
    registry,
    ledger,
    prefix: 'mw',
    isRunning: async () => false,
    policy: { cooldownSeconds: 0, debounceSeconds: 0 },
  })({
    execution: { id: 'execution', name: 'execution', startedAt: '2026-06-01T00:00:00.000Z' },
    request,
  }),
  'answer of resolve-trigger',
);
const snapshot = await snapshotDataset({ registry, ledger, lake, work: lists, artifactsBucket: artifacts.bucket })({
  run,
});
const itemsOf = async (key: string): Promise<MaterialiseItem[]> =>
  Buffer.from(await lists.get(key))
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => parseAs(MaterialiseItem, JSON.parse(line), key));
let rows = 0;
for (const item of await itemsOf(snapshot.itemsKey)) rows += (await materialise({ lake, registry })(item)).rows;

// What SageMaker does around the trainer.
const ml = join(work, 'opt/ml');
const python3 = (step: string): void => {
  execFileSync(python, ['-m', 'millwright_training', step], {
    env: { MILLWRIGHT_ML_ROOT: work, PYTHONPATH: join(ROOT, 'training'), PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
};
const place = (path: string, bytes: Uint8Array | string): void => {
  mkdirSync(dirname(join(ml, path)), { recursive: true });
  writeFileSync(join(ml, path), bytes);
};
place('input/config/hyperparameters.json', JSON.stringify(snapshot.hyperparameters));
for (const split of ['train', 'calibration'] as const)
  for (const key of await lake.list(
    lakeKeys.featuresPrefix({ featureSet: snapshot.featureSetDigest, snapshot: snapshot.digest, split }),
  ))
    place(join('input/data', split, key.slice(key.lastIndexOf('/') + 1)), await lake.get(key));
python3('train');
mkdirSync(join(ml, 'processing/input/model'), { recursive: true });
await packTarGz(join(ml, 'model'), join(ml, 'processing/input/model/model.tar.gz'));
cpSync(join(ml, 'input/data/calibration'), join(ml, 'processing/input/calibration'), { recursive: true });
mkdirSync(join(ml, 'processing/output'), { recursive: true });
python3('quantize');
for (const file of readdirSync(join(ml, 'processing/output')))
  await artifacts.put(`${snapshot.candidatePrefix}${file}`, readFileSync(join(ml, 'processing/output', file)));

for (const item of await itemsOf(snapshot.testItemsKey))
  await evaluate({ lake, artifacts, runModel: runOnnx })({ run, snapshot, item });
const train = { job: run.jobName, model: 'model.tar.gz' };
const report = await evaluateReport({ lake, work: lists, artifacts })({ run, snapshot, train });
const passed = await gate({ registry, ledger, artifacts })({ run, snapshot, report });

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const made = await packageModel({
  registry,
  ledger,
  artifacts,
  sign: async (message) => ({ keyId: 'key', signature: createSign('sha256').update(message).sign(privateKey) }),
})({ run, snapshot, train, report, gate: passed });

const json = async (key: string): Promise<unknown> =>
  JSON.parse(Buffer.from(await artifacts.get(key)).toString('utf8'));
const { challenger } = parseAs(EvaluationReport, await json(report.key), report.key);
const metrics = parseAs(TrainingMetrics, await json(`${snapshot.candidatePrefix}metrics.json`), 'metrics.json');
const baseline = readBaseline(await json(`${made.prefix}baseline.json`), 'baseline.json');
const files = new Map<string, string>();
for (const key of await artifacts.list(made.prefix))
  files.set(key.slice(made.prefix.length), digestBytes(await artifacts.get(key)));
const device = verifyPackage(
  {
    digest: made.digest,
    manifest: await json(`${made.prefix}manifest.json`),
    signature: await json(`${made.prefix}signature.json`),
    files,
  },
  {
    modelLine,
    now: run.startedAt,
    verifySignature: (_, message, signature) =>
      createVerify('sha256').update(message).verify(publicKey, signature, 'base64'),
    serving: null,
    highestRelease: 0,
    revertTo: '',
  },
);
const result = {
  publishes: published.map((u) => u.id),
  plays: definitions.map((d) => d.useCase.id),
  counts: snapshot.counts,
  rows,
  trainRows: metrics.trainRows,
  rmse: { fp32: challenger.fp32.rmse, int8: challenger.int8.rmse },
  admitted: passed.admittedVariants,
  release: made.releaseNumber,
  season: baseline.season,
  device: device.ok ? 'takes it' : device.reason,
};
console.log(JSON.stringify(result));
