import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CancelDeploymentCommand,
  CreateComponentVersionCommand,
  CreateDeploymentCommand,
  type CreateDeploymentCommandInput,
  DeleteComponentCommand,
  DeleteCoreDeviceCommand,
  DeleteDeploymentCommand,
  DescribeComponentCommand,
  GetComponentCommand,
  GetComponentVersionArtifactCommand,
  GetCoreDeviceCommand,
  GetDeploymentCommand,
  GetServiceRoleForAccountCommand,
  GreengrassV2Client,
  ListComponentsCommand,
  ListComponentVersionsCommand,
  ListCoreDevicesCommand,
  ListDeploymentsCommand,
  ListEffectiveDeploymentsCommand,
  ListInstalledComponentsCommand,
  ListTagsForResourceCommand,
  ResolveComponentCandidatesCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-greengrassv2';
import {
  AddThingToThingGroupCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { LOCAL_CREDENTIALS, type LocalAws, startAws } from '../../../local/aws/start-aws.ts';
import { DeviceApiError, deviceApiClient } from '../../../local/greengrass/device-api.ts';
import { startGreengrass } from '../../../local/greengrass/start-greengrass.ts';
import { freePort, isAlive, type Service } from '../../../local/shared/service.ts';

jest.setTimeout(120_000);

const PYTHON = join(__dirname, '../../../.venv/bin/python');
const IOT = 'arn:aws:iot:us-east-1:000000000000';
const CLASSIC = { platform: { os: 'linux', architecture: 'amd64' }, runtime: 'aws_nucleus_classic' } as const;
const LITE = { ...CLASSIC, runtime: 'aws_nucleus_lite' } as const;

let stateDir: string;
let aws: LocalAws;
let greengrass: Service;
let gg: GreengrassV2Client;
let iot: IoTClient;
let s3: S3Client;

const start = async (): Promise<void> => {
  greengrass = await startGreengrass({ stateDir, port: await freePort(), awsUrl: aws.url });
  gg = new GreengrassV2Client({ endpoint: greengrass.url, region: 'us-east-1', credentials: LOCAL_CREDENTIALS });
};

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'mw-gg-'));
  aws = await startAws({ stateDir, port: await freePort(), mqttPort: await freePort() });
  const client = { endpoint: aws.url, region: 'us-east-1', credentials: LOCAL_CREDENTIALS };
  iot = new IoTClient(client);
  s3 = new S3Client({ ...client, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'artifacts' }));
  await start();
});

afterAll(async () => {
  await greengrass?.stop();
  await aws?.stop();
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
});

const recipe = (name: string, version: string, more: Record<string, unknown> = {}, uris: readonly string[] = []) =>
  new TextEncoder().encode(
    JSON.stringify({
      RecipeFormatVersion: '2020-01-25',
      ComponentName: name,
      ComponentVersion: version,
      ComponentDescription: 'a component',
      ComponentPublisher: 'plant team',
      Manifests: [
        {
          Platform: { os: 'linux', runtime: '*' },
          Lifecycle: { run: 'true' },
          Artifacts: uris.map((URI) => ({ URI })),
        },
      ],
      ...more,
    }),
  );
const publish = (name: string, version: string, more: Record<string, unknown> = {}) =>
  gg.send(new CreateComponentVersionCommand({ inlineRecipe: recipe(name, version, more) }));
const refusal = async (ask: Promise<unknown>): Promise<{ name: string; message: string; status: number }> => {
  try {
    await ask;
  } catch (error) {
    const e = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name: e.name, message: e.message, status: e.$metadata?.httpStatusCode ?? 0 };
  }
  throw new Error('expected a refusal');
};
/** A ring of fresh core devices. */
const ring = async (size: number) => {
  const group = `ring-${randomUUID().slice(0, 8)}`;
  await iot.send(new CreateThingGroupCommand({ thingGroupName: group }));
  const things: string[] = [];
  for (let i = 0; i < size; i += 1) things.push(await join_(group, `${group}-edge-${i}`));
  return { group, groupArn: `${IOT}:thinggroup/${group}`, things, first: things[0]! };
};
const join_ = async (group: string, thingName: string): Promise<string> => {
  await iot.send(new CreateThingCommand({ thingName }));
  await iot.send(new AddThingToThingGroupCommand({ thingGroupName: group, thingName }));
  return thingName;
};
const deploy = (
  targetArn: string,
  components: Record<string, string>,
  more: Partial<CreateDeploymentCommandInput> = {},
) =>
  gg.send(
    new CreateDeploymentCommand({
      targetArn,
      components: Object.fromEntries(Object.entries(components).map(([n, v]) => [n, { componentVersion: v }])),
      ...more,
    }),
  );
const device = (thing: string) => deviceApiClient(greengrass.url, thing);
const report = (thing: string, components: readonly { name: string; version: string; isRoot: boolean }[] = []) =>
  device(thing).reportStatus({
    sentAt: 1_700_000_000_000,
    trigger: 'NUCLEUS_LAUNCH',
    status: 'HEALTHY',
    coreVersion: '2.18.2',
    platform: 'linux',
    architecture: 'amd64',
    runtime: 'aws_nucleus_classic',
    components: components.map((c) => ({ ...c, state: 'RUNNING' as const })),
  });
const next = (thing: string, waitMs = 0) => device(thing).nextDeployment({ waitMs, ...CLASSIC });
const finish = async (thing: string, status: 'SUCCEEDED' | 'FAILED' = 'SUCCEEDED') => {
  const pending = await next(thing);
  if (pending === null) throw new Error(`nothing is pending for ${thing}`);
  await device(thing).reportDeployment(pending.deploymentId, { status: 'IN_PROGRESS', reason: '' });
  await device(thing).reportDeployment(pending.deploymentId, { status, reason: status });
  return pending;
};
const effective = async (thing: string) =>
  (await gg.send(new ListEffectiveDeploymentsCommand({ coreDeviceThingName: thing }))).effectiveDeployments ?? [];

describe('components', () => {
  it('keeps a recipe in YAML and gives it back with digests of its artifacts', async () => {
    const bytes = Buffer.from('weights');
    await s3.send(new PutObjectCommand({ Bucket: 'artifacts', Key: 'w/model.zip', Body: bytes }));
    const yaml = [
      'RecipeFormatVersion: 2020-01-25',
      'componentname: yaml.one',
      'ComponentVersion: 1.2.3',
      'ComponentConfiguration: {DefaultConfiguration: {rate: "5"}}',
      'ComponentDependencies: {other: {VersionRequirement: ^1.0.0}}',
      'Manifests:',
      '  - Platform: {os: linux}',
      '    Lifecycle: {startup: {Script: exec node main.mjs, Timeout: 30}}',
      '    Artifacts: [{URI: s3://artifacts/w/model.zip, Unarchive: ZIP}]',
    ].join('\n');
    const made = await gg.send(
      new CreateComponentVersionCommand({ inlineRecipe: Buffer.from(yaml), tags: { a: 'b' } }),
    );
    const got = await gg.send(new GetComponentCommand({ arn: made.arn, recipeOutputFormat: 'JSON' }));
    expect(JSON.parse(Buffer.from(got.recipe!).toString('utf8'))).toMatchObject({
      ComponentName: 'yaml.one',
      ComponentDependencies: { other: { VersionRequirement: '^1.0.0', DependencyType: 'HARD' } },
      Manifests: [
        {
          Artifacts: [
            {
              Uri: 's3://artifacts/w/model.zip',
              Unarchive: 'ZIP',
              Permission: { Read: 'OWNER', Execute: 'NONE' },
              Digest: createHash('sha256').update(bytes).digest('base64'),
              Algorithm: 'SHA-256',
            },
          ],
        },
      ],
    });
    expect(got.tags).toEqual({ a: 'b' });
  });

  it('describes a version as deployable', async () => {
    const { arn } = await publish('described', '1.0.0');
    expect(await gg.send(new DescribeComponentCommand({ arn }))).toMatchObject({
      componentName: 'described',
      componentVersion: '1.0.0',
      publisher: 'plant team',
      status: { componentState: 'DEPLOYABLE' },
      platforms: [{ attributes: { os: 'linux', runtime: '*' } }],
      creationTimestamp: expect.any(Date),
    });
  });

  it('hands out an artifact by a URL that needs no credentials', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'artifacts', Key: 'p/model v1.bin', Body: 'the bytes' }));
    const { arn } = await gg.send(
      new CreateComponentVersionCommand({
        inlineRecipe: recipe('signed', '1.0.0', {}, ['s3://artifacts/p/model v1.bin']),
      }),
    );
    const { preSignedUrl } = await gg.send(
      new GetComponentVersionArtifactCommand({ arn, artifactName: 'model v1.bin' }),
    );
    expect(await (await fetch(preSignedUrl!)).text()).toBe('the bytes');
    expect(
      await refusal(gg.send(new GetComponentVersionArtifactCommand({ arn, artifactName: 'other.bin' }))),
    ).toMatchObject({ name: 'ResourceNotFoundException', status: 404 });
  });

  it('refuses an artifact that is not there', async () => {
    const ask = gg.send(
      new CreateComponentVersionCommand({ inlineRecipe: recipe('lost', '1.0.0', {}, ['s3://artifacts/none']) }),
    );
    expect(await refusal(ask)).toMatchObject({
      name: 'ValidationException',
      status: 400,
      message: expect.stringContaining('s3://artifacts/none'),
    });
  });

  it.each([
    ['an unknown key', { Manifest: [] }, 'recipe.Manifest'],
    ['another format', { RecipeFormatVersion: '2021-01-01' }, 'RecipeFormatVersion'],
    ['a name with a blank', { ComponentName: 'a b' }, 'ComponentName'],
    ['a version that is too large', { ComponentVersion: '1.0.1000000' }, 'ComponentVersion'],
    ['no manifest', { Manifests: [] }, 'Manifests'],
    ['run and startup together', { Manifests: [{ Lifecycle: { run: 'a', Startup: 'b' } }] }, 'run or startup'],
    ['an unknown step key', { Manifests: [{ Lifecycle: { run: { Skript: 'a' } } }] }, 'Skript'],
    ['a range npm does not know', { ComponentDependencies: { x: { VersionRequirement: 'newest' } } }, 'npm range'],
    ['an artifact elsewhere', { Manifests: [{ Artifacts: [{ URI: 'https://x/y' }] }] }, 's3://bucket/key'],
    [
      'two artifacts of one name',
      { Manifests: [{ Artifacts: [{ URI: 's3://a/x/m' }, { URI: 's3://a/y/m' }] }] },
      'two artifacts',
    ],
    ['more than 16 KiB', { ComponentConfiguration: { DefaultConfiguration: { x: 'y'.repeat(16_384) } } }, '16384'],
  ])('refuses a recipe with %s', async (_what, more, words) => {
    expect(await refusal(publish('refused', '1.0.0', more))).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(words),
    });
  });

  it('answers the same clientToken again and refuses the same version under another', async () => {
    const clientToken = randomUUID();
    const inlineRecipe = recipe('twice', '1.0.0');
    const [a, b] = await Promise.all([
      gg.send(new CreateComponentVersionCommand({ inlineRecipe, clientToken })),
      gg.send(new CreateComponentVersionCommand({ inlineRecipe, clientToken })),
    ]);
    const c = await gg.send(new CreateComponentVersionCommand({ inlineRecipe, clientToken }));
    expect([b.creationTimestamp, c.creationTimestamp]).toEqual([a.creationTimestamp, a.creationTimestamp]);
    expect(await refusal(publish('twice', '1.0.0'))).toMatchObject({ name: 'ConflictException', status: 409 });
    const other = gg.send(new CreateComponentVersionCommand({ inlineRecipe: recipe('twice', '1.0.1'), clientToken }));
    expect(await refusal(other)).toMatchObject({ name: 'ConflictException' });
  });

  it('pages through versions, highest first', async () => {
    for (const v of ['1.0.2', '1.0.10', '1.0.9']) await publish('paged', v);
    const arn = 'arn:aws:greengrass:us-east-1:000000000000:components:paged';
    const one = await gg.send(new ListComponentVersionsCommand({ arn, maxResults: 2 }));
    const two = await gg.send(new ListComponentVersionsCommand({ arn, maxResults: 2, nextToken: one.nextToken }));
    const versions = [...one.componentVersions!, ...two.componentVersions!].map((v) => v.componentVersion);
    expect([versions, two.nextToken]).toEqual([['1.0.10', '1.0.9', '1.0.2'], undefined]);
    const strange = gg.send(new ListComponentsCommand({ nextToken: one.nextToken }));
    expect(await refusal(strange)).toMatchObject({ name: 'ValidationException' });
  });

  it('lists each component once, at its latest version', async () => {
    const { components } = await gg.send(new ListComponentsCommand({ scope: 'PRIVATE', maxResults: 100 }));
    const paged = components?.filter((c) => c.componentName === 'paged');
    expect(paged?.map((c) => c.latestVersion?.componentVersion)).toEqual(['1.0.10']);
    expect((await gg.send(new ListComponentsCommand({ scope: 'PUBLIC' }))).components).toEqual([]);
  });

  it('deletes a version', async () => {
    const { arn } = await publish('deleted', '1.0.0');
    await gg.send(new DeleteComponentCommand({ arn }));
    expect(await refusal(gg.send(new DescribeComponentCommand({ arn })))).toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('resolves candidates to the highest version that all requirements and the platform allow', async () => {
    await publish('chosen', '1.0.0');
    await publish('chosen', '1.1.0');
    await publish('chosen', '1.2.0', { Manifests: [{ Platform: { os: 'linux' } }] });
    const resolve = (versionRequirements: Record<string, string>, runtime: string) =>
      gg.send(
        new ResolveComponentCandidatesCommand({
          platform: { attributes: { os: 'linux', runtime } },
          componentCandidates: [{ componentName: 'chosen', versionRequirements }],
        }),
      );
    const versionOf = async (...args: Parameters<typeof resolve>) =>
      (await resolve(...args)).resolvedComponentVersions?.[0]?.componentVersion;
    expect(await versionOf({ a: '>=1.0.0' }, 'aws_nucleus_classic')).toBe('1.2.0');
    expect(await versionOf({ a: '>=1.0.0' }, 'aws_nucleus_lite')).toBe('1.1.0');
    expect(await versionOf({ a: '>=1.0.0', b: '<1.1.0' }, 'aws_nucleus_lite')).toBe('1.0.0');
    expect(await refusal(resolve({ a: '^1.0.0', b: '^2.0.0' }, 'aws_nucleus_lite'))).toMatchObject({
      name: 'ResourceNotFoundException',
      message: expect.stringContaining('^2.0.0 (for b)'),
    });
  });

  it('tags and untags what exists', async () => {
    const { arn: resourceArn } = await publish('tagged', '1.0.0');
    await gg.send(new TagResourceCommand({ resourceArn, tags: { digest: 'sha256:1', x: 'y' } }));
    await gg.send(new UntagResourceCommand({ resourceArn, tagKeys: ['x'] }));
    expect((await gg.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({ digest: 'sha256:1' });
    const none = gg.send(new ListTagsForResourceCommand({ resourceArn: `${resourceArn}9` }));
    expect(await refusal(none)).toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('deployments', () => {
  beforeAll(async () => {
    await publish('base', '1.0.0');
    await publish('base', '1.1.0');
    await publish('app', '1.0.0', { ComponentDependencies: { base: { VersionRequirement: '^1.0.0' } } });
    await publish('app', '1.0.1', { ComponentDependencies: { base: { VersionRequirement: '1.0.0' } } });
  });

  it('reach every device of the group with dependencies first', async () => {
    const { groupArn, things } = await ring(2);
    const { deploymentId } = await deploy(groupArn, { app: '1.0.0' }, { deploymentName: 'first' });
    for (const thing of things) {
      const given = await next(thing);
      expect(given).toMatchObject({ deploymentId, deploymentName: 'first', failureHandlingPolicy: 'ROLLBACK' });
      expect(given?.components.map((c) => [c.name, c.version, c.isRoot])).toEqual([
        ['base', '1.1.0', false],
        ['app', '1.0.0', true],
      ]);
    }
  });

  it('wake a device that waits', async () => {
    const { groupArn, first } = await ring(1);
    const waiting = next(first, 30_000);
    const { deploymentId } = await deploy(groupArn, { base: '1.0.0' });
    expect((await waiting)?.deploymentId).toBe(deploymentId);
  });

  it('are given again until the device says how they ended', async () => {
    const { groupArn, first } = await ring(1);
    const { deploymentId } = await deploy(groupArn, { base: '1.0.0' });
    await report(first);
    await device(first).reportDeployment(deploymentId!, { status: 'IN_PROGRESS', reason: 'begun' });
    expect((await next(first))?.deploymentId).toBe(deploymentId);
    await device(first).reportDeployment(deploymentId!, {
      status: 'FAILED',
      reason: 'FAILED_ROLLBACK_COMPLETE',
      errorStack: ['DEPLOYMENT_FAILURE', 'COMPONENT_BROKEN'],
      errorTypes: ['USER_COMPONENT_ERROR'],
    });
    expect(await next(first)).toBeNull();
    expect(await effective(first)).toMatchObject([
      {
        deploymentId,
        coreDeviceExecutionStatus: 'FAILED',
        reason: 'FAILED_ROLLBACK_COMPLETE',
        statusDetails: { errorStack: ['DEPLOYMENT_FAILURE', 'COMPONENT_BROKEN'], errorTypes: ['USER_COMPONENT_ERROR'] },
      },
    ]);
    const late = device(first).reportDeployment(deploymentId!, { status: 'SUCCEEDED', reason: '' });
    await expect(late).rejects.toMatchObject({ statusCode: 409 });
  });

  it('replace the one before on the same target', async () => {
    const { groupArn, first } = await ring(1);
    await report(first);
    const one = await deploy(groupArn, { app: '1.0.0', base: '1.0.0' });
    const two = await deploy(groupArn, { base: '1.1.0' });
    const given = await next(first);
    expect([given?.deploymentId, Object.keys(given?.rootComponents ?? {})]).toEqual([two.deploymentId, ['base']]);
    expect(await gg.send(new GetDeploymentCommand({ deploymentId: one.deploymentId }))).toMatchObject({
      deploymentStatus: 'INACTIVE',
      isLatestForTarget: false,
      revisionId: '1',
    });
    expect((await effective(first)).map((e) => e.coreDeviceExecutionStatus)).toEqual(['QUEUED', 'CANCELED']);
  });

  it('reach a device that joins the group later', async () => {
    const { group, groupArn } = await ring(0);
    const { deploymentId } = await deploy(groupArn, { base: '1.0.0' });
    const thing = await join_(group, `${group}-late`);
    expect((await next(thing))?.deploymentId).toBe(deploymentId);
  });

  it('merge over the targets of a device, configuration in the order of creation', async () => {
    const { groupArn, first } = await ring(1);
    const thingArn = `${IOT}:thing/${first}`;
    const configured = (merge: object, reset?: string[]) => ({
      components: { base: { componentVersion: '1.0.0', configurationUpdate: { merge: JSON.stringify(merge), reset } } },
    });
    const one = await gg.send(new CreateDeploymentCommand({ targetArn: groupArn, ...configured({ a: '1' }) }));
    await finish(first);
    const two = await gg.send(new CreateDeploymentCommand({ targetArn: thingArn, ...configured({ b: '2' }, ['/c']) }));
    expect((await next(first))?.rootComponents['base']).toEqual({
      versionRequirements: { [groupArn]: '1.0.0', [thingArn]: '1.0.0' },
      configurationUpdates: [
        { deploymentId: one.deploymentId, reset: [], merge: { a: '1' } },
        { deploymentId: two.deploymentId, reset: ['/c'], merge: { b: '2' } },
      ],
      runWith: null,
    });
  });

  it('fail on the device when the versions of two targets do not overlap', async () => {
    const { groupArn, first } = await ring(1);
    await report(first);
    await deploy(groupArn, { base: '1.0.0' });
    await finish(first);
    await deploy(`${IOT}:thing/${first}`, { base: '1.1.0' });
    expect(await next(first)).toBeNull();
    expect((await effective(first))[0]).toMatchObject({
      coreDeviceExecutionStatus: 'FAILED',
      reason: expect.stringContaining('1.1.0'),
      statusDetails: { errorStack: ['DEPLOYMENT_FAILURE', 'NO_AVAILABLE_COMPONENT_VERSION'] },
    });
  });

  it('fail on a lite device when a component has no manifest for it', async () => {
    await publish('classic-only', '1.0.0', { Manifests: [{ Platform: { os: 'linux' } }] });
    const { groupArn, first } = await ring(1);
    await report(first);
    await deploy(groupArn, { 'classic-only': '1.0.0' });
    expect(await device(first).nextDeployment({ waitMs: 0, ...LITE })).toBeNull();
    expect((await effective(first))[0]?.reason).toContain('does not claim compatibility');
  });

  it('hold a dependency to the version that everybody accepts', async () => {
    const { groupArn, first } = await ring(1);
    await deploy(groupArn, { app: '1.0.1' });
    expect((await next(first))?.components.find((c) => c.name === 'base')?.version).toBe('1.0.0');
  });

  it('come once for one clientToken', async () => {
    const { groupArn } = await ring(0);
    const clientToken = randomUUID();
    const a = await deploy(groupArn, { base: '1.0.0' }, { clientToken });
    const b = await deploy(groupArn, { base: '1.0.0' }, { clientToken });
    expect(b.deploymentId).toBe(a.deploymentId);
    const { deployments } = await gg.send(new ListDeploymentsCommand({ targetArn: groupArn, historyFilter: 'ALL' }));
    expect(deployments).toHaveLength(1);
    expect(await refusal(deploy(groupArn, { base: '1.1.0' }, { clientToken }))).toMatchObject({
      name: 'ConflictException',
    });
  });

  it('are listed latest only unless all are asked for, page by page', async () => {
    const { groupArn: targetArn } = await ring(0);
    const ids: (string | undefined)[] = [];
    for (let i = 0; i < 3; i += 1) ids.unshift((await deploy(targetArn, { base: '1.0.0' })).deploymentId);
    const latest = await gg.send(new ListDeploymentsCommand({ targetArn }));
    expect(latest.deployments?.map((d) => d.deploymentId)).toEqual([ids[0]]);
    const one = await gg.send(new ListDeploymentsCommand({ targetArn, historyFilter: 'ALL', maxResults: 2 }));
    const two = await gg.send(
      new ListDeploymentsCommand({ targetArn, historyFilter: 'ALL', maxResults: 2, nextToken: one.nextToken }),
    );
    expect([...one.deployments!, ...two.deployments!].map((d) => d.deploymentId)).toEqual(ids);
  });

  it('of one thing end when the thing has ended', async () => {
    const { first } = await ring(1);
    const { deploymentId } = await deploy(`${IOT}:thing/${first}`, { base: '1.0.0' });
    const status = async () => (await gg.send(new GetDeploymentCommand({ deploymentId }))).deploymentStatus;
    expect(await status()).toBe('ACTIVE');
    await finish(first);
    expect(await status()).toBe('COMPLETED');
  });

  it('are cancelled for those who have not begun and stay with those who have', async () => {
    const { groupArn, things } = await ring(2);
    for (const thing of things) await report(thing);
    const { deploymentId } = await deploy(groupArn, { base: '1.0.0' });
    const active = gg.send(new DeleteDeploymentCommand({ deploymentId }));
    expect(await refusal(active)).toMatchObject({ name: 'ConflictException' });
    await finish(things[0]!);
    await gg.send(new CancelDeploymentCommand({ deploymentId }));
    expect(await next(things[1]!)).toBeNull();
    expect((await effective(things[0]!))[0]?.coreDeviceExecutionStatus).toBe('SUCCEEDED');
    expect((await effective(things[1]!))[0]?.coreDeviceExecutionStatus).toBe('CANCELED');
    await gg.send(new DeleteDeploymentCommand({ deploymentId }));
    expect(await refusal(gg.send(new GetDeploymentCommand({ deploymentId })))).toMatchObject({ status: 404 });
  });

  it('that were replaced cannot be cancelled', async () => {
    const { groupArn } = await ring(0);
    const { deploymentId } = await deploy(groupArn, { base: '1.0.0' });
    await deploy(groupArn, { base: '1.1.0' });
    expect(await refusal(gg.send(new CancelDeploymentCommand({ deploymentId })))).toMatchObject({
      name: 'ConflictException',
    });
  });

  it('stop for the rest of the group when too many devices fail', async () => {
    const { groupArn, things } = await ring(3);
    const { deploymentId } = await deploy(
      groupArn,
      { base: '1.0.0' },
      {
        iotJobConfiguration: {
          abortConfig: {
            criteriaList: [
              { failureType: 'FAILED', action: 'CANCEL', thresholdPercentage: 50, minNumberOfExecutedThings: 2 },
            ],
          },
        },
      },
    );
    await finish(things[0]!, 'FAILED');
    await finish(things[1]!, 'SUCCEEDED');
    expect(await next(things[2]!)).toBeNull();
    expect((await gg.send(new GetDeploymentCommand({ deploymentId }))).deploymentStatus).toBe('CANCELED');
  });

  it.each([
    ['a group that does not exist', { targetArn: `${IOT}:thinggroup/none` }, 'ResourceNotFoundException', 'none'],
    ['a thing that does not exist', { targetArn: `${IOT}:thing/none` }, 'ResourceNotFoundException', 'none'],
    ['another account', { targetArn: 'arn:aws:iot:us-east-1:1:thing/x' }, 'ResourceNotFoundException', 'account'],
    ['no target', { targetArn: undefined }, 'ValidationException', 'targetArn'],
    ['a target of another kind', { targetArn: 'arn:aws:s3:::x' }, 'ValidationException', 'regular expression'],
    [
      'a range for a version',
      { components: { base: { componentVersion: '^1.0.0' } } },
      'ValidationException',
      'one sem',
    ],
    [
      'a merge that is not JSON',
      { components: { base: { componentVersion: '1.0.0', configurationUpdate: { merge: '{' } } } },
      'ValidationException',
      'JSON object',
    ],
    [
      'a reset that is no pointer',
      { components: { base: { componentVersion: '1.0.0', configurationUpdate: { reset: ['a'] } } } },
      'ValidationException',
      'JSON pointers',
    ],
    [
      'an abort action the service lacks',
      {
        iotJobConfiguration: {
          abortConfig: {
            criteriaList: [
              { failureType: 'FAILED', action: 'REVERT', thresholdPercentage: 1, minNumberOfExecutedThings: 1 },
            ],
          },
        },
      },
      'ValidationException',
      'CANCEL',
    ],
    ['a name that is too long', { deploymentName: 'x'.repeat(257) }, 'ValidationException', '256'],
    ['a parent', { parentTargetArn: `${IOT}:thinggroup/p` }, 'ValidationException', 'sub-deployments'],
  ])('are refused for %s', async (_what, more, name, words) => {
    const { groupArn } = await ring(0);
    const ask = gg.send(new CreateDeploymentCommand({ targetArn: groupArn, ...more } as CreateDeploymentCommandInput));
    expect(await refusal(ask)).toMatchObject({ name, message: expect.stringContaining(words) });
  });
});

describe('core devices', () => {
  it('appear with their first status and are filtered by group and status', async () => {
    const { groupArn: thingGroupArn, things } = await ring(3);
    const list = async (more: object = {}) => gg.send(new ListCoreDevicesCommand({ thingGroupArn, ...more }));
    expect((await list()).coreDevices).toEqual([]);
    for (const thing of things) await report(thing);
    const one = await list({ maxResults: 2, status: 'HEALTHY' });
    const two = await list({ maxResults: 2, status: 'HEALTHY', nextToken: one.nextToken });
    expect([...one.coreDevices!, ...two.coreDevices!].map((d) => d.coreDeviceThingName)).toEqual(things);
    expect((await list({ status: 'UNHEALTHY' })).coreDevices).toEqual([]);
    expect((await list({ runtime: 'aws_nucleus_lite' })).coreDevices).toEqual([]);
  });

  it('tell what they are and what runs on them', async () => {
    const { first, groupArn } = await ring(1);
    await publish('installed', '1.0.0');
    const { deploymentId } = await deploy(groupArn, { installed: '1.0.0' });
    await finish(first);
    await report(first, [
      { name: 'installed', version: '1.0.0', isRoot: true },
      { name: 'helper', version: '2.0.0', isRoot: false },
    ]);
    expect(await gg.send(new GetCoreDeviceCommand({ coreDeviceThingName: first }))).toMatchObject({
      coreVersion: '2.18.2',
      status: 'HEALTHY',
      platform: 'linux',
      architecture: 'amd64',
    });
    const installed = async (topologyFilter?: 'ALL') =>
      (await gg.send(new ListInstalledComponentsCommand({ coreDeviceThingName: first, topologyFilter })))
        .installedComponents;
    expect(await installed()).toMatchObject([
      { componentName: 'installed', lifecycleState: 'RUNNING', isRoot: true, lastInstallationSource: deploymentId },
    ]);
    expect((await installed('ALL'))?.map((c) => c.componentName)).toEqual(['helper', 'installed']);
  });

  it('are unknown until they report and after they are deleted', async () => {
    const { first: coreDeviceThingName } = await ring(1);
    const get = () => gg.send(new GetCoreDeviceCommand({ coreDeviceThingName }));
    expect(await refusal(get())).toMatchObject({ name: 'ResourceNotFoundException' });
    await report(coreDeviceThingName);
    await get();
    await gg.send(new DeleteCoreDeviceCommand({ coreDeviceThingName }));
    expect(await refusal(get())).toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(report('no-such-thing')).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('the service', () => {
  it('says what was wrong with a device message', async () => {
    const answer = await fetch(`${greengrass.url}/_device/v1/things/x/status`, { method: 'POST', body: '{"a":1}' });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('sentAt')]);
  });

  it('refuses what is not signed, not JSON, or not rehearsed', async () => {
    const url = `${greengrass.url}/greengrass/v2/deployments`;
    expect((await fetch(url)).status).toBe(403);
    const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/greengrass/aws4_request';
    const bad = await fetch(url, { method: 'POST', body: '{', headers: { authorization } });
    expect([bad.status, bad.headers.get('x-amzn-errortype')]).toEqual([400, 'ValidationException']);
    expect(await refusal(gg.send(new GetServiceRoleForAccountCommand({})))).toMatchObject({
      name: 'UnknownOperationException',
    });
  });

  it('names the control plane that a device cannot reach', async () => {
    const nowhere = deviceApiClient(`http://127.0.0.1:${await freePort()}`, 'edge');
    const ask = nowhere.nextDeployment({ waitMs: 0, ...CLASSIC });
    await expect(ask).rejects.toThrow(DeviceApiError);
    await expect(ask).rejects.toMatchObject({ statusCode: null, message: expect.stringContaining('did not answer') });
  });

  it('speaks to boto3', async () => {
    await publish('for.boto', '1.0.0');
    const script = `
import boto3, json, sys
c = boto3.client('greengrassv2', endpoint_url=sys.argv[1], region_name='us-east-1', aws_access_key_id='test', aws_secret_access_key='test')
d = c.describe_component(arn='arn:aws:greengrass:us-east-1:000000000000:components:for.boto:versions:1.0.0')
try:
    c.get_deployment(deploymentId='none')
except c.exceptions.ResourceNotFoundException as e:
    print(json.dumps([d['componentName'], d['creationTimestamp'].year > 2000, e.response['resourceType']]))
`;
    const { stdout } = await promisify(execFile)(PYTHON, ['-c', script, greengrass.url]);
    expect(JSON.parse(stdout)).toEqual(['for.boto', true, 'deployment']);
  });

  it('remembers everything after a restart and leaves no process behind', async () => {
    const { groupArn, first } = await ring(1);
    await publish('kept', '1.0.0');
    await report(first);
    const { deploymentId } = await deploy(groupArn, { kept: '1.0.0' });
    const { pid } = greengrass;
    await greengrass.stop();
    expect(isAlive(pid)).toBe(false);
    await start();
    expect((await next(first))?.deploymentId).toBe(deploymentId);
    expect((await effective(first))[0]?.coreDeviceExecutionStatus).toBe('QUEUED');
  });

  it('says which Python is missing', async () => {
    const ask = startGreengrass({ stateDir, port: await freePort(), awsUrl: aws.url, python: '/no/python' });
    await expect(ask).rejects.toThrow('/no/python');
  });
});
