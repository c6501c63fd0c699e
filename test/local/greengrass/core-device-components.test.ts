import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateComponentVersionCommand,
  CreateDeploymentCommand,
  GreengrassV2Client,
  ListEffectiveDeploymentsCommand,
} from '@aws-sdk/client-greengrassv2';
import type { Nucleus } from '../../../local/greengrass/ipc/start-ipc.ts';
import { startGreengrass } from '../../../local/greengrass/start-greengrass.ts';
import { freePort, type Service } from '../../../local/shared/service.ts';
import { BUCKET, type Cloud, startCloud } from './core-device-fixtures/cloud.ts';

jest.setTimeout(180_000);

const THING = 'local-plant-a-edge-1';
const BUILT = join(process.cwd(), '.build/components');
const merges: Readonly<Record<string, object>> = {
  'millwright.runtime': {
    stage: 'local',
    site: 'plant-a',
    deviceClass: 'x86-64',
    modelLine: 'pm/bearing',
    trustedKeys: {},
  },
  'millwright.uplink': { stage: 'local', site: 'plant-a', lakeBucket: BUCKET },
  'millwright.connector-jsonl': { stage: 'local', site: 'plant-a', machines: '{}' },
};
let cloud: Cloud;
let greengrass: Service;
let client: GreengrassV2Client;

beforeAll(async () => {
  if (!existsSync(BUILT)) throw new Error('build the components first: npm run build');
  cloud = await startCloud(THING);
  greengrass = await startGreengrass({ stateDir: cloud.folder, port: await freePort(), awsUrl: cloud.aws.url });
  client = new GreengrassV2Client({ ...cloud.clientOptions, endpoint: greengrass.url });
  for (const name of readdirSync(BUILT)) {
    const folder = join(BUILT, name);
    for (const file of readdirSync(folder).filter((f) => f.endsWith('.zip')))
      await cloud.put(`allowed/${name}/${file}`, readFileSync(join(folder, file)));
    const recipe = readFileSync(join(folder, 'recipe.yaml'), 'utf8')
      .replaceAll('{{version}}', '1.0.1')
      .replaceAll('{{artifacts}}', `s3://${BUCKET}/allowed/${name}/`);
    await client.send(new CreateComponentVersionCommand({ inlineRecipe: Buffer.from(recipe) }));
  }
});
afterAll(async () => {
  client?.destroy();
  await greengrass?.stop();
  await cloud?.stop();
});

describe.each<Nucleus>(['classic', 'lite'])('the code components on a %s device', (nucleus) => {
  it('run, and run again after a pulled plug', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mw-dev-'));
    const start = () => cloud.startDevice(root, greengrass.url, nucleus);
    let device = await start();
    try {
      const { deploymentId } = await client.send(
        new CreateDeploymentCommand({
          targetArn: `arn:aws:iot:us-east-1:000000000000:thing/${THING}`,
          components: Object.fromEntries(
            Object.entries(merges).map(([name, merge]) => [
              name,
              { componentVersion: '1.0.1', configurationUpdate: { merge: JSON.stringify(merge) } },
            ]),
          ),
        }),
      );
      const states = async (): Promise<string> =>
        JSON.stringify(
          (await device.overview()).components
            .filter((c) => c.name.startsWith('millwright.'))
            .map((c) => [c.name, c.state, c.detail]),
        );
      const logs = (): string =>
        readdirSync(join(root, 'logs'))
          .map((f) => readFileSync(join(root, 'logs', f), 'utf8').slice(-1500))
          .join('\n---\n');
      let status = '';
      let reason = '';
      for (let tries = 0; tries < 400 && !['SUCCEEDED', 'FAILED'].includes(status); tries += 1) {
        const answer = await client
          .send(new ListEffectiveDeploymentsCommand({ coreDeviceThingName: THING }))
          .catch(() => undefined);
        const mine = answer?.effectiveDeployments?.find((d) => d.deploymentId === deploymentId);
        status = mine?.coreDeviceExecutionStatus ?? '';
        reason = mine?.reason ?? '';
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      if (status !== 'SUCCEEDED') throw new Error(`${status} ${reason} ${await states()}\n${logs()}`);
      await device.powerOff();
      device = await start();
      const running = JSON.stringify(
        Object.keys(merges)
          .sort()
          .map((name) => [name, 'RUNNING', '']),
      );
      for (let tries = 0; tries < 200; tries += 1) {
        if (JSON.stringify(JSON.parse(await states()).sort()) === running) break;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(JSON.stringify(JSON.parse(await states()).sort())).toBe(running);
    } finally {
      await device.stop();
      rmSync(root, { recursive: true, force: true });
    }
  });
});
