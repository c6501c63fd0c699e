import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateComponentVersionCommand,
  CreateDeploymentCommand,
  GetCoreDeviceCommand,
  GreengrassV2Client,
  ListEffectiveDeploymentsCommand,
  ListInstalledComponentsCommand,
} from '@aws-sdk/client-greengrassv2';
import { AddThingToThingGroupCommand, CreateThingGroupCommand, IoTClient } from '@aws-sdk/client-iot';
import { strToU8, zipSync } from 'fflate';
import type { Device } from '../../../local/greengrass/core-device/start-core-device.ts';
import { startGreengrass } from '../../../local/greengrass/start-greengrass.ts';
import { freePort, type Service } from '../../../local/shared/service.ts';
import { type Cloud, startCloud } from './core-device-fixtures/cloud.ts';

jest.setTimeout(120_000);

const THING = 'local-plant-a-edge-1';
const GROUP = 'local-plant-a-x86-64-ring0';
let cloud: Cloud;
let greengrass: Service;
let client: GreengrassV2Client;
let targetArn: string;
let device: Device;
let root: string;

beforeAll(async () => {
  cloud = await startCloud(THING);
  greengrass = await startGreengrass({ stateDir: cloud.folder, port: await freePort(), awsUrl: cloud.aws.url });
  client = new GreengrassV2Client({ ...cloud.clientOptions, endpoint: greengrass.url });
  const iot = new IoTClient(cloud.clientOptions);
  const group = await iot.send(new CreateThingGroupCommand({ thingGroupName: GROUP }));
  await iot.send(new AddThingToThingGroupCommand({ thingName: THING, thingGroupName: GROUP }));
  iot.destroy();
  targetArn = group.thingGroupArn ?? '';
  root = mkdtempSync(join(tmpdir(), 'mw-dev-'));
  device = await cloud.startDevice(root, greengrass.url, 'classic');
});
afterAll(async () => {
  await device?.stop();
  client?.destroy();
  await greengrass?.stop();
  await cloud?.stop();
  if (root !== undefined) rmSync(root, { recursive: true, force: true });
});

const recipe = (name: string, version: string, uri: string, script: string, dependency?: string): Uint8Array =>
  strToU8(
    JSON.stringify({
      RecipeFormatVersion: '2020-01-25',
      ComponentName: name,
      ComponentVersion: version,
      ...(dependency === undefined
        ? {}
        : { ComponentDependencies: { [dependency]: { VersionRequirement: '^1.0.0', DependencyType: 'HARD' } } }),
      Manifests: [
        {
          Platform: { os: 'linux', runtime: '*' },
          Lifecycle: { startup: { Script: script } },
          Artifacts: [{ Uri: uri, Unarchive: 'ZIP', Permission: { Read: 'OWNER', Execute: 'OWNER' } }],
        },
      ],
    }),
  );

const deploy = async (components: Record<string, { componentVersion: string }>): Promise<string> => {
  const { deploymentId } = await client.send(new CreateDeploymentCommand({ targetArn, components }));
  return deploymentId ?? '';
};

const effective = async (deploymentId: string) => {
  for (let tries = 0; tries < 300; tries += 1) {
    const { effectiveDeployments } = await client.send(
      new ListEffectiveDeploymentsCommand({ coreDeviceThingName: THING }),
    );
    const mine = effectiveDeployments?.find((d) => d.deploymentId === deploymentId);
    if (mine !== undefined && !['QUEUED', 'IN_PROGRESS'].includes(mine.coreDeviceExecutionStatus ?? '')) return mine;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${deploymentId} did not end`);
};

describe('a core device under the Greengrass control plane', () => {
  it('installs a root component with its dependency and tells what runs', async () => {
    const uri = await cloud.put('allowed/tool-1.zip', zipSync({ 'tool.sh': strToU8('#!/bin/sh\nexit 0\n') }));
    const run = '{artifacts:decompressedPath}/tool-1/tool.sh';
    await client.send(new CreateComponentVersionCommand({ inlineRecipe: recipe('test.base', '1.0.3', uri, run) }));
    await client.send(
      new CreateComponentVersionCommand({ inlineRecipe: recipe('test.top', '1.0.0', uri, run, 'test.base') }),
    );
    const done = await effective(await deploy({ 'test.top': { componentVersion: '1.0.0' } }));
    expect(done).toMatchObject({ coreDeviceExecutionStatus: 'SUCCEEDED' });
    const { installedComponents } = await client.send(
      new ListInstalledComponentsCommand({ coreDeviceThingName: THING, topologyFilter: 'ALL' }),
    );
    expect(installedComponents).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ componentName: 'test.base', componentVersion: '1.0.3', lifecycleState: 'RUNNING' }),
        expect.objectContaining({ componentName: 'test.top', lifecycleState: 'RUNNING', isRoot: true }),
      ]),
    );
    expect(await client.send(new GetCoreDeviceCommand({ coreDeviceThingName: THING }))).toMatchObject({
      status: 'HEALTHY',
      runtime: 'aws_nucleus_classic',
    });
  });

  it('tells of a rollback with its cause, and keeps the version before', async () => {
    const uri = await cloud.put('allowed/tool-2.zip', zipSync({ 'tool.sh': strToU8('#!/bin/sh\nexit 4\n') }));
    const run = '{artifacts:decompressedPath}/tool-2/tool.sh';
    await client.send(
      new CreateComponentVersionCommand({ inlineRecipe: recipe('test.top', '1.1.0', uri, run, 'test.base') }),
    );
    const failed = await effective(await deploy({ 'test.top': { componentVersion: '1.1.0' } }));
    expect(failed).toMatchObject({ coreDeviceExecutionStatus: 'FAILED' });
    expect(failed.reason).toMatch(/FAILED_ROLLBACK_COMPLETE.*test\.top 1\.1\.0.*exit code 4/);
    const { components } = await device.overview();
    expect(components.find((c) => c.name === 'test.top')).toMatchObject({ version: '1.0.0', state: 'RUNNING' });
  });

  it('gets a deployment made while it was offline once it is back', async () => {
    await device.network(false);
    const id = await deploy({ 'test.base': { componentVersion: '1.0.3' } });
    await device.network(true);
    expect(await effective(id)).toMatchObject({ coreDeviceExecutionStatus: 'SUCCEEDED' });
    expect((await device.overview()).components.map((c) => c.name)).toEqual(['test.base']);
  });
});
