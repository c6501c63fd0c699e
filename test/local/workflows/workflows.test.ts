import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateComponentVersionCommand,
  CreateDeploymentCommand,
  GetDeploymentCommand,
  GreengrassV2Client,
  ListDeploymentsCommand,
} from '@aws-sdk/client-greengrassv2';
import { AddThingToThingGroupCommand, CreateThingCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { type DeviceReport, reportTopic } from '#core/contracts/device.ts';
import type { SignalValue } from '#core/contracts/frame.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import type { ReleaseRequest } from '#core/contracts/release.ts';
import { modelComponentName, ringGroupName, thingName } from '#core/contracts/release.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import type { RunHistory } from '#core/contracts/source.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { walkLineage } from '#core/lineage/graph.ts';
import { placedPackage } from '#core/policy/compose-deployment.ts';
import { splitOf } from '#core/policy/split.ts';
import { deviceApiClient } from '../../../local/greengrass/device-api.ts';
import { uploadHistory } from '../../../local/plant/historian.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { type Plant, startPlant } from './plant.ts';

const ROOT = join(__dirname, '../../..');
const SITE = 'plant-a';
const STAGE = 'local';
const DEVICE = 'edge-9';
const GROUP = ringGroupName(STAGE, SITE, 'x86-64', 0);
const { useCase, source } = definitions[0] as (typeof definitions)[number];
const LINE = `${useCase.id}/${SITE}`;

jest.setTimeout(300_000);

let plant: Plant;
let dir: string;

const publish = async (document: UseCase, modelLine: string, line: Partial<ModelLineRecord> = {}): Promise<void> => {
  const digest = digestOf(document);
  const common = { schema: 'ledger-command/1' as const, site: SITE, actor: 'test', reason: 'published' };
  await plant.write([
    { ...common, commandId: `uc/${digest}`, record: { class: 'use-case', id: digest, body: { ...document } } },
    {
      ...common,
      commandId: `ml/${modelLine}/${digest}`,
      record: {
        class: 'model-line',
        id: modelLine,
        // A line that is published anew brings the record that was.
        body: { ...aModelLine(modelLine, digest, null, { ...line, useCaseDigest: digest }) },
      },
    },
  ]);
};

const ask = async (modelLine: string, requestId: string, cause: 'person' | 'drift' = 'person') => {
  await plant.announce('RetrainRequested', {
    modelLine,
    site: SITE,
    cause,
    requestedBy: 'anna',
    reason: 'a test asks',
    requestId,
  });
  return plant.until(async () => {
    const record = await plant.registry.latest('retrain', requestId);
    return record !== null && record.body['status'] !== 'running' ? record.body : null;
  }, 180_000);
};

const greengrass = () => new GreengrassV2Client({ ...plant.client, endpoint: plant.greengrassUrl });
const arnOf = (group: string): string => `arn:aws:iot:us-east-1:000000000000:thinggroup/${group}`;

/** Deployments that a ring ever had. */
const deploymentsOf = async (group: string) =>
  (await greengrass().send(new ListDeploymentsCommand({ targetArn: arnOf(group), historyFilter: 'ALL' })))
    .deployments ?? [];

const composition = async () => {
  const { deployments } = await greengrass().send(new ListDeploymentsCommand({ targetArn: arnOf(GROUP) }));
  return (
    (await greengrass().send(new GetDeploymentCommand({ deploymentId: deployments?.[0]?.deploymentId as string })))
      .components ?? {}
  );
};

/** What a device says of itself, on its own topic. */
const say = async (
  serving: { packageDigest: string; releaseNumber: number } | null,
  refusal: string | null,
  { decided, fallback } = { decided: 20, fallback: 0 },
  shadow: DeviceReport['shadow'] = null,
): Promise<void> => {
  const at = new Date().toISOString();
  const report: DeviceReport = {
    schema: 'device-report/1',
    site: SITE,
    device: DEVICE,
    deviceClass: 'x86-64',
    boot: 'boot-1',
    at,
    modelLine: LINE,
    serving:
      serving === null ? null : { ...serving, variant: 'int8', adoptedAt: '2026-01-01T00:00:00.000Z', bench: [] },
    sinceAdoption: { decided, undecided: 0, fallback, held: 0, latencyP50Ms: 1, latencyP99Ms: 2 },
    lastRefusal: refusal === null ? null : { packageDigest: refusal, reason: 'golden sample 3 differs', at },
    shadow,
    spool: { pending: 0, bytes: 0 },
  };
  await new IoTDataPlaneClient(plant.client).send(
    new PublishCommand({
      topic: reportTopic(STAGE, SITE, DEVICE),
      qos: 1,
      payload: Buffer.from(JSON.stringify(report)),
    }),
  );
};

/** Takes every deployment as a nucleus would. */
const follow = async (): Promise<void> => {
  const device = deviceApiClient(plant.greengrassUrl, thingName(STAGE, SITE, DEVICE));
  const runtime = 'aws_nucleus_classic' as const;
  await device.reportStatus({
    sentAt: Date.now(),
    trigger: 'CADENCE',
    status: 'HEALTHY',
    coreVersion: '2.0.0',
    platform: 'linux',
    architecture: 'amd64',
    runtime,
    components: [],
  });
  const next = await device.nextDeployment({
    waitMs: 0,
    platform: { os: 'linux', runtime },
    runtime,
  });
  if (next !== null) await device.reportDeployment(next.deploymentId, { status: 'SUCCEEDED', reason: 'SUCCESSFUL' });
};

/** Answers as the device would until the release has ended. */
const released = async (releaseId: string, answer: () => Promise<void>) =>
  plant.until(async () => {
    const record = await plant.registry.latest('release', releaseId);
    if (record !== null && !['rolling-out', 'waiting-approval'].includes(record.body['status'] as string))
      return record.body;
    if (record?.body['status'] === 'rolling-out') {
      await follow();
      await answer();
    }
    return null;
  }, 120_000);

const machines = (seed: number) => source({ site: SITE, seed, start: '2025-01-01T00:00:00.000Z' });

/** Runs that the plant hands in, until the registry has them. */
const upload = async (runs: readonly RunHistory[]): Promise<void> => {
  const before = (await plant.registry.list('raw-object')).length;
  await uploadHistory(
    { name: 'runs', history: () => runs, live: () => [] },
    {
      s3: plant.s3,
      lambda: plant.lambda,
      lakeBucket: plant.names.lakeBucket,
      plantEventsFunction: plant.names.plantEvents.name,
      site: SITE,
      registered: new Set(),
    },
  );
  await plant.until(
    async () => ((await plant.registry.list('raw-object')).length >= before + runs.length ? true : null),
    120_000,
  );
};

/** The same life on another machine, to its failure. */
const lifeOf = (of: RunHistory, asset: string, run: string): RunHistory => ({
  asset,
  run,
  frames: of.frames.map((f) => ({ ...f, asset, run })),
  events: of.events.map((e) => ({ ...e, eventId: `${asset}-${run}`, asset, run })),
});

/** A life with a coolant that runs hotter and a bearing that fails at half of the hours: what the champion never saw. */
const hotterLifeOf = (of: RunHistory, asset: string, run: string): RunHistory => {
  const { frames, events } = lifeOf(of, asset, run);
  const ends = Math.round(frames.length / 2);
  const warmer = (s: SignalValue | undefined): SignalValue => {
    if (s?.value === undefined) throw new Error('expected a frame with a temperature');
    return { ...s, value: s.value + 25 };
  };
  return {
    asset,
    run,
    frames: frames.slice(0, ends).map((f) => ({
      ...f,
      signals: { ...f.signals, temperature: warmer(f.signals['temperature']) },
    })),
    events: events.map((e) => ({ ...e, index: ends })),
  };
};

const championOf = async (): Promise<ModelLineRecord> =>
  (await plant.registry.latest('model-line', LINE))?.body as ModelLineRecord;

/** A device in its ring, with the runtime and no model. */
const commission = async (device: string, group: string): Promise<void> => {
  const iot = new IoTClient(plant.client);
  const thing = thingName(STAGE, SITE, device);
  await iot.send(
    new CreateThingCommand({ thingName: thing, attributePayload: { attributes: { site: SITE, device } } }),
  );
  await iot.send(new AddThingToThingGroupCommand({ thingName: thing, thingGroupName: group }));
  await greengrass().send(
    new CreateDeploymentCommand({
      targetArn: arnOf(group),
      components: {
        'millwright.runtime': { componentVersion: '1.0.1', configurationUpdate: { merge: '{"site":"plant-a"}' } },
      },
    }),
  );
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mw-workflows-'));
  plant = await startPlant(ROOT, dir);
  await publish(useCase, LINE);
  await upload([...machines(7).history()]);

  await greengrass().send(
    new CreateComponentVersionCommand({
      inlineRecipe: Buffer.from(
        JSON.stringify({
          RecipeFormatVersion: '2020-01-25',
          ComponentName: 'millwright.runtime',
          ComponentVersion: '1.0.1',
          Manifests: [{ Platform: { os: 'linux', runtime: '*' }, Lifecycle: { startup: { Script: 'exec sleep 1' } } }],
        }),
      ),
    }),
  );
  await commission(DEVICE, GROUP);
});

afterAll(async () => {
  await plant?.stop();
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

describe('the workflows on the local AWS, IAM enforced', () => {
  test('a request becomes a candidate, is released to the ring and becomes champion, with its lineage', async () => {
    const record = await ask(LINE, 'first-1');
    expect(record).toMatchObject({ status: 'candidate', step: 'Register' });
    const digest = record['packageDigest'] as string;
    const releaseId = `rel-1-${digest.slice(7, 19)}`;
    const release = await released(releaseId, () => say({ packageDigest: digest, releaseNumber: 1 }, null));
    expect(release).toMatchObject({ status: 'released', approvedBy: `policy:${useCase.id}`, packageDigest: digest });
    expect((await plant.registry.latest('model-line', LINE))?.body['champion']).toMatchObject({
      packageDigest: digest,
      releaseNumber: 1,
    });

    const placed = await composition();
    expect(Object.keys(placed).sort()).toEqual([modelComponentName(LINE), 'millwright.runtime'].sort());
    expect(JSON.parse(placed['millwright.runtime']?.configurationUpdate?.merge ?? '')).toEqual({
      site: 'plant-a',
      revertTo: '',
      withdrawn: '',
    });

    const back = await walkLineage(plant.registry, `adoption:${SITE}/${DEVICE}/${LINE}`, 'back');
    const classes = new Set(back.nodes.map(({ node }) => node.slice(0, node.indexOf(':'))));
    for (const c of [
      'package',
      'snapshot',
      'training-run',
      'evaluation',
      'retrain',
      'raw-object',
      'plant-event',
      'use-case',
    ])
      expect(classes).toContain(c);
    const raw = back.nodes.find(({ node }) => node.startsWith('raw-object:'))?.node as string;
    const forward = await walkLineage(plant.registry, raw, 'forward');
    expect(forward.nodes.map((n) => n.node)).toContain(`device:${SITE}/${DEVICE}`);
  });

  test('the same request again is the execution that has it', async () => {
    await plant.announce('RetrainRequested', {
      modelLine: LINE,
      site: SITE,
      cause: 'person',
      requestedBy: 'anna',
      reason: 'a test asks',
      requestId: 'first-1',
    });
    await plant.until(async () => {
      const { executions } = await plant.sfn.send(
        new ListExecutionsCommand({ stateMachineArn: plant.names.retrain.arn }),
      );
      return executions?.length === 2 && executions.every((e) => e.status === 'SUCCEEDED') ? true : null;
    }, 60_000);
    expect((await plant.registry.latest('retrain', 'first-1'))?.body['status']).toBe('candidate');
  });

  test('drift within the cooldown is skipped, with the reason', async () => {
    const ended = (await plant.registry.latest('retrain', 'first-1'))?.body as Record<string, unknown>;
    await plant.write([
      {
        schema: 'ledger-command/1',
        commandId: 'just-ended',
        site: SITE,
        actor: 'test',
        reason: 'a retrain that ends at this moment',
        record: { class: 'retrain', id: 'just-ended', body: { ...ended, requestId: 'just-ended', status: 'refused' } },
      },
    ]);
    expect(await ask(LINE, 'drift-1', 'drift')).toMatchObject({
      status: 'skipped',
      step: 'ResolveTrigger',
      detail: expect.stringContaining('cooldown'),
    });
  });

  test('an unknown line is refused, with what to do', async () => {
    expect(await ask('nothing/plant-a', 'unknown-1')).toMatchObject({
      status: 'refused',
      detail: expect.stringContaining('publish its use case first'),
    });
  });

  test('too little data is refused with the shortfall, and the champion stays', async () => {
    const hungry: UseCase = { ...useCase, id: 'hungry', gate: { ...useCase.gate, minTrainRuns: 5000 } };
    await publish(hungry, `hungry/${SITE}`);
    expect(await ask(`hungry/${SITE}`, 'hungry-1')).toMatchObject({
      status: 'refused',
      step: 'SnapshotDataset',
      detail: expect.stringMatching(/more ended runs in train \(\d+ of 5000\)/),
    });
  });

  test('a ring that refuses a package gets back what it had, and the champion stays', async () => {
    const before = (await plant.registry.latest('model-line', LINE))?.body['champion'] as { packageDigest: string };
    const record = await ask(LINE, 'second-1');
    expect(record).toMatchObject({ status: 'candidate' });
    const digest = record['packageDigest'] as string;
    const release = await released(`rel-2-${digest.slice(7, 19)}`, () =>
      say({ packageDigest: before.packageDigest, releaseNumber: 1 }, digest),
    );
    expect(release).toMatchObject({
      status: 'reverted',
      reason: expect.stringContaining('golden sample 3 differs'),
      notBack: [],
    });
    expect((await plant.registry.latest('model-line', LINE))?.body['champion']).toEqual(before);
    const placed = await composition();
    expect(placedPackage(placed as never, modelComponentName(LINE))).toBe(before.packageDigest);
    expect(JSON.parse(placed['millwright.runtime']?.configurationUpdate?.merge ?? '')).toMatchObject({
      revertTo: before.packageDigest,
      withdrawn: digest,
    });
  });

  test('a ring that adopts a package and then falls back too often is reverted, and no later ring is touched', async () => {
    const later = ringGroupName(STAGE, SITE, 'x86-64', 1);
    await commission('edge-8', later);
    const before = (await plant.registry.latest('model-line', LINE))?.body['champion'] as { packageDigest: string };
    const record = await ask(LINE, 'third-1');
    expect(record).toMatchObject({ status: 'candidate' });
    const digest = record['packageDigest'] as string;
    const release = await released(`rel-3-${digest.slice(7, 19)}`, async () => {
      const placed = placedPackage((await composition()) as never, modelComponentName(LINE));
      if (placed === digest) await say({ packageDigest: digest, releaseNumber: 3 }, null, { decided: 5, fallback: 15 });
      else await say({ packageDigest: before.packageDigest, releaseNumber: 1 }, null);
    });
    expect(release).toMatchObject({
      status: 'reverted',
      reason: expect.stringContaining(`${DEVICE} fell back on 0.750 of its decisions`),
      waves: [{ ring: 0, verdict: 'revert' }],
      notBack: [],
    });
    expect((await plant.registry.latest('model-line', LINE))?.body['champion']).toEqual(before);
    expect(placedPackage((await composition()) as never, modelComponentName(LINE))).toBe(before.packageDigest);
    expect(await deploymentsOf(later)).toHaveLength(1);
  });

  test('decisions judge a package while Greengrass says that all went well: one wave is reverted, one ends early', async () => {
    const before = (await plant.registry.latest('model-line', LINE))?.body['champion'] as { packageDigest: string };
    const third = (await plant.registry.latest('retrain', 'third-1'))?.body['packageDigest'] as string;
    const request: ReleaseRequest = {
      schema: 'release-request/1',
      releaseId: 'third-again',
      modelLine: LINE,
      site: SITE,
      packageDigest: third,
      packagePrefix: artifactKeys.package(LINE, third),
      releaseNumber: 3,
      requestedBy: 'anna',
      reason: 'a test asks',
      revert: false,
      rings: [0],
    };
    const compared = (batches: number[]): DeviceReport['shadow'] => ({
      packageDigest: before.packageDigest,
      frames: 100,
      assets: [{ asset: 'spindle-101', batches }],
    });
    const answer = (batches: number[]) => async () => {
      const placed = await composition();
      if (placedPackage(placed as never, modelComponentName(LINE)) !== third)
        return say({ packageDigest: before.packageDigest, releaseNumber: 1 }, null);
      expect(JSON.parse(placed['millwright.runtime']?.configurationUpdate?.merge ?? '').shadow).toEqual({
        packageDigest: before.packageDigest,
        tolerance: String(useCase.rollout.shadow.tolerance),
        batch: String(useCase.rollout.shadow.batch),
        seconds: String(useCase.rollout.waveTimeoutSeconds),
      });
      return say({ packageDigest: third, releaseNumber: 3 }, null, undefined, compared(batches));
    };
    await plant.announce('ReleaseCandidate', request);
    expect(await released('third-again', answer([0, 0, 0, 0, 0, 20]))).toMatchObject({
      status: 'reverted',
      reason: expect.stringContaining(`${DEVICE} and the champion disagree on 100 % of 100 frames`),
      waves: [{ verdict: 'revert', shadow: { champion: before.packageDigest, batches: 20 } }],
      notBack: [],
    });
    const back = JSON.parse((await composition())['millwright.runtime']?.configurationUpdate?.merge ?? '');
    expect(back).toMatchObject({
      revertTo: before.packageDigest,
      withdrawn: third,
      shadow: { packageDigest: '' },
    });

    await plant.announce('ReleaseCandidate', { ...request, releaseId: 'third-on-the-bench' });
    expect(await released('third-on-the-bench', answer([20, 0, 0, 0, 0, 0]))).toMatchObject({
      status: 'released',
      waves: [
        { ring: 0, verdict: 'continue', reasons: [expect.stringContaining('agrees with the champion on 100 %')] },
      ],
    });
    expect((await plant.registry.latest('model-line', LINE))?.body['champion']).toEqual(before);
  });

  test('a release of a package that is not what it says is refused', async () => {
    const champion = (await plant.registry.latest('model-line', LINE))?.body['champion'] as {
      packageDigest: string;
      packagePrefix: string;
    };
    const request: ReleaseRequest = {
      schema: 'release-request/1',
      releaseId: 'wrong-package',
      modelLine: LINE,
      site: SITE,
      packageDigest: digestOf('nothing'),
      packagePrefix: champion.packagePrefix,
      releaseNumber: 1,
      requestedBy: 'anna',
      reason: 'a test asks',
      revert: false,
    };
    await plant.announce('ReleaseCandidate', request);
    expect(await released('wrong-package', async () => {})).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('has the digest'),
    });
  });

  describe('a retrain for drift', () => {
    const lives = [...machines(8).history()].filter((life) => life.events.length > 0);
    const strict: UseCase = {
      ...useCase,
      version: useCase.version + 1,
      gate: { ...useCase.gate, maxRmseOverChampion: 1.5, maxRmseOverChampionSince: 0.9 },
    };
    /** Drift waits that long after a retrain. */
    const cooldown = () => sleep(1000 * plant.config.retrain.cooldownSeconds);

    test('whose challenger is not better on what came since is refused, and the champion stays', async () => {
      const before = await championOf();
      await publish(strict, LINE, before);
      // Sealed lives only: what is learnt from is the same, and so is the model.
      const sealed = Array.from({ length: 60 }, (_, i) => `since-${i + 1}`)
        .filter((run) => splitOf(strict.seal, 'spindle-200', run) === 'test')
        .slice(0, strict.gate.minSinceRuns);
      await Promise.all([
        upload(sealed.map((run, i) => lifeOf(lives[i] as RunHistory, 'spindle-200', run))),
        cooldown(),
      ]);
      expect(await ask(LINE, 'drift-2', 'drift')).toMatchObject({
        status: 'refused',
        step: 'Gate',
        detail:
          "gate: fail; on runs since the champion learnt its error is at most 1 times the champion's (0.9 allowed)",
        packageDigest: null,
      });
      expect((await championOf()).champion).toEqual(before.champion);
    });

    test('whose challenger is better on what came since, and not worse before, becomes a candidate', async () => {
      const { champion } = await championOf();
      await Promise.all([
        upload(lives.slice(0, 40).map((life, i) => hotterLifeOf(life, 'spindle-201', `hot-${i + 1}`))),
        cooldown(),
      ]);
      const record = await ask(LINE, 'drift-3', 'drift');
      expect(record).toMatchObject({
        status: 'candidate',
        detail: expect.stringMatching(/^gate: pass;.* on runs since the champion learnt .* \(0\.9 allowed\)/),
      });
      expect((await championOf()).champion).toEqual(champion);
      const made = (await plant.registry.latest('package', record['packageDigest'] as string))?.body;
      expect(made).toMatchObject({
        validationLoss: { mean: expect.any(Number) },
        expectedDisagreement: { differsOn: ['spindle-201'] },
      });
    });
  });
});
