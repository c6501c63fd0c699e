import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DecisionRecord } from '#core/contracts/decision.ts';
import { DeviceReport, RuntimeConfig } from '#core/contracts/device.ts';
import type { Frame } from '#core/contracts/frame.ts';
import type { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { EdgeRuntime } from '../../../greengrass-components/runtime/edge-runtime.ts';
import { PackageStore } from '../../../greengrass-components/runtime/package-store.ts';
import type { RuntimeDeps } from '../../../greengrass-components/runtime/runtime-deps.ts';
import { Spool } from '../../../greengrass-components/shared/spool.ts';
import { FakeRunner } from '../../support/fake-runner.ts';
import {
  MODEL_LINE,
  makeFrame,
  makePackage,
  newSigner,
  type PackageOptions,
  writePackage,
} from '../../support/model-package.ts';

const signer = newSigner();
const T0 = Date.parse('2026-06-01T00:00:00.000Z');

/** The linear model of a test package; a test may keep its answers back. */
class LinearRunner extends FakeRunner {
  readonly release: number;
  readonly #bias: number;
  /** While set, answers wait for it. */
  gate: Promise<void> | null = null;
  asked = 0;
  constructor(variant: 'fp32' | 'int8', manifest: ModelPackageManifest) {
    super(variant);
    this.release = manifest.releaseNumber;
    this.#bias = manifest.golden.samples[0]?.expected as number;
  }
  async run(x: readonly number[]): Promise<number> {
    this.asked += 1;
    await this.gate;
    return this.#bias - 2 * (x[0] as number) - (x[1] as number);
  }
  protected p99(): number {
    return this.variant === 'int8' ? 0.5 : 1;
  }
}

let dir: string;
let spool: Spool;
let config: RuntimeConfig;
let models: LinearRunner[];
let open: EdgeRuntime[];
let now: number;

const newRuntime = async (over: Partial<RuntimeDeps> = {}): Promise<EdgeRuntime> => {
  let n = 0;
  const runtime = new EdgeRuntime({
    spool,
    store: new PackageStore(join(dir, 'store')),
    device: 'edge-1',
    config,
    readConfig: async () => config,
    loadModel: async (variant, path) => {
      const manifest = JSON.parse(readFileSync(join(dirname(path), 'manifest.json'), 'utf8')) as ModelPackageManifest;
      const model = new LinearRunner(variant, manifest);
      models.push(model);
      return model;
    },
    clock: () => now,
    monotonic: () => performance.now(),
    chance: () => `c${n++}`,
    log: () => {},
    ...over,
  });
  await runtime.start();
  open.push(runtime);
  return runtime;
};
const packageDir = (options: PackageOptions): { dir: string; digest: string } => {
  const p = makePackage(signer, options);
  return { dir: writePackage(join(dir, `package-${p.digest.slice(7, 15)}`), p.files), digest: p.digest };
};
const wait = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));
const shadowOf = (runtime: EdgeRuntime) => DeviceReport.parse(runtime.status()).shadow ?? null;
const decide = async (runtime: EdgeRuntime, from: number, to: number, over: Partial<Frame> = {}) => {
  const records: DecisionRecord[] = [];
  for (let i = from; i <= to; i++) records.push(DecisionRecord.parse(await runtime.decide(makeFrame(i, 5, over))));
  return records;
};
const loaded = (release: number): LinearRunner[] => models.filter((m) => m.release === release && !m.closed);

/** A champion, and a package of another bias that was adopted after it; the release asks for a comparison. */
const champion = () => packageDir({ releaseNumber: 1 });
const challenged = async (bias: number, shadow: Partial<RuntimeConfig['shadow']> = {}, more: PackageOptions = {}) => {
  const runtime = await newRuntime();
  const one = champion();
  const two = packageDir({ releaseNumber: 2, bias, ...more });
  await runtime.adopt(one.dir, one.digest);
  config = { ...config, shadow: { packageDigest: one.digest, tolerance: 10, batch: 5, seconds: 3600, ...shadow } };
  expect(await runtime.adopt(two.dir, two.digest)).toMatchObject({ adopted: true });
  return { runtime, one, two };
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-shadow-'));
  spool = new Spool(join(dir, 'spool.db'));
  models = [];
  open = [];
  now = T0;
  config = RuntimeConfig.parse({
    stage: 'local',
    site: 'plant-a',
    deviceClass: 'x86-64',
    modelLine: MODEL_LINE,
    trustedKeys: { [signer.keyId]: signer.publicPem },
  });
});
afterEach(() => {
  for (const r of open) r.close();
  spool.close();
  rmSync(dir, { recursive: true });
});

describe('the champion beside a package that proves itself', () => {
  it('is asked about every frame from the first one, by the process that served until then', async () => {
    const { runtime, one, two } = await challenged(3);
    const [first] = await decide(runtime, 1, 5);
    expect(first).toMatchObject({
      packageDigest: two.digest,
      value: 88,
      shadow: { packageDigest: one.digest, value: 85, verdict: 'pass' },
    });
    expect(models.filter((m) => m.release === 1)).toHaveLength(1);
    expect(shadowOf(runtime)).toEqual({
      packageDigest: one.digest,
      frames: 5,
      assets: [{ asset: 'spindle-1', batches: [1, 0, 0, 0, 0, 0] }],
    });
  });

  it('is counted as disagreeing beyond the tolerance, batch by batch of each asset', async () => {
    const { runtime } = await challenged(-40);
    await decide(runtime, 1, 7);
    await decide(runtime, 1, 11, { asset: 'spindle-2' });
    expect(shadowOf(runtime)?.assets).toEqual([
      { asset: 'spindle-1', batches: [0, 0, 0, 0, 0, 1] },
      { asset: 'spindle-2', batches: [0, 0, 0, 0, 0, 2] },
    ]);
  });

  it('answers with the variant that it served with', async () => {
    const runtime = await newRuntime();
    const one = packageDir({ releaseNumber: 1, int8Bias: 0 });
    await runtime.adopt(one.dir, one.digest);
    config = { ...config, shadow: { packageDigest: one.digest, tolerance: 10, batch: 5, seconds: 3600 } };
    const two = packageDir({ releaseNumber: 2 });
    await runtime.adopt(two.dir, two.digest);
    expect(loaded(1).map((m) => m.variant)).toEqual(['int8']);
  });

  it('never keeps the line waiting: what it has not said yet is not in the record, and is counted when it comes', async () => {
    const { runtime } = await challenged(3);
    let release: () => void = () => {};
    (loaded(1)[0] as LinearRunner).gate = new Promise((resolve) => (release = resolve));
    const records = await decide(runtime, 1, 5);
    expect(records.map((r) => [r.verdict, r.shadow])).toEqual(new Array(5).fill(['pass', null]));
    expect(shadowOf(runtime)?.frames).toBe(0);
    release();
    await wait();
    expect(shadowOf(runtime)).toMatchObject({ frames: 5, assets: [{ batches: [1, 0, 0, 0, 0, 0] }] });
  });

  it('is not asked about more frames than it can answer', async () => {
    const { runtime } = await challenged(3);
    const slow = loaded(1)[0] as LinearRunner;
    const before = slow.asked;
    slow.gate = new Promise(() => {});
    await decide(runtime, 1, 80);
    expect(slow.asked - before).toBe(64);
  });

  it('is started again when its process dies, and the line does not notice', async () => {
    const { runtime } = await challenged(3);
    loaded(1)[0]?.crash();
    expect((await decide(runtime, 1, 3)).map((r) => r.verdict)).toEqual(['pass', 'pass', 'pass']);
    expect(shadowOf(runtime)?.frames).toBe(0);
    await wait(1100);
    await decide(runtime, 4, 8);
    expect(shadowOf(runtime)).toMatchObject({ frames: 5 });
  });

  it('is given up when it cannot be loaded again and again; what was counted stays in the report', async () => {
    const { runtime, one } = await challenged(3);
    await decide(runtime, 1, 5);
    rmSync(join(dir, 'store', one.digest.slice(7)), { recursive: true });
    loaded(1)[0]?.crash();
    await wait(3300);
    expect(loaded(1)).toEqual([]);
    expect((await decide(runtime, 6, 8)).map((r) => r.shadow)).toEqual([undefined, undefined, undefined]);
    expect(shadowOf(runtime)).toMatchObject({ frames: 5 });
  });

  it('is loaded from the store after a restart in the middle, and counting begins anew', async () => {
    const { runtime } = await challenged(3);
    await decide(runtime, 1, 5);
    const again = await newRuntime();
    await wait();
    expect(shadowOf(again)).toMatchObject({ frames: 0 });
    const [record] = await decide(again, 6, 10);
    expect(record?.shadow).toMatchObject({ value: 85 });
    expect(shadowOf(again)).toMatchObject({ frames: 5, assets: [{ batches: [1, 0, 0, 0, 0, 0] }] });
  });

  it('has its own windows and features when its feature set is another one', async () => {
    const { runtime } = await challenged(
      0,
      {},
      {
        change: (manifest) => {
          const features = manifest.featureSet.features.map((f) => ({ ...f, window: f.window === 3 ? 30 : f.window }));
          const featureSet = { ...manifest.featureSet, features };
          return { ...manifest, featureSet, featureSetDigest: digestOf(featureSet) };
        },
      },
    );
    for (let i = 1; i <= 10; i++) await runtime.decide(makeFrame(i, 3 * i));
    await wait();
    // Mean of wear over 3 and over 30 frames differ by 12 at the tenth frame, by more than 10 from the ninth on.
    expect(shadowOf(runtime)?.assets).toEqual([{ asset: 'spindle-1', batches: [1, 1, 0, 0, 0, 0] }]);
  });

  it('counts a frame on which only one of the two has an answer to give', async () => {
    const { runtime } = await challenged(0);
    (loaded(2)[0] as LinearRunner).run = async () => Number.NaN;
    expect((await decide(runtime, 1, 5))[0]).toMatchObject({ verdict: 'fallback', shadow: { value: 85 } });
    expect(shadowOf(runtime)?.assets[0]?.batches).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it('leaves frames out that the serving model did not answer in time: they are judged as fallback', async () => {
    const { runtime } = await challenged(0, {}, { budgetMs: 5 });
    (loaded(2)[0] as LinearRunner).run = () => new Promise(() => {});
    expect((await decide(runtime, 1, 5)).map((r) => r.verdict)).toEqual(new Array(5).fill('fallback'));
    expect(shadowOf(runtime)?.frames).toBe(0);
  });

  it('leaves frames out that neither has an answer to: they prove no agreement', async () => {
    const { runtime } = await challenged(0);
    expect((await decide(runtime, 1, 5, { signals: { wear: { quality: 'BAD' } } })).map((r) => r.verdict)).toEqual(
      new Array(5).fill('fallback'),
    );
    expect(shadowOf(runtime)?.frames).toBe(0);
  });

  it('ends the process of a champion that hangs, also when the comparison ended meanwhile', async () => {
    const { runtime } = await challenged(0);
    const hung = loaded(1)[0] as LinearRunner;
    hung.gate = new Promise(() => {});
    await decide(runtime, 1, 1);
    runtime.configure({ ...config, shadow: { ...config.shadow, packageDigest: '' } });
    expect(hung.closed).toBe(false);
    await wait(5100);
    expect(hung.closed).toBe(true);
  }, 10_000);

  it('is reported within a second once a batch is complete', async () => {
    const { runtime } = await challenged(0);
    const told = () =>
      spool
        .messages(50)
        .filter((m) => m.topic.endsWith('/report'))
        .map((m) => DeviceReport.parse(JSON.parse(m.payload)).shadow?.frames);
    await decide(runtime, 1, 5);
    expect(told()).not.toContain(5);
    await wait(1050);
    expect(told()).toContain(5);
  });
});

describe('the end of the comparison', () => {
  it('comes by itself after its time, and what was counted stays in the report', async () => {
    const { runtime } = await challenged(0, { seconds: 0.1 });
    await decide(runtime, 1, 5);
    await wait(150);
    expect(loaded(1)).toEqual([]);
    expect((await decide(runtime, 6, 6))[0]).not.toHaveProperty('shadow');
    expect(shadowOf(runtime)).toMatchObject({ frames: 5 });
  });

  it('is not put off by a restart', async () => {
    await challenged(0, { seconds: 60 });
    now += 61_000;
    const again = await newRuntime();
    await wait();
    expect(shadowOf(again)).toBeNull();
  });

  it('comes with a configuration that asks for none', async () => {
    const { runtime } = await challenged(0);
    config = { ...config, shadow: { ...config.shadow, packageDigest: '' } };
    runtime.configure(config);
    expect(loaded(1)).toEqual([]);
    expect(shadowOf(runtime)).toBeNull();
  });

  it('is a new beginning when the tolerance changes', async () => {
    const { runtime } = await challenged(3);
    await decide(runtime, 1, 5);
    config = { ...config, shadow: { ...config.shadow, tolerance: 1 } };
    runtime.configure(config);
    await wait();
    await decide(runtime, 6, 10);
    expect(shadowOf(runtime)?.assets[0]?.batches).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it('has the champion also where another package was tried after it', async () => {
    const { runtime, one } = await challenged(3);
    const three = packageDir({ releaseNumber: 3, bias: 1 });
    expect(await runtime.adopt(three.dir, three.digest)).toMatchObject({ adopted: true });
    await wait();
    await decide(runtime, 1, 5);
    expect(shadowOf(runtime)).toMatchObject({ packageDigest: one.digest, frames: 5 });
  });

  it('has the champion also where a package was taken back while the device was offline', async () => {
    const { runtime, one, two } = await challenged(-40);
    const three = packageDir({ releaseNumber: 3, bias: 1 });
    config = { ...config, withdrawn: two.digest };
    expect(await runtime.adopt(three.dir, three.digest)).toMatchObject({ adopted: true });
    await wait();
    await decide(runtime, 1, 5);
    expect(shadowOf(runtime)).toMatchObject({ packageDigest: one.digest, frames: 5 });
    expect(loaded(2)).toEqual([]);
    expect(new PackageStore(join(dir, 'store')).state().previous?.packageDigest).toBe(one.digest);
  });

  it('comes when the device is given to another line', async () => {
    const { runtime } = await challenged(3);
    runtime.configure({ ...config, modelLine: 'other/plant-a' });
    expect(models.every((m) => m.closed)).toBe(true);
    expect(shadowOf(runtime)).toBeNull();
  });

  it('lets the champion serve again at once when the package is taken back: no frame falls back', async () => {
    const { runtime, one, two } = await challenged(-40);
    await decide(runtime, 1, 3);
    const process = loaded(1)[0];
    config = {
      ...config,
      withdrawn: two.digest,
      revertTo: one.digest,
      shadow: { ...config.shadow, packageDigest: '' },
    };
    runtime.configure(config);
    expect(await decide(runtime, 4, 4)).toMatchObject([{ verdict: 'pass', value: 85, packageDigest: one.digest }]);
    expect(loaded(1)).toEqual([process]);
    expect(loaded(2)).toEqual([]);
    expect(shadowOf(runtime)).toBeNull();
    process?.crash();
    await wait(50);
    expect(await decide(runtime, 5, 5)).toMatchObject([{ verdict: 'pass', packageDigest: one.digest }]);
    expect((await newRuntime()).status().serving?.packageDigest).toBe(one.digest);
  });
});

describe('no comparison', () => {
  it('is possible on a device that never had the champion: the report says null', async () => {
    const runtime = await newRuntime();
    const two = packageDir({ releaseNumber: 2 });
    config = { ...config, shadow: { ...config.shadow, packageDigest: champion().digest } };
    await runtime.adopt(two.dir, two.digest);
    expect((await decide(runtime, 1, 1))[0]).not.toHaveProperty('shadow');
    expect(shadowOf(runtime)).toBeNull();
  });

  it('is made while the champion itself serves', async () => {
    const runtime = await newRuntime();
    const one = champion();
    config = { ...config, shadow: { ...config.shadow, packageDigest: one.digest } };
    await runtime.adopt(one.dir, one.digest);
    await decide(runtime, 1, 5);
    expect(loaded(1)).toHaveLength(1);
    expect(shadowOf(runtime)).toBeNull();
  });
});
