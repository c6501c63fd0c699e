import type { SQSEvent } from 'aws-lambda';
import type { DeviceReport } from '../../../core/contracts/device.ts';
import type { LedgerRequest } from '../../../core/contracts/ledger.ts';
import type { ModelLineRecord } from '../../../core/contracts/retrain.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import type { Composition } from '../../../core/policy/compose-deployment.ts';
import { makeHandler as approveRelease } from '../../../lambdas/approve-release/handler.ts';
import { makeHandler as deployRing } from '../../../lambdas/deploy-ring/handler.ts';
import { makeHandler as deviceReport } from '../../../lambdas/device-report/handler.ts';
import { makeHandler as observeRing } from '../../../lambdas/observe-ring/handler.ts';
import { makeHandler as publishComponent } from '../../../lambdas/publish-component/handler.ts';
import { makeHandler as recordRelease } from '../../../lambdas/record-release/handler.ts';
import { makeHandler as revertRelease } from '../../../lambdas/revert-release/handler.ts';
import type { FleetTable, RingItem } from '../../../lambdas/shared/fleet-table.ts';
import type { FleetControl } from '../../../lambdas/shared/greengrass.ts';
import type { ReleasePlan } from '../../../lambdas/shared/release-run.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import {
  memoryLedger,
  memoryLog,
  memoryStore,
  refusingSecondFirsts,
  registryOf,
  sqsEvent,
} from '../../support/fakes.ts';

const { useCase } = definitions[0] as (typeof definitions)[number];
const SITE = 'plant-a';
const LINE = `${useCase.id}/${SITE}`;
const NOW = '2026-02-01T00:00:10.000Z';
const D = (c: string): string => `sha256:${c.repeat(64)}`;
const useCaseDigest = digestOf(useCase);
const manifest = {
  schema: 'model-package/1',
  modelLine: LINE,
  releaseNumber: 4,
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2027-01-01T00:00:00.000Z',
  owner: 'o',
  useCaseDigest,
  featureSet: useCase.featureSet,
  featureSetDigest: digestOf(useCase.featureSet),
  snapshotDigest: D('1'),
  trainingJob: 'job',
  evaluationDigest: D('2'),
  signals: useCase.signals,
  label: useCase.label,
  indexUnit: 'hour',
  thresholds: useCase.thresholds,
  fallback: useCase.fallback,
  latencyBudgetMs: 100,
  inputEnvelope: [[0, 1]],
  variants: [
    {
      name: 'fp32',
      executor: 'onnxruntime',
      file: 'model.fp32.onnx',
      digest: D('3'),
      bytes: 9,
      admitted: true,
      testRmse: 1,
    },
  ],
  golden: {
    file: 'golden.bin',
    digest: D('4'),
    features: 1,
    samples: [{ row: 0, expected: 1 }],
    tolerance: 1,
    int8Tolerance: 1,
  },
  baseline: { file: 'baseline.json', digest: D('5') },
};
const packageDigest = digestOf(manifest);
const PREFIX = 'packages/x/';
const request = {
  schema: 'release-request/1',
  releaseId: 'rel-4',
  modelLine: LINE,
  site: SITE,
  packageDigest,
  packagePrefix: PREFIX,
  releaseNumber: 4,
  requestedBy: 'anna',
  reason: 'better',
  revert: false,
} as const;
const execution = { id: 'arn:x:execution:release:e-1', name: 'e-1', startedAt: '2026-02-01T00:00:00Z' };
const sites = [{ id: SITE, title: 'A', rings: [0, 1, 2].map((ring) => ({ ring, deviceClass: 'x86-64' })) }];
const common = { schema: 'ledger-command/1' as const, site: SITE, actor: 'test', reason: 'test' };
const lineCommand = (champion: ModelLineRecord['champion'] = null) => ({
  ...common,
  commandId: 'line',
  record: {
    class: 'model-line' as const,
    id: LINE,
    body: { ...aModelLine(LINE, useCaseDigest, null, { champion, lastReleaseNumber: 4 }) },
  },
});

const runtime: Composition = {
  'millwright.runtime': { componentVersion: '1.0.1', configurationUpdate: { merge: '{"site":"plant-a"}' } },
};

/** A fleet in memory: one deployment a group, things, recipes, the table. */
const fleetOf = (groups: Record<string, { components?: Composition; things?: readonly string[] }>) => {
  const deployments: { group: string; components: Composition; token: string; onFailure: string }[] = [];
  const recipes = new Map<string, string>();
  const statuses = new Map<string, { status: string; reason: string }>();
  const reports = new Map<string, DeviceReport>();
  /** When a report came, where that is not when its device says it was sent. */
  const received = new Map<string, string>();
  const rings = new Map<string, RingItem>();
  const approvals: { releaseId: string; token: string }[] = [];
  const control: FleetControl = {
    recipe: async (name, version) => recipes.get(`${name}@${version}`) ?? null,
    createVersion: async (recipe) => {
      const r = JSON.parse(recipe);
      recipes.set(`${r.ComponentName}@${r.ComponentVersion}`, recipe);
    },
    current: async (group) => {
      const last = deployments.findLast((d) => d.group === group);
      const components = last?.components ?? groups[group]?.components;
      return components === undefined ? null : { deploymentId: `d-${group}`, components };
    },
    deploy: async ({ thingGroup, components, clientToken, onFailure }) => {
      if (!deployments.some((d) => d.token === clientToken))
        deployments.push({ group: thingGroup, components, token: clientToken, onFailure });
      return `d-${clientToken.slice(0, 8)}`;
    },
    things: async (group) => groups[group]?.things ?? [],
    statusOn: async (thing) => statuses.get(thing) ?? null,
  };
  const table: FleetTable = {
    report: async (_site, device) => {
      const r = reports.get(device);
      return r === undefined ? null : { report: r, receivedAt: received.get(device) ?? r.at };
    },
    putReport: async ({ report: r, receivedAt }) => {
      reports.set(r.device, r);
      received.set(r.device, receivedAt);
      return true;
    },
    ring: async (id, ring, deviceClass) => rings.get(`${id}/${ring}/${deviceClass}`) ?? null,
    putRing: async (id, item) => void rings.set(`${id}/${item.ring}/${item.deviceClass}`, item),
    rings: async () => [...rings.values()],
    putApproval: async (releaseId, token) => void approvals.push({ releaseId, token }),
  };
  return { control, table, deployments, recipes, statuses, reports, received, rings, approvals };
};

const G0 = 'local-plant-a-x86-64-ring0';
const G1 = 'local-plant-a-x86-64-ring1';
const ring0 = { ring: 0, deviceClass: 'x86-64', thingGroup: G0 };
const ring1 = { ring: 1, deviceClass: 'x86-64', thingGroup: G1 };

const setUp = async (
  more: {
    champion?: ModelLineRecord['champion'];
    useCase?: typeof useCase;
    groups?: Parameters<typeof fleetOf>[0];
    /** What the registry has of the package; null = it was never judged. */
    registered?: object | null;
  } = {},
) => {
  const artifacts = memoryStore('artifacts');
  const document = more.useCase ?? useCase;
  const theManifest = { ...manifest, useCaseDigest: digestOf(document) };
  await artifacts.put(`${PREFIX}manifest.json`, Buffer.from(JSON.stringify(theManifest)));
  const ledger = memoryLedger();
  ledger.commands.push(
    { ...common, commandId: 'uc', record: { class: 'use-case', id: digestOf(document), body: { ...document } } },
    lineCommand(more.champion ?? null),
    ...(more.registered === null
      ? []
      : [
          {
            ...common,
            commandId: 'package',
            record: {
              class: 'package' as const,
              id: digestOf(theManifest),
              body: { schema: 'package/1', modelLine: LINE, ...more.registered },
            },
          },
        ]),
  );
  const fleet = fleetOf(more.groups ?? { [G0]: { components: runtime, things: ['local-plant-a-edge-1'] } });
  const registry = registryOf(ledger.commands);
  const approve = approveRelease({
    registry,
    ledger: refusingSecondFirsts(ledger),
    artifacts,
    fleet: fleet.table,
    stage: 'local',
    sites,
    isRunning: async () => true,
  });
  const ask = { ...request, packageDigest: digestOf(theManifest) };
  const prepare = (m: Partial<typeof request> | Record<string, unknown> = {}) =>
    approve({ op: 'prepare', execution, request: { ...ask, ...m } }) as Promise<{
      plan: ReleasePlan;
      riskClass: string;
    }>;
  return { artifacts, ledger, registry, fleet, approve, ask, prepare };
};

describe('approve-release', () => {
  test('lists the rings in order and registers the release with its package', async () => {
    const w = await setUp();
    const { plan, riskClass } = await w.prepare();
    expect(riskClass).toBe('automatic');
    expect(plan.rings.map((r) => r.thingGroup)).toEqual([G0, G1, 'local-plant-a-x86-64-ring2']);
    expect(w.ledger.commands.at(-1)).toMatchObject({
      record: { class: 'release', body: { status: 'rolling-out' } },
      edges: [{ rel: 'used', to: `package:${plan.request.packageDigest}` }],
    });
  });
  test.each<[string, Record<string, unknown>, string]>([
    ['a line nobody published', { modelLine: 'other/plant-a' }, 'there is no model line other/plant-a'],
    ['a package that is not what it says', { packageDigest: D('a') }, 'the request names'],
    ['another number than the package has', { releaseNumber: 5 }, 'has release number 4, the request says 5'],
    ['a site the stage does not have', { site: 'plant-z' }, 'has no site plant-z'],
  ])('refuses %s', async (_, more, message) => {
    const w = await setUp();
    await expect(w.prepare(more)).rejects.toMatchObject({ name: 'Refused', message: expect.stringContaining(message) });
  });
  const CHAMPION = { packageDigest: D('c'), packagePrefix: 'p/', releaseNumber: 3, releaseId: 'rel-3' };
  test('holds the package against the champion, and knows where its evaluation expects them to differ', async () => {
    const expectedDisagreement = { share: 0.17, differsOn: ['spindle-103'] };
    const w = await setUp({ champion: CHAMPION, registered: { championPackage: D('c'), expectedDisagreement } });
    expect((await w.prepare()).plan.shadow).toEqual({ champion: D('c'), expected: 0.17, differsOn: ['spindle-103'] });
  });
  test.each([
    ['nothing was measured', {}],
    ['its evaluation had no champion', { championPackage: null, expectedDisagreement: null }],
    [
      'its evaluation had another champion, which was good where this one is',
      { championPackage: D('b'), expectedDisagreement: { share: 0.6, differsOn: ['spindle-103'] } },
    ],
  ])('holds it against the champion by the policy alone when %s', async (_, registered) => {
    const w = await setUp({ champion: CHAMPION, registered });
    expect((await w.prepare()).plan.shadow).toEqual({ champion: D('c'), expected: null, differsOn: [] });
  });
  test('holds it against nothing without a champion, and when it goes back on purpose', async () => {
    expect((await (await setUp()).prepare()).plan.shadow).toBeNull();
    const w = await setUp({ champion: { ...CHAMPION, releaseNumber: 9 } });
    await w.prepare({ revert: true });
    const served = w.ledger.commands.at(-1)?.record.body;
    const body = { ...served, releaseId: 'rel-1', status: 'released' };
    w.ledger.commands.push({ ...common, commandId: 'served', record: { class: 'release', id: 'rel-1', body } });
    expect((await w.prepare({ revert: true })).plan.shadow).toBeNull();
  });
  test('a package that was never released is no way back: it is held against the champion as any other', async () => {
    const w = await setUp({ champion: { ...CHAMPION, releaseNumber: 9 } });
    expect((await w.prepare({ revert: true })).plan.shadow).toMatchObject({ champion: D('c') });
  });
  test('looks at a wave as often as its timeout allows, once a second at most', async () => {
    expect((await (await setUp()).prepare()).plan.pollSeconds).toBe(1);
    const slow = { ...useCase, rollout: { ...useCase.rollout, waveTimeoutSeconds: 86_400 } };
    expect((await (await setUp({ useCase: slow })).prepare()).plan.pollSeconds).toBe(216);
  });
  test('refuses a package that no retrain judged, unless somebody forces it: the record says who', async () => {
    const w = await setUp({ registered: null });
    await expect(w.prepare()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('was never judged'),
    });
    const { plan } = await w.prepare({ forced: true });
    expect(plan.request.reason).toBe('forced by anna: better');
    expect(w.ledger.commands.at(-1)).toMatchObject({ record: { body: { reason: 'forced by anna: better' } } });
  });
  test('a package that was made by hand takes its number: no retrain is given the same again', async () => {
    const w = await setUp({ registered: null });
    const { record } = lineCommand();
    w.ledger.commands.push({
      ...lineCommand(),
      record: { ...record, body: { ...record.body, lastReleaseNumber: 3 } },
    });
    await w.prepare({ forced: true });
    expect(w.ledger.commands.at(-2)).toMatchObject({
      expectVersion: 1,
      record: { class: 'model-line', id: LINE, body: { lastReleaseNumber: 4, champion: null } },
    });
    const written = w.ledger.commands.length;
    await w.prepare({ forced: true });
    expect(w.ledger.commands.slice(written).map((c) => c.record.class)).toEqual(['release']);
  });
  test('a line that changed while a package took its number is looked at again', async () => {
    const w = await setUp({ registered: null });
    const { record } = lineCommand();
    w.ledger.commands.push({
      ...lineCommand(),
      record: { ...record, body: { ...record.body, lastReleaseNumber: 3 } },
    });
    const fails = (error: Error) => {
      w.ledger.write = async () => {
        throw error;
      };
      return w.prepare({ forced: true });
    };
    await expect(fails(Object.assign(new Error('version'), { name: 'VersionConflict' }))).rejects.toMatchObject({
      name: 'TryAgain',
    });
    await expect(fails(new Error('down'))).rejects.toThrow('down');
  });
  test('goes only to the rings that are named; the bench alone makes no champion', async () => {
    const w = await setUp();
    const { plan } = await w.prepare({ rings: [1, 2] });
    expect([plan.rings.map((r) => r.ring), plan.crowns]).toEqual([[1, 2], true]);
    const bench = (await (await setUp()).prepare({ rings: [0] })).plan;
    expect([bench.rings.map((r) => r.ring), bench.crowns]).toEqual([[0], false]);
    await expect((await setUp()).prepare({ rings: [7] })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('names rings 7; at plant-a the use case rolls out to 0, 1, 2'),
    });
  });
  test('refuses a package of another line', async () => {
    const w = await setUp();
    w.ledger.commands.push({
      ...lineCommand(),
      record: { class: 'model-line', id: 'b/plant-a', body: { ...lineCommand().record.body, modelLine: 'b/plant-a' } },
    });
    await expect(w.prepare({ modelLine: 'b/plant-a' })).rejects.toThrow(`is of ${LINE}, not of b/plant-a`);
  });
  test('refuses an expired package', async () => {
    const w = await setUp();
    await expect(
      w.approve({ op: 'prepare', execution: { ...execution, startedAt: '2028-01-01T00:00:00Z' }, request }),
    ).rejects.toThrow('expired');
  });
  test('does not go back from the champion, unless a revert is meant', async () => {
    const champion = { packageDigest: D('c'), packagePrefix: 'p/', releaseNumber: 9, releaseId: 'rel-9' };
    const w = await setUp({ champion });
    await expect(w.prepare()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('would go back'),
    });
    expect((await w.prepare({ revert: true })).plan.request.revert).toBe(true);
  });
  test('refuses a use case whose rings the site does not have', async () => {
    const w = await setUp({ useCase: { ...useCase, rollout: { ...useCase.rollout, rings: [7] } } });
    await expect(w.prepare()).rejects.toThrow('rolls out to rings 7');
  });
  test('refuses while another release of the line rolls out', async () => {
    const w = await setUp();
    await w.prepare();
    await expect(w.prepare({ releaseId: 'rel-5' })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('rel-4 of'),
    });
  });
  /** A ledger whose every write is followed by that of another release of the line. */
  const beside = async (w: Awaited<ReturnType<typeof setUp>>, startedAt: string) => {
    const { plan } = await w.prepare();
    const write = w.ledger.write.bind(w.ledger);
    const first = w.ledger.commands.findLast((c) => c.record.class === 'release');
    w.ledger.commands.splice(w.ledger.commands.indexOf(first as never), 1);
    const body = { ...first?.record.body, releaseId: 'rel-5', startedAt };
    w.ledger.write = async (commands) => {
      const answer = await write(commands);
      await write([{ ...common, commandId: 'other', record: { class: 'release', id: 'rel-5', body } }]);
      return answer;
    };
    return plan;
  };
  test('of two that begin at the same time the one that started first goes on', async () => {
    const [first, second] = [await setUp(), await setUp()];
    await beside(first, '2026-02-01T00:00:00.001Z');
    await expect(first.prepare()).resolves.toMatchObject({ riskClass: 'automatic' });
    await beside(second, '2026-01-31T23:59:59.999Z');
    await expect(second.prepare()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('rel-5 of'),
    });
  });
  const asked = async (more: Parameters<typeof setUp>[0] = {}) => {
    const w = await setUp({ ...more, useCase: { ...useCase, rollout: { ...useCase.rollout, riskClass: 'person' } } });
    const { plan } = await w.prepare();
    const accept = () => w.approve({ op: 'accept', plan, approval: { approvedBy: 'ben', reason: 'seen' } });
    return { ...w, plan, accept };
  };
  test('a word that comes while another release of the line rolls out is too early', async () => {
    const w = await asked();
    const waiting = w.ledger.commands.at(-1)?.record.body;
    const body = { ...waiting, releaseId: 'rel-5', status: 'rolling-out' };
    w.ledger.commands.push({ ...common, commandId: 'other', record: { class: 'release', id: 'rel-5', body } });
    await expect(w.accept()).rejects.toMatchObject({ name: 'Refused', message: expect.stringContaining('rel-5 of') });
    expect(w.ledger.commands.at(-1)?.record.id).toBe('rel-5');
  });
  test.each([
    ['the first one came', undefined],
    ['another one came', CHAMPION],
  ])(
    'a word that comes after %s as champion is too late: the package was held against what served before',
    async (_, champion) => {
      const w = await asked(champion === undefined ? {} : { champion });
      w.ledger.commands.push(lineCommand({ ...CHAMPION, packageDigest: D('d'), releaseId: 'rel-5' }));
      await expect(w.accept()).rejects.toMatchObject({
        name: 'Refused',
        message: expect.stringContaining(`${D('d')} became the champion of ${LINE} while release rel-4 waited`),
      });
    },
  );
  test('the same release in another execution is a duplicate', async () => {
    const w = await setUp();
    await w.prepare();
    await expect(
      w.approve({ op: 'prepare', execution: { ...execution, id: 'arn:other' }, request }),
    ).rejects.toMatchObject({ name: 'Duplicate' });
  });
  test('of two executions of one release that start together, one goes and the other is its duplicate', async () => {
    const w = await setUp();
    const asked = ['e-1', 'e-2'].map((name) =>
      w.approve({ op: 'prepare', execution: { ...execution, name, id: `arn:${name}` }, request: w.ask }),
    );
    expect((await Promise.allSettled(asked)).map((a) => (a.status === 'rejected' ? a.reason.name : 'goes'))).toEqual([
      'goes',
      'Duplicate',
    ]);
  });
  test('a person is asked by token; who asked for the release may not approve it', async () => {
    const w = await setUp({ useCase: { ...useCase, rollout: { ...useCase.rollout, riskClass: 'person' } } });
    const { plan, riskClass } = await w.prepare();
    expect(riskClass).toBe('person');
    expect(w.ledger.commands.at(-1)).toMatchObject({ record: { body: { status: 'waiting-approval' } } });
    await w.approve({ op: 'ask', plan, token: 'token-1' });
    expect(w.fleet.approvals).toEqual([{ releaseId: 'rel-4', token: 'token-1' }]);
    await expect(
      w.approve({ op: 'accept', plan, approval: { approvedBy: 'anna', reason: 'mine' } }),
    ).rejects.toMatchObject({ name: 'Refused', message: expect.stringContaining('two people') });
    expect(await w.approve({ op: 'accept', plan, approval: { approvedBy: 'ben', reason: 'seen' } })).toEqual({
      approvedBy: 'ben',
      reason: 'seen',
    });
    expect(w.ledger.commands.at(-1)).toMatchObject({ record: { body: { approvedBy: 'ben', status: 'rolling-out' } } });
  });
});

describe('publish-component', () => {
  test('makes the version once and then reuses it', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    const publish = publishComponent({ artifacts: w.artifacts, fleet: w.fleet.control });
    expect(await publish({ plan })).toMatchObject({ version: '1.0.4', reused: false });
    expect(await publish({ plan })).toMatchObject({ version: '1.0.4', reused: true });
    const recipe = JSON.parse([...w.fleet.recipes.values()][0] as string);
    expect(recipe.Manifests[0].Artifacts.map((a: { Uri: string }) => a.Uri)).toContain(
      's3://artifacts/packages/x/signature.json',
    );
  });
  test('refuses a version that is there with another package', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    w.fleet.recipes.set(`${plan.componentName}@1.0.4`, `{"packageDigest":"${D('e')}"}`);
    await expect(publishComponent({ artifacts: w.artifacts, fleet: w.fleet.control })({ plan })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('a version is never changed'),
    });
  });
});

const deployer = (w: Awaited<ReturnType<typeof setUp>>) =>
  deployRing({ fleet: w.fleet.control, table: w.fleet.table, ledger: w.ledger, now: () => '2026-02-01T00:00:00.000Z' });

describe('deploy-ring', () => {
  test('places the component, keeps what was there, remembers it, and repeats safely', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    const first = await deployer(w)({ plan, ring: ring0 });
    expect(await deployer(w)({ plan, ring: ring0 })).toEqual(first);
    expect(w.fleet.deployments).toHaveLength(1);
    expect(Object.keys(w.fleet.deployments[0]?.components ?? {})).toEqual(['millwright.runtime', plan.componentName]);
    expect([...w.fleet.rings.values()][0]).toMatchObject({ previous: runtime, deploymentId: first.deploymentId });
    expect(w.ledger.commands.at(-1)).toMatchObject({
      record: { class: 'deployment', id: first.deploymentId },
      edges: [{ rel: 'released-as', to: 'release:rel-4' }],
    });
  });
  test('a try that died after deploying does not take its own deployment for what was there before', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    await deployer(w)({ plan, ring: ring0 });
    const item = [...w.fleet.rings.values()][0] as RingItem;
    await w.fleet.table.putRing('rel-4', { ...item, deploymentId: null });
    await deployer(w)({ plan, ring: ring0 });
    expect([...w.fleet.rings.values()][0]?.previous).toEqual(runtime);
    expect(w.fleet.deployments).toHaveLength(1);
  });
  test('a try that died before its deployment was on record records it when it is repeated', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    const down = { ...w, ledger: memoryLedger(new Error('down')) };
    await expect(deployer(down)({ plan, ring: ring0 })).rejects.toThrow('down');
    const { deploymentId } = await deployer(w)({ plan, ring: ring0 });
    expect(w.ledger.commands.at(-1)).toMatchObject({ record: { class: 'deployment', id: deploymentId } });
    expect(w.fleet.deployments).toHaveLength(1);
  });
  test.each([
    ['was never commissioned', {}],
    ['has no device', { [G0]: { components: runtime, things: [] } }],
  ])('leaves a ring alone that %s', async (_, groups) => {
    const w = await setUp({ groups });
    const { plan } = await w.prepare();
    expect(await deployer(w)({ plan, ring: ring0 })).toMatchObject({ deploymentId: null });
    expect(w.fleet.deployments).toEqual([]);
  });
  test('refuses a ring that has no runtime', async () => {
    const w = await setUp({ groups: { [G0]: { components: { x: { componentVersion: '1.0.0' } }, things: ['t'] } } });
    const { plan } = await w.prepare();
    await expect(deployer(w)({ plan, ring: ring0 })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('has no millwright.runtime'),
    });
  });
  test('has the champion run beside the package for as long as the wave may last', async () => {
    const champion = { packageDigest: D('c'), packagePrefix: 'p/', releaseNumber: 3, releaseId: 'rel-3' };
    const w = await setUp({ champion });
    const { plan } = await w.prepare();
    await deployer(w)({ plan, ring: ring0 });
    const merge = w.fleet.deployments[0]?.components['millwright.runtime']?.configurationUpdate?.merge ?? '';
    expect(JSON.parse(merge).shadow).toEqual({ packageDigest: D('c'), tolerance: '15', batch: '5', seconds: '120' });
  });
  test('a revert names the digest that the runtime may go back to', async () => {
    const w = await setUp();
    const { plan } = await w.prepare({ revert: true });
    await deployer(w)({ plan, ring: ring0 });
    expect(w.fleet.deployments[0]?.components['millwright.runtime']?.configurationUpdate?.merge).toContain(
      `"revertTo":"${plan.request.packageDigest}"`,
    );
  });
});

const report = (more: Partial<DeviceReport> = {}): DeviceReport => ({
  schema: 'device-report/1',
  site: SITE,
  device: 'edge-1',
  deviceClass: 'x86-64',
  boot: 'b-1',
  at: NOW,
  modelLine: LINE,
  serving: { packageDigest, releaseNumber: 4, variant: 'fp32', adoptedAt: NOW, bench: [] },
  sinceAdoption: { decided: 50, undecided: 0, fallback: 0, held: 0, latencyP50Ms: 1, latencyP99Ms: 2 },
  lastRefusal: null,
  spool: { pending: 0, bytes: 0 },
  ...more,
});

describe('observe-ring', () => {
  const deployed = async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    const deployment = await deployer(w)({ plan, ring: ring0 });
    const observe = observeRing({ fleet: w.fleet.control, table: w.fleet.table, stage: 'local', now: () => NOW });
    return { ...w, plan, deployment, observe };
  };
  test('tells the verdict and keeps the whole result in the table', async () => {
    const w = await deployed();
    w.fleet.reports.set('edge-1', report());
    expect(await w.observe({ plan: w.plan, ring: ring0, deployment: w.deployment })).toMatchObject({
      verdict: 'continue',
    });
    expect([...w.fleet.rings.values()][0]?.wave?.devices).toMatchObject([{ device: 'edge-1', status: 'adopted' }]);
  });
  test('reverts on decisions while Greengrass says that all went well', async () => {
    const champion = { packageDigest: D('c'), packagePrefix: 'p/', releaseNumber: 3, releaseId: 'rel-3' };
    const w = await setUp({ champion });
    const { plan } = await w.prepare();
    const deployment = await deployer(w)({ plan, ring: ring0 });
    const observe = observeRing({ fleet: w.fleet.control, table: w.fleet.table, stage: 'local', now: () => NOW });
    w.fleet.statuses.set('local-plant-a-edge-1', { status: 'SUCCEEDED', reason: '' });
    const assets = [{ asset: 'a', batches: [0, 0, 0, 0, 0, 9] }];
    w.fleet.reports.set('edge-1', report({ shadow: { packageDigest: D('c'), frames: 45, assets } }));
    expect(await observe({ plan, ring: ring0, deployment })).toMatchObject({
      verdict: 'revert',
      reasons: [expect.stringContaining('edge-1 and the champion disagree on 100 % of 45 frames')],
    });
    expect([...w.fleet.rings.values()][0]?.wave?.shadow).toMatchObject({ champion: D('c'), batches: 9 });
  });
  test('whether a device is offline is told by when its report came, not by its clock', async () => {
    const w = await deployed();
    w.fleet.reports.set('edge-1', report({ at: '2031-01-01T00:00:00.000Z' }));
    w.fleet.received.set('edge-1', new Date(Date.parse(NOW) - 61_000).toISOString());
    await w.observe({ plan: w.plan, ring: ring0, deployment: w.deployment });
    expect([...w.fleet.rings.values()][0]?.wave?.devices).toMatchObject([{ status: 'offline' }]);
    w.fleet.reports.set('edge-1', report({ at: '2020-01-01T00:00:00.000Z' }));
    w.fleet.received.set('edge-1', NOW);
    await w.observe({ plan: w.plan, ring: ring0, deployment: w.deployment });
    expect([...w.fleet.rings.values()][0]?.wave?.devices).toMatchObject([{ status: 'adopted' }]);
  });
  test('what Greengrass says of a failed deployment reverts', async () => {
    const w = await deployed();
    w.fleet.statuses.set('local-plant-a-edge-1', { status: 'FAILED', reason: 'startup ended with 1' });
    expect(await w.observe({ plan: w.plan, ring: ring0, deployment: w.deployment })).toEqual({
      verdict: 'revert',
      reasons: ['edge-1 failed: startup ended with 1'],
    });
  });
  test('refuses a ring that was not deployed, and a thing of another site', async () => {
    const w = await deployed();
    await expect(w.observe({ plan: w.plan, ring: ring1, deployment: w.deployment })).rejects.toThrow(
      'it was not deployed',
    );
    const stranger = observeRing({
      fleet: { ...w.fleet.control, things: async () => ['local-plant-b-edge-1'] },
      table: w.fleet.table,
      stage: 'local',
      now: () => NOW,
    });
    await expect(stranger({ plan: w.plan, ring: ring0, deployment: w.deployment })).rejects.toThrow(
      'is not of site plant-a',
    );
  });
});

describe('revert-release', () => {
  const groups = {
    [G0]: { components: runtime, things: ['local-plant-a-edge-1'] },
    [G1]: { components: runtime, things: ['local-plant-a-edge-2'] },
  };
  const reverter = (w: Awaited<ReturnType<typeof setUp>>, now = () => NOW) =>
    revertRelease({ fleet: w.fleet.control, table: w.fleet.table, ledger: w.ledger, stage: 'local', now });
  const rolled = async (over = groups) => {
    const w = await setUp({ groups: over });
    const { plan } = await w.prepare();
    await deployer(w)({ plan, ring: ring0 });
    await deployer(w)({ plan, ring: ring1 });
    return { ...w, plan };
  };
  const runtimeOf = (components: Composition | undefined): unknown =>
    JSON.parse(components?.['millwright.runtime']?.configurationUpdate?.merge ?? '');
  test('gives every changed ring what it had, the widest first, and repeats safely', async () => {
    const w = await rolled();
    const revert = reverter(w);
    expect(await revert({ op: 'revert', plan: w.plan })).toEqual({ reverted: 2 });
    const written = w.ledger.commands.length;
    await revert({ op: 'revert', plan: w.plan });
    expect(w.ledger.commands).toHaveLength(written);
    expect(w.fleet.deployments.slice(2).map((d) => [d.group, d.onFailure])).toEqual([
      [G1, 'DO_NOTHING'],
      [G0, 'DO_NOTHING'],
    ]);
    expect(w.fleet.deployments.at(-1)?.components[w.plan.componentName]).toBeUndefined();
  });
  test('tells the runtime which package was taken back, also where there was none before it', async () => {
    const w = await rolled();
    await reverter(w)({ op: 'revert', plan: w.plan });
    expect(runtimeOf(w.fleet.deployments.at(-1)?.components)).toMatchObject({
      revertTo: '',
      withdrawn: w.plan.request.packageDigest,
    });
  });
  test('tells the runtime which package it may go back to', async () => {
    const before = {
      ...runtime,
      [`millwright.model.${LINE.replace('/', '.')}`]: {
        componentVersion: '1.0.3',
        configurationUpdate: { merge: JSON.stringify({ packageDigest: D('b') }) },
      },
    };
    const w = await rolled({ ...groups, [G0]: { components: before, things: ['local-plant-a-edge-1'] } });
    await reverter(w)({ op: 'revert', plan: w.plan });
    expect(runtimeOf(w.fleet.deployments.at(-1)?.components)).toMatchObject({
      revertTo: D('b'),
      withdrawn: w.plan.request.packageDigest,
    });
    expect([...w.fleet.rings.values()].map((r) => r.revert?.back)).toEqual([D('b'), null]);
  });
  test('one ring that cannot be reverted does not keep the others from it', async () => {
    const w = await rolled();
    const deploy: FleetControl['deploy'] = async (o) => {
      if (o.thingGroup === G1) throw new Error('throttled');
      return w.fleet.control.deploy(o);
    };
    await expect(
      reverter({ ...w, fleet: { ...w.fleet, control: { ...w.fleet.control, deploy } } })({
        op: 'revert',
        plan: w.plan,
      }),
    ).rejects.toMatchObject({
      name: 'TryAgain',
      message: expect.stringContaining(`1 rings could not be reverted: ${G1}: throttled`),
    });
    expect(w.fleet.deployments.at(-1)?.group).toBe(G0);
    await reverter(w)({ op: 'revert', plan: w.plan });
    expect(w.fleet.deployments.slice(2).map((d) => d.group)).toEqual([G0, G1]);
  });
  test('waits until the devices confirm, and keeps with the ring who has not', async () => {
    const w = await rolled();
    let now = '2026-02-01T00:00:00.000Z';
    const revert = reverter(w, () => now);
    await revert({ op: 'revert', plan: w.plan });
    const notBack = () => [...w.fleet.rings.values()].flatMap((r) => r.revert?.notBack.map((d) => d.device) ?? []);
    now = NOW;
    const none = { serving: null, at: NOW };
    w.fleet.reports.set('edge-1', report(none));
    w.fleet.reports.set('edge-2', report({ ...none, device: 'edge-2' }));
    w.fleet.statuses.set('local-plant-a-edge-1', { status: 'SUCCEEDED', reason: '' });
    expect(await revert({ op: 'look', plan: w.plan })).toEqual({ verdict: 'wait', notBack: 1 });
    expect(notBack()).toEqual(['edge-2']);
    w.fleet.statuses.set('local-plant-a-edge-2', { status: 'SUCCEEDED', reason: '' });
    expect(await revert({ op: 'look', plan: w.plan })).toEqual({ verdict: 'done', notBack: 0 });
    expect(notBack()).toEqual([]);
  });
  test('has nothing to wait for when no ring was changed', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    expect(await reverter(w)({ op: 'look', plan })).toEqual({ verdict: 'done', notBack: 0 });
  });
});

describe('record-release', () => {
  const ended = async (
    verdict: 'continue' | 'revert' | 'empty',
    state: object = {},
    ledgerError?: Error,
    notBack: NonNullable<RingItem['revert']>['notBack'] = [],
  ) => {
    const w = await setUp();
    const { plan } = await w.prepare();
    const deployment = await deployer(w)({ plan, ring: ring0 });
    const item = [...w.fleet.rings.values()][0] as RingItem;
    await w.fleet.table.putRing('rel-4', {
      ...item,
      wave: {
        ring: 0,
        thingGroup: G0,
        deploymentId: deployment.deploymentId,
        verdict,
        devices: [],
        reasons: ['because'],
      },
      revert: { deploymentId: 'd-back', revertedAt: NOW, back: null, notBack },
    });
    const record = recordRelease({
      registry: w.registry,
      ledger: ledgerError === undefined ? w.ledger : memoryLedger(ledgerError),
      table: w.fleet.table,
      now: () => NOW,
    });
    const before = w.ledger.commands.length;
    const answer = await record({
      execution,
      state: { ...plan.request, prepared: { plan }, approval: { approvedBy: 'ben', reason: 'ok' }, ...state },
    });
    return { answer, commands: w.ledger.commands.slice(before) as LedgerRequest['commands'] };
  };
  test('a released package becomes champion, conditionally, and is announced', async () => {
    const { answer, commands } = await ended('continue');
    expect(answer.status).toBe('released');
    expect(commands[0]).toMatchObject({
      expectVersion: 1,
      record: { class: 'model-line', body: { champion: { releaseNumber: 4, releaseId: 'rel-4' } } },
    });
    expect(commands[1]).toMatchObject({
      record: { body: { status: 'released', crowned: true, approvedBy: 'ben' } },
      announce: { type: 'ReleaseFinished', detail: { outcome: 'released' } },
    });
  });
  test('a package that was released to the bench alone is no champion', async () => {
    const w = await setUp();
    const { plan } = await w.prepare({ rings: [0] });
    const wave = { ring: 0, thingGroup: G0, deploymentId: 'd', verdict: 'continue' as const, devices: [], reasons: [] };
    await w.fleet.table.putRing('rel-4', { ...ring0, previous: {}, deploymentId: 'd', deployedAt: NOW, wave });
    const before = w.ledger.commands.length;
    const record = recordRelease({ registry: w.registry, ledger: w.ledger, table: w.fleet.table, now: () => NOW });
    expect(await record({ execution, state: { ...plan.request, prepared: { plan } } })).toMatchObject({
      status: 'released',
    });
    expect(w.ledger.commands.slice(before).map((c) => c.record.class)).toEqual(['release']);
    expect(w.ledger.commands.at(-1)?.record.body).toMatchObject({ crowned: false });
  });
  test('a reverted release touches no champion and says why', async () => {
    const { answer, commands } = await ended('revert', { failed: { Rings: { Error: 'WaveReverted', Cause: 'x' } } });
    expect(answer).toEqual({ status: 'reverted', reason: 'ring 0: because' });
    expect(commands.map((c) => c.record.class)).toEqual(['release']);
  });
  test('a revert that failed reads failed', async () => {
    const { answer } = await ended('revert', {
      failed: {
        Rings: { Error: 'WaveReverted', Cause: 'x' },
        Revert: { Error: 'Error', Cause: '{"errorMessage":"1 rings could not be reverted"}' },
      },
    });
    expect(answer).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('1 rings could not be reverted'),
    });
  });
  test('a device that is offline joins later: the record names it', async () => {
    const away = { device: 'edge-1', why: 'it never reported', online: false };
    const { answer, commands } = await ended('revert', {}, undefined, [away]);
    expect(commands[0]?.record.body).toMatchObject({
      notBack: [{ device: 'edge-1', thingGroup: G0, why: 'it never reported' }],
    });
    expect(answer.reason).toContain('not back: edge-1, it never reported');
  });
  test.each([
    ['that is online and not back', {}, [{ device: 'edge-1', why: 'it serves sha256:x', online: true }]],
    ['nobody could look for', { LookBack: { Error: 'Error', Cause: 'down' } }, []],
  ])('a revert with a device %s reads failed', async (_, failed, notBack) => {
    const state = { failed: { Rings: { Error: 'WaveReverted', Cause: 'x' }, ...failed } };
    const { answer } = await ended('revert', state, undefined, notBack);
    expect(answer).toMatchObject({ status: 'failed', reason: expect.stringMatching(/^ring 0: because/) });
  });
  test('a release whose execution was stopped is failed and crowns nobody, whatever its rings did', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    const wave = {
      ring: 0,
      thingGroup: G0,
      deploymentId: 'd',
      verdict: 'continue' as const,
      devices: [],
      reasons: [],
    };
    await w.fleet.table.putRing('rel-4', { ...ring0, previous: {}, deploymentId: 'd', deployedAt: NOW, wave });
    const before = w.ledger.commands.length;
    const record = recordRelease({ registry: w.registry, ledger: w.ledger, table: w.fleet.table, now: () => NOW });
    const answer = await record({
      source: 'aws.states',
      detail: {
        executionArn: execution.id,
        name: execution.name,
        status: 'ABORTED',
        startDate: Date.parse(execution.startedAt),
        input: JSON.stringify(plan.request),
      },
    });
    expect(answer).toEqual({ status: 'failed', reason: 'Execution: Aborted: someone stopped it' });
    const commands = w.ledger.commands.slice(before) as LedgerRequest['commands'];
    expect(commands).toHaveLength(1);
    expect(commands[0]).toMatchObject({
      commandId: 'release/e-1/finished',
      record: { class: 'release', body: { status: 'failed', waves: [{ ring: 0 }] } },
    });
  });
  test('rings that are all empty release nothing', async () => {
    expect((await ended('empty')).answer).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('no ring has a commissioned device'),
    });
  });
  test('a refusal before anything was prepared is refused in its own words', async () => {
    const w = await setUp();
    const record = recordRelease({ registry: w.registry, ledger: w.ledger, table: w.fleet.table, now: () => NOW });
    const cause = JSON.stringify({ errorMessage: 'the package expired', errorType: 'Refused' });
    expect(
      await record({ execution, state: { ...request, failed: { Approve: { Error: 'Refused', Cause: cause } } } }),
    ).toEqual({ status: 'refused', reason: 'Approve: the package expired' });
  });
  test('a line that changed in between is tried again', async () => {
    const conflict = Object.assign(new Error('version'), { name: 'VersionConflict' });
    await expect(ended('continue', {}, conflict)).rejects.toMatchObject({ name: 'TryAgain' });
    await expect(ended('continue', {}, new Error('down'))).rejects.toThrow('down');
  });
  test('a line that is gone is refused', async () => {
    const w = await setUp();
    const { plan } = await w.prepare();
    await w.fleet.table.putRing('rel-4', {
      ...ring0,
      previous: {},
      deploymentId: 'd',
      deployedAt: NOW,
      wave: { ring: 0, thingGroup: G0, deploymentId: 'd', verdict: 'continue', devices: [], reasons: [] },
    });
    const record = recordRelease({
      registry: { latest: async () => null },
      ledger: w.ledger,
      table: w.fleet.table,
      now: () => NOW,
    });
    await expect(record({ execution, state: { ...plan.request, prepared: { plan } } })).rejects.toMatchObject({
      name: 'Refused',
    });
  });
});

describe('device-report', () => {
  const cameOn = `millwright/local/${SITE}/edge-1/report`;
  const take = async (
    fleet: ReturnType<typeof fleetOf>,
    ledger: ReturnType<typeof memoryLedger>,
    ...bodies: unknown[]
  ) => takeInOrder(fleet, ledger, false, bodies);
  const takeInOrder = async (
    fleet: ReturnType<typeof fleetOf>,
    ledger: ReturnType<typeof memoryLedger>,
    redelivered: boolean,
    bodies: readonly unknown[],
  ) => {
    const log = memoryLog();
    // The queue took them a second apart, whatever the clocks of the devices say.
    const event: SQSEvent = sqsEvent(...bodies);
    for (const [i, record] of event.Records.entries())
      Object.assign(record, { attributes: { SentTimestamp: String(Date.parse(NOW) + 1000 * i) } });
    if (redelivered) event.Records.reverse();
    const answer = await deviceReport({ table: fleet.table, ledger, stage: 'local', log })(event);
    return { failed: answer.batchItemFailures.length, errors: log.errors.map((e) => e.error.message) };
  };
  test('keeps the report, registers an adoption once', async () => {
    const [fleet, ledger] = [fleetOf({}), memoryLedger()];
    await take(fleet, ledger, { ...report(), cameOn }, { ...report({ at: '2026-02-01T00:00:11.000Z' }), cameOn });
    expect(fleet.reports.get('edge-1')?.at).toBe('2026-02-01T00:00:11.000Z');
    expect(ledger.commands).toHaveLength(1);
    expect(ledger.commands[0]).toMatchObject({
      record: { class: 'adoption', body: { packageDigest } },
      edges: [{ to: `package:${packageDigest}` }, { from: `device:${SITE}/edge-1`, rel: 'deployed-to' }],
    });
  });
  test('an older report that is delivered later changes nothing', async () => {
    const [fleet, ledger] = [fleetOf({}), memoryLedger()];
    await takeInOrder(fleet, ledger, true, [
      { ...report({ serving: null }), cameOn },
      { ...report(), cameOn },
    ]);
    expect(fleet.reports.get('edge-1')?.serving).not.toBeNull();
  });
  test('a device whose clock was ahead is heard again once its clock is right', async () => {
    const [fleet, ledger] = [fleetOf({}), memoryLedger()];
    const ahead = report({ at: '2031-01-01T00:00:00.000Z', serving: null });
    await take(fleet, ledger, { ...ahead, cameOn }, { ...report(), cameOn });
    expect(fleet.reports.get('edge-1')).toEqual(report());
    expect(fleet.received.get('edge-1')).toBe(new Date(Date.parse(NOW) + 1000).toISOString());
    expect(ledger.commands).toHaveLength(1);
  });
  test('a report that speaks for another device goes back to the queue, the others do not', async () => {
    const [fleet, ledger] = [fleetOf({}), memoryLedger()];
    const result = await take(
      fleet,
      ledger,
      { ...report({ device: 'edge-2' }), cameOn },
      { ...report(), cameOn },
      { cameOn, schema: 'x' },
      '{',
    );
    expect(result.failed).toBe(3);
    expect(result.errors.join()).toContain(`a message of ${SITE}/edge-2 came on ${cameOn}`);
    expect([...fleet.reports.keys()]).toEqual(['edge-1']);
  });
  test('nothing is kept when the ledger does not take the adoption', async () => {
    const fleet = fleetOf({});
    expect((await take(fleet, memoryLedger(new Error('down')), { ...report(), cameOn })).failed).toBe(1);
    expect(fleet.reports.size).toBe(0);
  });
});
