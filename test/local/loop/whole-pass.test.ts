import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  DescribeComponentCommand,
  GetComponentCommand,
  type GreengrassV2Client,
  ListComponentVersionsCommand,
} from '@aws-sdk/client-greengrassv2';
import { S3Client } from '@aws-sdk/client-s3';
import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { DecisionObjectHeader, DecisionRecord } from '#core/contracts/decision.ts';
import { DeviceReport } from '#core/contracts/device.ts';
import { RawObjectRecord } from '#core/contracts/lake.ts';
import type { LocalPlant } from '#core/contracts/local-plant.ts';
import { ModelPackageManifest } from '#core/contracts/model-package.ts';
import type { platformNames } from '#core/contracts/names.ts';
import { modelComponentName } from '#core/contracts/release.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import { digestOf, merkleRoot } from '#core/lineage/digest.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type ObjectStore, s3Store, sha256 } from '../../../lambdas/shared/object-store.ts';
import { NODE, REPOSITORY, until } from '../aws/local-aws.ts';
import { QUIET, StartedPlant } from './started-plant.ts';

const UP_MS = 480_000;

let started: StartedPlant;
let plant: LocalPlant;
let registry: RegistryReader;
let lake: ObjectStore;
let artifacts: ObjectStore;
let db: DynamoDBDocumentClient;
let greengrass: GreengrassV2Client;
let names: ReturnType<typeof platformNames>;
/** The champion of the line: what every other place must name too. */
let champion: NonNullable<ModelLineRecord['champion']>;
let decision: DecisionRecord;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const processesOf = (p: LocalPlant): number[] => [...p.services, ...p.devices].flatMap(({ pid }) => pid ?? []);

/** Decisions of an uploaded object, held against the root that the device signed them with. */
const decisionsIn = async (key: string): Promise<{ header: DecisionObjectHeader; decisions: DecisionRecord[] }> => {
  const text = Buffer.from(await lake.get(key)).toString('utf8');
  const [first, ...lines] = text.trimEnd().split('\n') as [string, ...string[]];
  const header = DecisionObjectHeader.parse(JSON.parse(first));
  expect(merkleRoot(lines)).toBe(header.merkleRoot);
  return { header, decisions: lines.map((line) => DecisionRecord.parse(JSON.parse(line))) };
};

beforeAll(async () => {
  started = new StartedPlant('--devices', '1');
  const up = await started.up(UP_MS);
  ({ plant, names, db, registry, greengrass, champion } = up);
  const s3 = new S3Client({ ...up.options, forcePathStyle: true });
  lake = s3Store(s3, names.lakeBucket);
  artifacts = s3Store(s3, names.artifactsBucket);
}, UP_MS + 20_000);

afterAll(async () => {
  await started.end();
  // Services end by themselves when the start that they belong to is gone.
  if (plant !== undefined)
    await until(
      () => processesOf(plant).filter(isAlive),
      (left) => left.length === 0,
    );
  started.folder.remove();
}, 90_000);

describe('one package, from the training to the decision', () => {
  it('is what its manifest says, byte for byte', async () => {
    const manifest = JSON.parse(
      Buffer.from(await artifacts.get(`${champion.packagePrefix}manifest.json`)).toString('utf8'),
    );
    expect(digestOf(manifest)).toBe(champion.packageDigest);
    const { variants, golden, baseline } = ModelPackageManifest.parse(manifest);
    for (const { file, digest } of [...variants, golden, baseline])
      expect(sha256(await artifacts.get(`${champion.packagePrefix}${file}`))).toBe(digest);
  });

  it('stands on the record of its training', async () => {
    const runs = await registry.list('training-run');
    expect(runs.map((r) => r.body['packageDigest'])).toEqual([champion.packageDigest]);
  });

  it('is what the released component carries', async () => {
    const { region, account } = plant;
    const arn = `arn:aws:greengrass:${region}:${account}:components:${modelComponentName(plant.modelLine)}`;
    const { componentVersions = [] } = await greengrass.send(new ListComponentVersionsCommand({ arn }));
    expect(componentVersions.map((v) => v.componentVersion)).toEqual([`1.0.${champion.releaseNumber}`]);
    const version = componentVersions[0]?.arn as string;
    const { recipe } = await greengrass.send(new GetComponentCommand({ arn: version, recipeOutputFormat: 'JSON' }));
    const { ComponentConfiguration, Manifests } = JSON.parse(Buffer.from(recipe ?? []).toString('utf8'));
    expect(ComponentConfiguration.DefaultConfiguration.packageDigest).toBe(champion.packageDigest);
    expect(JSON.stringify(Manifests)).toContain(`--digest ${champion.packageDigest}`);
    expect((await greengrass.send(new DescribeComponentCommand({ arn: version }))).status?.componentState).toBe(
      'DEPLOYABLE',
    );
  });

  it('is what each device reports to serve', async () => {
    const { Items = [] } = await db.send(new ScanCommand({ TableName: names.fleetTable.name }));
    const reports = Items.flatMap((item) => {
      const parsed = DeviceReport.safeParse(item['report']);
      return parsed.success ? [parsed.data] : [];
    });
    expect(reports.map((r) => [r.device, r.serving?.packageDigest])).toEqual(
      plant.devices.map((d) => [d.device, champion.packageDigest]),
    );
  });

  it('is what decided, in an object of decisions that is registered', async () => {
    const objects = (await registry.list('decision-object')).filter((o) =>
      (o.body['packageDigests'] as string[]).includes(champion.packageDigest),
    );
    expect(objects.length).toBeGreaterThan(0);
    const { header, decisions } = await decisionsIn(String(objects[0]?.body['key']));
    expect(header.packageDigests).toContain(champion.packageDigest);
    decision = decisions.find((d) => d.packageDigest === champion.packageDigest && d.value !== null) as DecisionRecord;
    expect(decision).toMatchObject({ modelLine: plant.modelLine, device: 'edge-1' });
  });

  it('is what lineage leads to from that decision, and on to raw objects that are still the same bytes', async () => {
    const answer = await started.cli<{
      packageDigest: string;
      truncated: boolean;
      nodes: { node: string }[];
    }>('lineage', decision.id);
    expect(answer).toMatchObject({ packageDigest: champion.packageDigest, truncated: false });
    const nodes = answer.nodes.map((n) => n.node);
    expect(nodes.filter((n) => n.startsWith('package:'))).toEqual([`package:${champion.packageDigest}`]);
    for (const kind of ['training-run:', 'snapshot:', 'evaluation:', 'use-case:', 'plant-event:'])
      expect(nodes.some((n) => n.startsWith(kind))).toBe(true);
    const raw = nodes.filter((n) => n.startsWith('raw-object:')).map((n) => n.slice('raw-object:'.length));
    expect(raw.length).toBeGreaterThan(20);
    for (const key of raw.slice(0, 5)) {
      const record = RawObjectRecord.parse((await registry.latest('raw-object', key))?.body);
      expect(sha256(await lake.get(key, record.versionId))).toBe(record.digest);
    }
  }, 90_000);

  it('is what the explanation of that decision names', async () => {
    const answer = await started.cli<{ decision: DecisionRecord; features: unknown[] }>('explain', decision.id);
    expect(answer.decision).toEqual(decision);
    expect(answer.features).toHaveLength((decision.features as number[]).length);
  }, 90_000);
});

describe('a device that is killed', () => {
  it('is started again and decides by the champion', async () => {
    const objects = async () => (await registry.list('decision-object', { limit: 500 })).map(({ body }) => body);
    const boots = new Set((await objects()).map((body) => body['boot']));
    const [device] = plant.devices;
    process.kill(device?.pid as number, 'SIGKILL');
    await until(
      async () =>
        (await objects()).filter(
          (body) => !boots.has(body['boot']) && (body['packageDigests'] as string[]).includes(champion.packageDigest),
        ),
      (found) => found.length > 0,
      60_000,
    );
    expect(started.told()).toContain(`${device?.device} ended although nobody stopped it; it is started again`);
    plant = started.plant();
    expect(plant.devices[0]?.pid).not.toBe(device?.pid);
  }, 90_000);
});

describe('Ctrl-C', () => {
  it('stops every process of the plant and says so', async () => {
    expect(processesOf(plant).every(isAlive)).toBe(true);
    const gone = once(started.start, 'exit');
    started.start.kill('SIGINT');
    expect(await gone).toEqual([130, null]);
    expect(started.told()).toMatch(/Stopped\.\n$/);
    expect(processesOf(plant).filter(isAlive)).toEqual([]);
    expect(existsSync(join(started.folder.dir, 'plant.json'))).toBe(false);
  }, 60_000);
});

describe('a second start', () => {
  it('goes on with the champion that is there, and ends with exit code 0 when it was asked to end', async () => {
    const { stdout } = await promisify(execFile)(
      NODE,
      [QUIET, 'local/start/main.ts', '--state-dir', started.folder.dir, '--devices', '1', '--once'],
      { cwd: REPOSITORY, timeout: 170_000, killSignal: 'SIGINT' },
    );
    expect(stdout).toContain('serves since an earlier start');
    expect(stdout).toMatch(new RegExp(`^ +package of the pass +${champion.packageDigest}$`, 'm'));
    expect(existsSync(join(started.folder.dir, 'plant.json'))).toBe(false);
  }, 200_000);
});
