import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys, lakeKeys, RawObjectRecord, workKeys } from '#core/contracts/lake.ts';
import { type LineageEdge, nodeRef } from '#core/contracts/ledger.ts';
import { PlantEvent } from '#core/contracts/plant-event.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { materialiseItems, planSnapshot } from '#core/policy/snapshot.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { Refused } from '../shared/errors.ts';
import { type Ledger, writeAll } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { RetrainRun, readUseCase, type SnapshotAnswer, stepCommand } from '../shared/retrain-run.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly ledger: Ledger;
  readonly lake: ObjectStore;
  /** Where Step Functions reads what to work through: it reads buckets of its own account only. */
  readonly work: ObjectStore;
  readonly artifactsBucket: string;
}

const Input = z.strictObject({ run: RetrainRun });
/** Runs in one materialisation: seconds of work, megabytes of frames. */
const RUNS_PER_PART = 10;
const EDGES_PER_COMMAND = 40;

const jsonLines = (documents: readonly unknown[]): Uint8Array =>
  Buffer.from(documents.map((d) => `${canonicalJson(d)}\n`).join(''));

/**
 * Freezes what the model may learn from: what was known when the execution started. Writes the manifest, the work list
 * of materialisation and of evaluation, and the edges to every raw object and failure.
 * @throws {Refused} with the shortfall by name when the data is too little.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<SnapshotAnswer> => {
    const { run } = parseAs(Input, event, 'input of snapshot-dataset');
    const { modelLine, site, requestId } = run.request;
    const [useCase, objects, events] = await Promise.all([
      readUseCase(deps.registry, run.useCaseDigest),
      deps.registry.list('raw-object'),
      deps.registry.list('plant-event'),
    ]);
    const plan = planSnapshot({
      modelLine,
      site,
      useCase,
      useCaseDigest: run.useCaseDigest,
      knownUntil: run.startedAt,
      objects: objects.map((o) => ({
        record: parseAs(RawObjectRecord, o.body, `raw object ${o.id}`),
        knownAt: o.at,
      })),
      events: events.map((e) => parseAs(PlantEvent, e.body, `plant event ${e.id}`)),
    });
    if (!plan.ok)
      throw new Refused(`too little data for ${modelLine} by ${run.startedAt}: ${plan.shortfall.join(', ')} needed`);
    const { snapshot, digest } = plan;
    const items = materialiseItems(snapshot, digest, RUNS_PER_PART);
    await Promise.all([
      deps.lake.put(lakeKeys.snapshot(digest), Buffer.from(canonicalJson(snapshot)), 'application/json'),
      deps.work.put(workKeys.items(digest), jsonLines(items), 'application/x-ndjson'),
      deps.work.put(
        workKeys.testItems(digest),
        jsonLines(items.filter((i) => i.split === 'test')),
        'application/x-ndjson',
      ),
    ]);
    const from = nodeRef('snapshot', digest);
    const edges: LineageEdge[] = [
      { from, rel: 'used', to: nodeRef('use-case', run.useCaseDigest) },
      { from, rel: 'used', to: nodeRef('feature-set', snapshot.featureSetDigest) },
      ...snapshot.runs.flatMap((r) =>
        r.objects.map((o): LineageEdge => ({ from, rel: 'used', to: nodeRef('raw-object', o.key) })),
      ),
      ...plan.eventIds.map((id): LineageEdge => ({ from, rel: 'used', to: nodeRef('plant-event', `${site}/${id}`) })),
    ];
    const body = {
      schema: 'snapshot/1',
      modelLine,
      knownUntil: run.startedAt,
      featureSetDigest: snapshot.featureSetDigest,
      key: lakeKeys.snapshot(digest),
      runs: plan.counts,
      contradicted: plan.contradicted.slice(0, 200),
      frames: snapshot.runs.reduce((sum, r) => sum + r.frames, 0),
    };
    const commands = [];
    for (let i = 0; i < edges.length; i += EDGES_PER_COMMAND)
      commands.push(
        stepCommand(run, `snapshot/${digest.slice(7, 23)}/${i}`, {
          record: { class: 'snapshot', id: digest, body },
          edges: edges.slice(i, i + EDGES_PER_COMMAND),
        }),
      );
    await writeAll(deps.ledger, commands);
    const place = { featureSet: snapshot.featureSetDigest, snapshot: digest };
    const uri = (key: string): string => `s3://${deps.lake.bucket}/${key}`;
    const season = useCase.judging.drift?.season;
    const candidatePrefix = artifactKeys.candidate(modelLine, requestId);
    return {
      digest,
      featureSetDigest: snapshot.featureSetDigest,
      itemsKey: workKeys.items(digest),
      testItemsKey: workKeys.testItems(digest),
      counts: plan.counts,
      snapshotUri: uri(lakeKeys.snapshot(digest)),
      trainUri: uri(lakeKeys.featuresPrefix({ ...place, split: 'train' })),
      calibrationUri: uri(lakeKeys.featuresPrefix({ ...place, split: 'calibration' })),
      outputUri: `s3://${deps.artifactsBucket}/${artifactKeys.trainingOutput(modelLine)}`,
      candidateUri: `s3://${deps.artifactsBucket}/${candidatePrefix}`,
      candidatePrefix,
      compare: {
        cap: useCase.label.cap,
        tolerance: useCase.rollout.shadow.tolerance,
        referenceUpTo: useCase.rollout.shadow.maxDisagreement + useCase.rollout.shadow.margin,
      },
      maxRuntimeSeconds: useCase.trainer.maxRuntimeSeconds,
      hyperparameters: {
        algorithm: useCase.trainer.algorithm,
        seed: String(useCase.trainer.seed),
        feature_names: JSON.stringify(useCase.featureSet.features.map((f) => f.name)),
        feature_set_digest: snapshot.featureSetDigest,
        snapshot_digest: digest,
        settings: JSON.stringify(useCase.trainer.hyperparameters),
        ...(season === undefined ? {} : { season: JSON.stringify(season) }),
      },
    };
  };
