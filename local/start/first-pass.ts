import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetComponentCommand, ListComponentVersionsCommand } from '@aws-sdk/client-greengrassv2';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import { modelComponentName } from '#core/contracts/release.ts';
import type { LiveRun } from '#core/contracts/source.ts';
import { uploadHistory } from '../plant/historian.ts';
import type { Machines } from '../plant/machines.ts';
import { decisionsOf, decisionsRecorded, modelDecision } from './decisions.ts';
import type { DevicePlan, Devices } from './devices.ts';
import { StartError } from './errors.ts';
import { bringBack, championOf, trainAndRelease } from './model-steps.ts';
import { REGION, writeWhole } from './plant.ts';
import { cli, nextLap, type Plant, reportsOf, short } from './plant-context.ts';
import { playThrough } from './play-through.ts';
import { assertOneDigest, rulErrors } from './proof.ts';
import { pause, untilRegistered } from './wait.ts';

const BRISK_MS = 100;

export interface FirstPass {
  readonly packageDigest: string;
  /** A decision of the model, to try commands with. */
  readonly sampleDecision: string;
}

/** From published use cases to decisions of a model on the devices, one line a step. */
export const firstPass = async (
  plant: Plant,
  devices: Devices,
  plan: readonly DevicePlan[],
  lanes: readonly (readonly LiveRun[])[],
): Promise<FirstPass> => {
  const { teller, options, stateDir, played, summary } = plant;
  await teller.step('publish', async () => {
    const told = await cli<{
      useCases: { status: string }[];
      components: { component: string; version: string; status: string }[];
    }>(plant, 'publish', 'publish');
    const changed = [...told.useCases, ...told.components].filter((x) => x.status === 'published').length;
    return [
      `${told.useCases.length} use cases, ${told.components.length} components${changed === 0 ? ', unchanged' : `, ${changed} new`}`,
      null,
    ];
  });
  const lap = nextLap(stateDir);
  await teller.step('devices', async () => [await devices.start(plant, plan, lanes, lap), null]);
  await teller.step('history', async () => [await history(plant), null]);

  const champion = await championOf(plant);
  if (champion !== null) await bringBack(plant, champion);
  const packageDigest =
    champion === null || options.retrain
      ? await trainAndRelease(plant, champion === null, () => devices.machines.setPace(BRISK_MS))
      : champion.packageDigest;
  if (champion !== null && !options.retrain)
    await teller.step('champion', async () => [`${short(packageDigest)} serves since an earlier start`, null]);
  summary.push(['package of the pass', packageDigest]);

  // Brisk, and latencies counted from here: before, devices were starting.
  devices.machines.setPace(BRISK_MS);
  const first = await teller.step('decision of the model', async () => {
    const answer = await modelDecision(plant, packageDigest, () => devices.heard());
    return [
      `${answer.device}: ${answer.verdict}, ${answer.value?.toFixed(1)} ${played.useCase.label.unit} left (${answer.variant})`,
      answer,
    ];
  });
  await teller.step('decisions in the lake', async () => {
    const n = await decisionsRecorded(plant, first, packageDigest, options.decisions);
    return [`${n} by this package, proved by Merkle root and registered`, null];
  });
  await teller.step('lineage', async () => [await checkLineage(plant, first, packageDigest), null]);
  if (options.data !== null)
    await teller.step('replay', async () => [await replay(plant, devices.machines, lanes, packageDigest), null]);
  const p99 = Math.max(...devices.machineStats().map((m) => m.latencyP99Ms ?? 0));
  summary.push(['answer to the line', `p99 ${p99.toFixed(0)} ms`]);
  return { packageDigest, sampleDecision: first.id };
};

/** Uploads the history of the machines, once, and waits until all of it is registered. */
const history = async (plant: Plant): Promise<string> => {
  const { teller, stateDir, played, clients, names, registry, site } = plant;
  const done = join(stateDir, `history-${played.useCase.id}.stamp`);
  if (existsSync(done)) return readFileSync(done, 'utf8').replace(', all registered', ', there already');
  const assets = new Set<string>();
  const source = {
    ...played.source,
    *history() {
      for (const run of played.source.history()) {
        assets.add(run.asset);
        yield run;
      }
    },
  };
  const sum = await uploadHistory(source, {
    s3: clients.s3,
    lambda: clients.lambda,
    lakeBucket: names.lakeBucket,
    plantEventsFunction: names.plantEvents.name,
    site,
    registered: new Set((await registry.bodies('raw-object')).map((r) => r.id)),
    onProgress: (p) => teller.progress(`history: ${p.uploaded} runs uploaded`),
  });
  let count = 0;
  await untilRegistered(
    plant,
    async () => {
      const records = await registry.bodies('raw-object');
      count = records.filter((r) => assets.has(String(r['asset']))).length;
      teller.progress(`history: ${count} of ${sum.runs} runs registered`);
      return count >= sum.runs;
    },
    { by: 'register-upload', seconds: 240, late: () => `${count} of ${sum.runs} uploaded runs were registered` },
  );
  const told = `${sum.runs} runs, ${sum.frames} frames, ${sum.events} plant events, all registered`;
  writeWhole(done, told);
  return told;
};

/** Follows one decision back to raw objects, and sees one digest wherever the package is named. */
const checkLineage = async (plant: Plant, decision: DecisionRecord, packageDigest: string): Promise<string> => {
  const { modelLine, registry, clients, config, summary } = plant;
  const answer = await cli<{
    packageDigest: string | null;
    counts: Record<string, number>;
    nodes: { node: string }[];
    truncated: boolean;
  }>(plant, 'lineage', 'lineage', decision.id);
  const nodes = answer.nodes.map((n) => n.node);
  const job = nodes.find((n) => n.startsWith('training-run:'))?.slice('training-run:'.length);
  const training = job === undefined ? null : await registry.body('training-run', job);
  const devices = await reportsOf(plant);
  const { account } = config.planes.plant;
  const arn = `arn:aws:greengrass:${REGION}:${account}:components:${modelComponentName(modelLine)}`;
  const { componentVersions = [] } = await clients.greengrass.send(new ListComponentVersionsCommand({ arn }));
  const recipes = await Promise.all(
    componentVersions.map(async (v) => {
      const { recipe } = await clients.greengrass.send(
        new GetComponentCommand({ arn: v.arn as string, recipeOutputFormat: 'JSON' }),
      );
      return Buffer.from(recipe ?? []).toString('utf8');
    }),
  );
  assertOneDigest(packageDigest, [
    { where: 'the decision', digest: decision.packageDigest },
    { where: 'the lineage answer', digest: answer.packageDigest },
    { where: 'the training record', digest: (training?.['packageDigest'] as string | undefined) ?? null },
    {
      where: `the report of ${decision.device}`,
      digest: devices.find((d) => d.device === decision.device)?.serving?.packageDigest ?? null,
    },
    { where: 'the component version', digest: recipes.some((r) => r.includes(packageDigest)) ? packageDigest : null },
  ]);
  const raw = answer.counts['raw-object'] ?? 0;
  if (raw === 0 || answer.truncated)
    throw new StartError(
      `lineage of ${decision.id} leads to ${raw} raw objects${answer.truncated ? ' and was cut' : ''}`,
      'this is a fault of the platform: keep the state folder and tell its makers',
    );
  summary.push(['one digest on', 'training record, component, report, decision, lineage']);
  return `back to ${raw} raw objects; one digest in five places`;
};

/** Lets every recorded machine run through once, as fast as the devices answer, and scores the model on the truth known afterwards. */
const replay = async (
  plant: Plant,
  machines: Machines,
  lanes: readonly (readonly LiveRun[])[],
  packageDigest: string,
): Promise<string> => {
  const { signal, played, summary } = plant;
  const runs = lanes.flat();
  const lap = nextLap(plant.stateDir);
  const from = performance.now();
  const frames = await playThrough(plant, machines, lap, { runs: lanes, what: 'replay' });
  const rate = frames / ((performance.now() - from) / 1000);
  const since = Date.parse(plant.startedAt);
  const judge = async () => {
    const decisions = await decisionsOf(plant, since);
    return rulErrors(
      runs,
      lap,
      decisions.filter((d) => d.packageDigest === packageDigest),
      played.useCase.label.cap,
    );
  };
  let errors = await judge();
  const known = runs.filter((r) => r.remainingAtEnd !== null).length;
  for (let i = 0; i < 30 && errors.missing.length > 0; i++) {
    await pause(1000, signal);
    errors = await judge();
  }
  const { unit, cap } = played.useCase.label;
  summary.push([
    `test RMSE, RUL capped at ${cap}`,
    `${errors.capped.toFixed(2)} ${unit}s over ${errors.assets} of ${known} engines`,
  ]);
  summary.push(['test RMSE, uncapped', `${errors.uncapped.toFixed(2)} ${unit}s`]);
  summary.push(['replay', `${frames} frames, ${rate.toFixed(0)} durable decisions a second`]);
  if (errors.missing.length > 0)
    throw new StartError(
      `the model did not decide at the last frame of ${errors.missing.length} of ${known} engines: ${errors.missing.slice(0, 8).join(', ')}`,
      'look at their decisions with "npx millwright explain"',
    );
  return `RMSE ${errors.capped.toFixed(2)} capped at ${cap}, ${errors.uncapped.toFixed(2)} uncapped, ${errors.assets} engines`;
};
