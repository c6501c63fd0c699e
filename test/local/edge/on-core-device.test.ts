import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { DecisionRecord } from '#core/contracts/decision.ts';
import { DeviceReport } from '#core/contracts/device.ts';
import { renderModelRecipe } from '#core/policy/model-recipe.ts';
import { LineClient, runtimeSocketPath } from '../../../greengrass-components/shared/line-socket.ts';
import type { Device } from '../../../local/greengrass/core-device/start-core-device.ts';
import type { Nucleus } from '../../../local/greengrass/ipc/start-ipc.ts';
import { COMPONENTS_OUT } from '../../../scripts/build-components.ts';
import { MODEL_LINE, makeFrame, makePackage, newSigner, type PackageOptions } from '../../support/model-package.ts';
import { type Cloud, startCloud } from '../greengrass/core-device-fixtures/cloud.ts';
import {
  type ComponentSpec,
  ScriptedControlPlane,
  sha256,
} from '../greengrass/core-device-fixtures/scripted-control-plane.ts';
import { buildEdgeComponents, until } from './edge-device.ts';

const THING = 'local-plant-a-edge-1';
const signer = newSigner();
let cloud: Cloud;
const cleanups: (() => Promise<void> | void)[] = [];
beforeAll(async () => {
  buildEdgeComponents();
  cloud = await startCloud(THING);
}, 180_000);
afterAll(() => cloud?.stop());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Recipe {
  readonly ComponentName: string;
  readonly ComponentVersion: string;
  readonly ComponentDependencies?: ComponentSpec['dependencies'];
  readonly ComponentConfiguration?: { readonly DefaultConfiguration: Record<string, unknown> };
  readonly Manifests: readonly {
    readonly Platform: Record<string, string>;
    readonly Lifecycle: Record<string, unknown>;
    readonly Artifacts: readonly { readonly Uri: string }[];
  }[];
}
/** A recipe as the control plane would deliver it, with digests of its artifacts. */
const specOf = (text: string, digests: ReadonlyMap<string, string>, merge?: unknown): ComponentSpec => {
  const recipe = parse(text) as Recipe;
  const [manifest] = recipe.Manifests;
  return {
    name: recipe.ComponentName,
    version: recipe.ComponentVersion,
    defaults: recipe.ComponentConfiguration?.DefaultConfiguration ?? {},
    dependencies: recipe.ComponentDependencies,
    platform: manifest?.Platform ?? {},
    lifecycle: manifest?.Lifecycle ?? {},
    artifacts: (manifest?.Artifacts ?? []).map((a) => ({ ...a, Digest: digests.get(a.Uri), Algorithm: 'SHA-256' })),
    merge,
  };
};
const code = async (name: string, merge: unknown): Promise<ComponentSpec> => {
  const dir = join(COMPONENTS_OUT, name);
  const zip = `${name}-linux-${process.arch}.zip`;
  const bytes = readFileSync(join(dir, zip));
  const uri = await cloud.put(`allowed/${zip}`, bytes);
  const text = readFileSync(join(dir, 'recipe.yaml'), 'utf8')
    .replaceAll('{{version}}', '1.0.1')
    .replaceAll('{{artifacts}}', uri.slice(0, -zip.length));
  return specOf(text, new Map([[uri, sha256(bytes)]]), merge);
};
const weights = async (version: string, options: PackageOptions): Promise<{ spec: ComponentSpec; digest: string }> => {
  const p = makePackage(signer, options);
  const folder = `allowed/${createHash('sha256').update(p.digest).digest('hex').slice(0, 8)}`;
  const digests = new Map<string, string>();
  let artifacts = '';
  for (const [name, bytes] of p.files) {
    const uri = await cloud.put(`${folder}/${name}`, bytes);
    digests.set(uri, sha256(bytes));
    artifacts = uri.slice(0, -name.length);
  }
  const recipe = renderModelRecipe({
    modelLine: MODEL_LINE,
    version,
    packageDigest: p.digest,
    artifacts,
    files: [...p.files.keys()],
  });
  return { spec: specOf(recipe, digests), digest: p.digest };
};

const codeComponents = async (
  said: { revertTo?: string; withdrawn?: string; shadow?: Record<string, string> } = {},
): Promise<ComponentSpec[]> => {
  const common = { stage: 'local', site: 'plant-a' };
  return [
    { name: 'aws.greengrass.TokenExchangeService', version: '2.0.3' },
    await code('runtime', {
      ...common,
      deviceClass: 'x86-64',
      modelLine: MODEL_LINE,
      trustedKeys: { [signer.keyId]: signer.publicPem },
      reportSeconds: '1',
      ...said,
    }),
    await code('uplink', { ...common, lakeBucket: 'lake-bucket' }),
    await code('connector-jsonl', { ...common, machines: '{}' }),
  ];
};

const startDevice = async (nucleus: Nucleus) => {
  const plane = new ScriptedControlPlane();
  await plane.start();
  cleanups.push(() => plane.stop());
  const root = mkdtempSync(join(tmpdir(), 'mw-edge-'));
  cleanups.push(() => rmSync(root, { recursive: true, force: true }));
  const start = async (): Promise<Device> => {
    const device = await cloud.startDevice(root, plane.url, nucleus);
    cleanups.push(() => device.stop());
    return device;
  };
  const device = await start();
  const client = new LineClient(runtimeSocketPath(join(root, 'millwright')));
  cleanups.push(() => client.close());
  const decide = async (index: number) =>
    DecisionRecord.parse(await client.request({ op: 'decide', frame: makeFrame(index, 5) }, 10_000));
  const status = async () => DeviceReport.parse(await client.request({ op: 'status' }, 5000));
  return { plane, start, device, decide, status };
};

describe.each<Nucleus>(['classic', 'lite'])('on a %s nucleus', (nucleus) => {
  it('components come up, a model is adopted, a bad one fails its deployment, and all of it survives a pulled plug', async () => {
    const { plane, start, device, decide, status } = await startDevice(nucleus);
    const parts = await codeComponents();
    expect(await plane.ended(plane.deploy(parts))).toMatchObject({ status: 'SUCCEEDED' });
    expect((await decide(1)).verdict).toBe('fallback');

    const good = await weights('1.0.1', { releaseNumber: 1 });
    expect(await plane.ended(plane.deploy([...parts, good.spec]))).toMatchObject({ status: 'SUCCEEDED' });
    expect(await decide(2)).toMatchObject({ verdict: 'pass', packageDigest: good.digest });

    const bad = await weights('1.0.2', {
      releaseNumber: 2,
      change: (m) => ({
        ...m,
        golden: { ...m.golden, samples: m.golden.samples.map((s) => ({ ...s, expected: s.expected + 1 })) },
      }),
    });
    expect(await plane.ended(plane.deploy([...parts, bad.spec]))).toMatchObject({ status: 'FAILED' });
    expect(await decide(3)).toMatchObject({ verdict: 'pass', packageDigest: good.digest });
    expect((await status()).lastRefusal?.packageDigest).toBe(bad.digest);

    await device.network(false);
    await device.powerOff();
    await start();
    await until('the runtime serves again', async () =>
      decide(4).then(
        (d) => d.packageDigest === good.digest,
        () => false,
      ),
    );
  }, 240_000);

  it('a package whose release was reverted stops deciding, with and without one before it', async () => {
    const { plane, device, start, decide, status } = await startDevice(nucleus);
    const deployed = async (components: readonly ComponentSpec[], policy = {}) =>
      expect(await plane.ended(plane.deploy(components, policy))).toMatchObject({ status: 'SUCCEEDED' });
    const revert = { failureHandlingPolicy: 'DO_NOTHING' } as const;
    const first = await weights('1.0.11', { releaseNumber: 11 });
    const second = await weights('1.0.12', { releaseNumber: 12 });
    const third = await weights('1.0.13', { releaseNumber: 13 });
    const forward = await codeComponents({ revertTo: '', withdrawn: '' });

    await deployed([...forward, first.spec]);
    expect((await decide(1)).packageDigest).toBe(first.digest);
    await deployed(await codeComponents({ revertTo: '', withdrawn: first.digest }), revert);
    // The same frame would get the same answer.
    let index = 100;
    await until('the fallback answers', async () =>
      decide(index++).then(
        (d) => d.verdict === 'fallback' && d.packageDigest === null,
        () => false,
      ),
    );
    expect(await status()).toMatchObject({ serving: null, lastRefusal: { packageDigest: first.digest } });

    await deployed([...forward, second.spec]);
    await deployed([...forward, third.spec]);
    expect((await decide(3)).packageDigest).toBe(third.digest);
    const back = await codeComponents({ revertTo: second.digest, withdrawn: third.digest });
    await deployed([...back, second.spec], revert);
    expect((await decide(4)).packageDigest).toBe(second.digest);

    await device.network(false);
    await device.powerOff();
    await start();
    await until('the package before it serves again', async () =>
      decide(5).then(
        (d) => d.packageDigest === second.digest,
        () => false,
      ),
    );
  }, 240_000);

  it('compares a package with the champion; one that was offline comes back to the champion of a reverted release, and to the package of a good one', async () => {
    const { plane, device, decide, status } = await startDevice(nucleus);
    const shadow = (packageDigest: string) => ({ packageDigest, tolerance: '10', batch: '5', seconds: '120' });
    const champion = await weights('1.0.21', { releaseNumber: 21 });
    const bad = await weights('1.0.22', { releaseNumber: 22, bias: -60 });
    const good = await weights('1.0.23', { releaseNumber: 23, bias: 1 });
    const deploy = async (said: Parameters<typeof codeComponents>[0], spec: ComponentSpec) =>
      plane.deploy([...(await codeComponents(said)), spec], { failureHandlingPolicy: 'DO_NOTHING' });
    const serves = (digest: string) =>
      until(`${digest} serves`, async () =>
        status().then(
          (s) => s.serving?.packageDigest === digest,
          () => false,
        ),
      );
    await plane.ended(await deploy({ revertTo: '', withdrawn: '' }, champion.spec));
    await plane.ended(await deploy({ revertTo: '', withdrawn: '', shadow: shadow(champion.digest) }, bad.spec));
    for (let i = 1; i <= 5; i++) expect(await decide(i)).toMatchObject({ packageDigest: bad.digest });
    await until('five frames are compared', async () => (await status()).shadow?.frames === 5);
    expect((await status()).shadow).toMatchObject({
      packageDigest: champion.digest,
      assets: [{ batches: [0, 0, 0, 0, 0, 1] }],
    });

    await device.network(false);
    const none = { packageDigest: '' };
    await deploy({ revertTo: champion.digest, withdrawn: bad.digest, shadow: none }, champion.spec);
    expect(await decide(6)).toMatchObject({ packageDigest: bad.digest });
    await device.network(true);
    await serves(champion.digest);
    expect(await decide(7)).toMatchObject({ packageDigest: champion.digest, verdict: 'pass' });
    expect((await status()).shadow).toBeNull();

    await device.network(false);
    await deploy({ revertTo: '', withdrawn: '', shadow: shadow(champion.digest) }, good.spec);
    await device.network(true);
    await serves(good.digest);
    expect((await status()).shadow).toMatchObject({ packageDigest: champion.digest });
  }, 240_000);
});
