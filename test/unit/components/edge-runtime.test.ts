import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DecisionRecord } from '#core/contracts/decision.ts';
import { DeviceReport, FeatureDigest, RuntimeConfig } from '#core/contracts/device.ts';
import { windowOfParts } from '#core/drift/sketch/digest-parts.ts';
import type { ScalarFeature } from '#core/features/engine/feature.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { digestBytes, digestOf } from '#core/lineage/digest.ts';
import { EdgeRuntime } from '../../../greengrass-components/runtime/edge-runtime.ts';
import { PackageStore } from '../../../greengrass-components/runtime/package-store.ts';
import type { RuntimeDeps } from '../../../greengrass-components/runtime/runtime-deps.ts';
import { Spool } from '../../../greengrass-components/shared/spool.ts';
import { storeFeatures } from '../../../lambdas/shared/feature-store.ts';
import { FakeRunner } from '../../support/fake-runner.ts';
import { upload, versionedRegistry, versionedStore } from '../../support/feature-store.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import {
  MODEL_LINE,
  makeFrame,
  makePackage,
  newSigner,
  type PackageOptions,
  writePackage,
} from '../../support/model-package.ts';

const signer = newSigner();

/** A model whose behaviour a test decides; by default the linear model of the test package. */
class ScriptedRunner extends FakeRunner {
  readonly behave: Behaviour;
  constructor(variant: 'fp32' | 'int8', behave: Behaviour) {
    super(variant);
    this.behave = behave;
  }
  run(x: readonly number[]): Promise<number> {
    return this.behave.run(x, this.variant);
  }
  protected p99(): number {
    return this.behave.p99[this.variant];
  }
}
interface Behaviour {
  run: (x: readonly number[], variant: string) => Promise<number>;
  p99: { fp32: number; int8: number };
}
const linear = async (x: readonly number[]): Promise<number> => 100 - 2 * (x[0] as number) - (x[1] as number);

let dir: string;
let spool: Spool;
let behaviour: Behaviour;
let config: RuntimeConfig;
let models: ScriptedRunner[];
let open: EdgeRuntime[];

const newRuntime = async (over: Partial<RuntimeDeps> = {}): Promise<EdgeRuntime> => {
  let n = 0;
  const runtime = new EdgeRuntime({
    spool,
    store: new PackageStore(join(dir, 'store')),
    device: 'edge-1',
    config,
    readConfig: async () => config,
    loadModel: async (variant) => {
      const model = new ScriptedRunner(variant, behaviour);
      models.push(model);
      return model;
    },
    clock: () => Date.parse('2026-06-01T00:00:00.000Z'),
    monotonic: () => performance.now(),
    chance: () => `c${n++}`,
    log: () => {},
    ...over,
  });
  await runtime.start();
  open.push(runtime);
  return runtime;
};
const packageDir = (options: PackageOptions = {}): { dir: string; digest: string } => {
  const p = makePackage(signer, options);
  return { dir: writePackage(join(dir, `package-${p.digest.slice(7, 15)}`), p.files), digest: p.digest };
};
/** Windows that wait to be sent, whole. */
const sentWindows = () =>
  [
    ...Map.groupBy(
      spool
        .messages(50)
        .flatMap((m) => (m.topic.endsWith('/digest') ? [FeatureDigest.parse(JSON.parse(m.payload))] : [])),
      (d) => d.windowStart,
    ).values(),
  ].map((parts) => windowOfParts(parts));
const adopt = (runtime: EdgeRuntime, p: { dir: string; digest: string }) => runtime.adopt(p.dir, p.digest);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-runtime-'));
  spool = new Spool(join(dir, 'spool.db'));
  behaviour = { run: linear, p99: { fp32: 1, int8: 0.5 } };
  models = [];
  open = [];
  config = RuntimeConfig.parse({
    stage: 'local',
    site: 'plant-a',
    deviceClass: 'x86-64',
    modelLine: MODEL_LINE,
    trustedKeys: { [signer.keyId]: signer.publicPem },
    digestEvery: '3',
  });
});
afterEach(() => {
  for (const r of open) r.close();
  spool.close();
  rmSync(dir, { recursive: true });
});

describe('deciding', () => {
  it('answers with the fallback while there is no model, by the contract', async () => {
    const runtime = await newRuntime();
    const record = await runtime.decide(makeFrame(1, 5));
    expect(DecisionRecord.parse(record)).toMatchObject({ verdict: 'fallback', sequence: 1, packageDigest: null });
  });

  it('answers by the model once one was adopted, and says by which', async () => {
    const runtime = await newRuntime();
    const p = packageDir();
    await adopt(runtime, p);
    const record = DecisionRecord.parse(await runtime.decide(makeFrame(1, 5)));
    expect(record).toMatchObject({
      verdict: 'pass',
      value: 85,
      packageDigest: p.digest,
      variant: 'fp32',
      features: [5, 5],
    });
  });

  it('decides on the very vectors that the offline store has of its frames, also after a restart', async () => {
    const p = makePackage(signer);
    const frames = Array.from({ length: 12 }, (_, i) => makeFrame(i + 1, 3 + ((i * 7) % 5)));
    const online: (readonly number[] | null)[] = [];
    for (const part of [frames.slice(0, 5), frames.slice(5)]) {
      const runtime = await newRuntime();
      if (part[0]?.index === 1) await adopt(runtime, packageDir());
      for (const frame of part) online.push((await runtime.decide(frame)).features);
      runtime.close();
    }
    const lake = versionedStore();
    const registry = versionedRegistry();
    for (const part of [frames.slice(0, 3), frames.slice(3)]) await upload({ lake, registry }, part);
    const { site, asset, run } = frames[0] as (typeof frames)[0];
    const definition = { featureSet: p.manifest.featureSet, signals: p.manifest.signals };
    const task = { site, asset, run, first: 1, last: 12, featureSetDigest: p.manifest.featureSetDigest, definition };
    await storeFeatures({ lake, registry }, task);
    const offline = await rowsUnder(lake, 'features', 'features/store/');
    expect(online).toHaveLength(12);
    expect(offline.sort((a, b) => Number(a.index) - Number(b.index)).map((r) => r.x)).toEqual(online);
  });

  it('answers only what is already on the disk', async () => {
    const runtime = await newRuntime();
    const record = await runtime.decide(makeFrame(1, 5));
    expect(spool.find('spindle-1', 'run-1', 1)?.record).toEqual(record);
  });

  it('numbers decisions from 1 without a gap', async () => {
    const runtime = await newRuntime();
    const records = await Promise.all([1, 2, 3, 4, 5].map((i) => runtime.decide(makeFrame(i, 5))));
    expect(records.map((r) => r.sequence)).toEqual([1, 2, 3, 4, 5]);
  });

  it('gives a frame that comes again the same answer, at once and after a restart', async () => {
    const first = await newRuntime();
    const [a, b] = await Promise.all([first.decide(makeFrame(1, 5)), first.decide(makeFrame(1, 5))]);
    expect(b).toEqual(a);
    expect(await first.decide(makeFrame(1, 5))).toEqual(a);
    const second = await newRuntime();
    expect(await second.decide(makeFrame(1, 5))).toEqual(a);
    expect((await second.decide(makeFrame(2, 5))).boot).not.toBe(a.boot);
  });

  it('refuses what is no frame, or of another site', async () => {
    const runtime = await newRuntime();
    expect(() => runtime.decide({})).toThrow('frame does not match its contract');
    expect(() => runtime.decide(makeFrame(1, 5, { site: 'plant-b' }))).toThrow('expected plant-a, got plant-b');
  });

  it('falls back when the model is late, and does not wait for it', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir({ budgetMs: 20 }));
    behaviour.run = () => new Promise(() => {});
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ verdict: 'fallback', variant: null, value: null });
  });

  it('falls back when a signal is bad, and keeps the frame out of the features', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir());
    const bad = makeFrame(1, 5, { signals: { wear: { quality: 'BAD' } } });
    const record = await runtime.decide(bad);
    expect(record).toMatchObject({ verdict: 'fallback', features: null });
    expect(record.reason).toContain('wear_now');
  });

  it('falls back with the reason when the features cannot be computed, also where kept frames fill the windows', async () => {
    const runtime = await newRuntime();
    await runtime.decide(makeFrame(1, 5));
    const broken = jest.spyOn(FEATURES['latest'] as ScalarFeature, 'compute').mockImplementation(() => {
      throw new Error('no such table');
    });
    try {
      expect(await adopt(runtime, packageDir())).toMatchObject({ adopted: true });
      expect(DecisionRecord.parse(await runtime.decide(makeFrame(2, 5)))).toMatchObject({
        verdict: 'fallback',
        features: null,
        reason: 'ask a person: the features could not be computed: no such table',
      });
    } finally {
      broken.mockRestore();
    }
    expect(await runtime.decide(makeFrame(3, 5))).toMatchObject({ verdict: 'pass' });
  });

  it('adopts a package although a frame that is kept cannot be read', async () => {
    const runtime = await newRuntime();
    await runtime.decide(makeFrame(1, 5));
    jest.spyOn(spool, 'kept').mockReturnValueOnce([{ row: 1, asset: 'spindle-1', frame: '{"signals":null}' }]);
    expect(await adopt(runtime, packageDir())).toMatchObject({ adopted: true });
    expect(await runtime.decide(makeFrame(2, 5))).toMatchObject({ verdict: 'pass' });
  });

  it('computes no features for the frames that fill the windows of a package: the line waits meanwhile', async () => {
    const runtime = await newRuntime();
    for (const i of [1, 2]) await runtime.decide(makeFrame(i, 10 * i));
    const compute = jest.spyOn(FEATURES['latest'] as ScalarFeature, 'compute');
    try {
      expect(await adopt(runtime, packageDir())).toMatchObject({ adopted: true });
      expect(compute).not.toHaveBeenCalled();
    } finally {
      compute.mockRestore();
    }
    expect((await runtime.decide(makeFrame(3, 30))) as DecisionRecord).toMatchObject({ features: [30, 20] });
  });

  it('does not use up a sequence that the disk refused', async () => {
    const runtime = await newRuntime();
    const insert = jest.spyOn(spool, 'insertIntent').mockImplementationOnce(() => {
      throw new Error('disk full');
    });
    await expect(runtime.decide(makeFrame(1, 5))).rejects.toThrow('the spool did not take the decision: disk full');
    insert.mockRestore();
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ sequence: 1, index: 1 });
  });

  it('has counted nothing of what the disk refused: neither decisions, nor vectors, nor kept frames', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir());
    for (const i of [1, 2]) await runtime.decide(makeFrame(i, 5));
    const commit = spool.transaction.bind(spool);
    const full = jest.spyOn(spool, 'transaction').mockImplementation((work) =>
      commit(() => {
        work();
        throw new Error('disk full');
      }),
    );
    await expect(runtime.decide(makeFrame(3, 5))).rejects.toThrow('disk full');
    full.mockRestore();
    expect(runtime.status().sinceAdoption.decided).toBe(2);
    expect(spool.messages(50).filter((m) => m.topic.endsWith('/digest'))).toEqual([]);
    for (let i = 3; i <= 70; i++) await runtime.decide(makeFrame(i, 5));
    expect(runtime.status().sinceAdoption.decided).toBe(70);
    expect(spool.kept()).toHaveLength(64);
  });

  it('keeps what it counted when the disk refused a window, and sends it with the next', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir());
    for (const i of [1, 2]) await runtime.decide(makeFrame(i, 5));
    const full = jest.spyOn(spool, 'putMessage').mockImplementationOnce(() => {
      throw new Error('disk full');
    });
    expect(await runtime.decide(makeFrame(3, 5))).toMatchObject({ verdict: 'pass' });
    full.mockRestore();
    await runtime.decide(makeFrame(4, 5));
    const digests = spool.messages(50).filter((m) => m.topic.endsWith('/digest'));
    expect(digests.map((m) => JSON.parse(m.payload))).toMatchObject([{ windowStart: 1, windowEnd: 4 }]);
  });

  it('holds what was under way when the power went, without a gap in the sequence', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir());
    await runtime.decide(makeFrame(1, 5));
    behaviour.run = () => new Promise(() => {});
    runtime.decide(makeFrame(2, 5)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(spool.unfinished().map((d) => d.sequence)).toEqual([2]);
    behaviour.run = linear;
    const again = await newRuntime();
    const held = await again.decide(makeFrame(2, 5));
    expect(DecisionRecord.parse(held)).toMatchObject({ verdict: 'held', sequence: 2, boot: runtime.boot, value: null });
    expect(spool.unfinished()).toEqual([]);
  });

  it('has the same windows after a restart as without one', async () => {
    const p = packageDir();
    const first = await newRuntime();
    await adopt(first, p);
    for (const i of [1, 2]) await first.decide(makeFrame(i, 10 * i));
    const second = await newRuntime();
    const record = await second.decide(makeFrame(3, 30));
    expect(record.features).toEqual([30, 20]);
  });

  it('sends a window after so many decisions, and a report that keeps its contract', async () => {
    const runtime = await newRuntime();
    const p = packageDir();
    await adopt(runtime, p);
    for (let i = 1; i <= 3; i++) await runtime.decide(makeFrame(i, 5));
    expect(sentWindows()).toMatchObject([
      { windowStart: 1, windowEnd: 3, rows: 3, packageDigest: p.digest, boot: runtime.boot, assets: ['spindle-1'] },
    ]);
    expect(sentWindows()[0]?.features).toMatchObject([
      { name: 'wear_now', counts: [3, 0, 0, 0, 0, 0, 0], n: 3, longest: 3, changes: 0, min: 5, max: 5 },
      { name: 'wear_mean', counts: [3, 0, 0, 0, 0, 0, 0] },
    ]);
    expect(DeviceReport.parse(runtime.status()).sinceAdoption).toMatchObject({ decided: 3, fallback: 0 });
  });

  it('sends the window of a context when its last asset leaves it, and counts the next context in another', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir());
    const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
    const seen = ['day', 'day', 'night', 'night', 'night'];
    for (const [i, context] of seen.entries())
      await runtime.decide(makeFrame(i + 1, 5, { context, sourceTime: at(i) }));
    expect(sentWindows()).toMatchObject([
      { context: 'day', rows: 2, windowStart: 1, windowEnd: 2, from: at(0), to: at(1) },
      { context: 'night', rows: 3, windowStart: 3, windowEnd: 5, from: at(2), to: at(4) },
    ]);
  });

  it('sends what it counted for a package that another takes the place of', async () => {
    const runtime = await newRuntime();
    const old = packageDir();
    await adopt(runtime, old);
    await runtime.decide(makeFrame(1, 5));
    await adopt(runtime, packageDir({ releaseNumber: 2 }));
    expect(sentWindows()).toMatchObject([{ rows: 1, packageDigest: old.digest }]);
  });
});

describe('adopting', () => {
  it('takes the fastest admitted variant', async () => {
    const runtime = await newRuntime();
    expect(await adopt(runtime, packageDir({ int8Bias: 0 }))).toMatchObject({ adopted: true, variant: 'int8' });
  });

  it('keeps the old model for what is under way, and closes it afterwards', async () => {
    const runtime = await newRuntime();
    const old = packageDir({ releaseNumber: 1 });
    await adopt(runtime, old);
    let finish: (value: number) => void = () => {};
    behaviour.run = () => new Promise((resolve) => (finish = resolve));
    const underWay = runtime.decide(makeFrame(1, 5));
    const finishOld = finish;
    behaviour.run = linear;
    await adopt(runtime, packageDir({ releaseNumber: 2 }));
    expect(models[0]?.closed).toBe(false);
    finishOld(77);
    expect(await underWay).toMatchObject({ value: 77, packageDigest: old.digest });
    await new Promise((resolve) => setImmediate(resolve));
    expect(models[0]?.closed).toBe(true);
  });

  it('is done already when the package serves', async () => {
    const runtime = await newRuntime();
    const p = packageDir();
    await adopt(runtime, p);
    expect(await adopt(runtime, p)).toMatchObject({ adopted: true, reason: 'already serving' });
  });

  it('goes back only to what the configuration allows, read anew', async () => {
    const runtime = await newRuntime();
    const one = packageDir({ releaseNumber: 1 });
    await adopt(runtime, one);
    await adopt(runtime, packageDir({ releaseNumber: 2 }));
    expect(await adopt(runtime, one)).toMatchObject({ adopted: false, reason: expect.stringContaining('go back') });
    config = { ...config, revertTo: one.digest };
    expect(await adopt(runtime, one)).toMatchObject({ adopted: true });
  });

  it('ends when the device is given to another line: the fallback answers under its name', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir({ releaseNumber: 7 }));
    const served = models[0] as ScriptedRunner;
    runtime.configure({ ...config, modelLine: 'other/plant-a' });
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({
      verdict: 'fallback',
      packageDigest: null,
      modelLine: 'other/plant-a',
    });
    expect(served.closed).toBe(true);
    expect(runtime.status()).toMatchObject({ modelLine: 'other/plant-a', serving: null });
  });

  it('counts release numbers by line: another line begins with its own', async () => {
    const runtime = await newRuntime();
    const first = packageDir({ releaseNumber: 7 });
    await adopt(runtime, first);
    config = { ...config, modelLine: 'other/plant-a' };
    const other = packageDir({ releaseNumber: 1, change: (m) => ({ ...m, modelLine: 'other/plant-a' }) });
    expect(await adopt(runtime, other)).toMatchObject({ adopted: true });
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ modelLine: 'other/plant-a' });
    config = { ...config, modelLine: MODEL_LINE };
    expect(await adopt(runtime, first)).toMatchObject({ reason: expect.stringContaining('go back from 7') });
  });

  it.each<[string, PackageOptions, Partial<Behaviour>, string]>([
    ['golden samples differ', {}, { run: async (x) => (await linear(x)) + 1 }, 'for golden sample 0'],
    ['the model answers NaN', {}, { run: async () => Number.NaN }, 'fp32 gives NaN'],
    ['it is too slow here', { budgetMs: 10 }, { p99: { fp32: 11, int8: 12 } }, 'no variant answers within 10 ms'],
    ['it has expired', { expiresAt: '2026-05-01T00:00:00.000Z' }, {}, 'expired'],
  ])('is refused when %s, and what served goes on', async (_, options, behave, reason) => {
    const runtime = await newRuntime();
    const good = packageDir({ releaseNumber: 1 });
    await adopt(runtime, good);
    behaviour = { ...behaviour, ...behave };
    const answer = await adopt(runtime, packageDir({ releaseNumber: 2, ...options }));
    expect(answer).toMatchObject({ adopted: false, variant: null, reason: expect.stringContaining(reason) });
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ packageDigest: good.digest, verdict: 'pass' });
    expect(runtime.status().lastRefusal?.reason).toContain(reason);
    expect(readdirSync(join(dir, 'store')).filter((name) => name.startsWith('tmp-'))).toEqual([]);
  });

  it('is refused before the switch when the runtime does not have one of its features: the old one serves on', async () => {
    const runtime = await newRuntime();
    const one = packageDir({ releaseNumber: 1 });
    await adopt(runtime, one);
    const two = packageDir({
      releaseNumber: 2,
      change: (manifest) => {
        const features = manifest.featureSet.features.map((f) => ({ ...f, feature: 'cepstrum' }));
        const featureSet = { ...manifest.featureSet, features };
        return { ...manifest, featureSet, featureSetDigest: digestOf(featureSet) };
      },
    });
    expect(await adopt(runtime, two)).toMatchObject({
      adopted: false,
      reason: expect.stringContaining('"cepstrum" is not known here'),
    });
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ verdict: 'pass', packageDigest: one.digest });
  });

  it('leaves out an int8 variant that this processor computes otherwise', async () => {
    behaviour.run = async (x, variant) => (await linear(x)) + (variant === 'int8' ? 5 : 0);
    const answer = await adopt(await newRuntime(), packageDir({ int8Bias: 0 }));
    expect(answer).toMatchObject({ adopted: true, variant: 'fp32', reason: expect.stringContaining('int8 gives') });
  });

  it('is refused when its baseline is not of the features that the model reads', async () => {
    const runtime = await newRuntime();
    const other = {
      ...JSON.parse(Buffer.from(makePackage(signer).files.get('baseline.json') as Uint8Array).toString()),
    };
    other.features = other.features.toReversed();
    const bytes = Buffer.from(JSON.stringify(other));
    const p = makePackage(signer, {
      change: (m) => ({ ...m, baseline: { ...m.baseline, digest: digestBytes(bytes) } }),
    });
    const folder = writePackage(join(dir, 'reversed'), new Map([...p.files, ['baseline.json', bytes]]));
    expect(await adopt(runtime, { dir: folder, digest: p.digest })).toMatchObject({
      adopted: false,
      reason: expect.stringContaining(
        'expected wear_now, wear_mean as the feature set has them, got wear_mean, wear_now',
      ),
    });
  });

  it('is refused when one byte of the model was flipped, or the folder cannot be read', async () => {
    const runtime = await newRuntime();
    const p = packageDir();
    const path = join(p.dir, 'model.fp32.onnx');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(path, bytes);
    expect(await adopt(runtime, p)).toMatchObject({
      adopted: false,
      reason: expect.stringContaining('model.fp32.onnx'),
    });
    expect(await runtime.adopt(join(dir, 'nowhere'), p.digest)).toMatchObject({
      adopted: false,
      reason: expect.stringContaining('ENOENT'),
    });
  });

  it('is refused when the folder holds more files than a package has', async () => {
    const p = packageDir();
    for (let i = 0; i < 40; i++) writeFileSync(join(p.dir, `extra-${i}`), '');
    expect(await adopt(await newRuntime(), p)).toMatchObject({ reason: expect.stringContaining('at most 32 files') });
  });
});

const oneThenTwo = async () => {
  const one = packageDir({ releaseNumber: 1 });
  const two = packageDir({ releaseNumber: 2 });
  const runtime = await newRuntime();
  await adopt(runtime, one);
  await adopt(runtime, two);
  return { runtime, one, two };
};
const reports = () =>
  spool
    .messages(50)
    .filter((m) => m.topic.endsWith('/report'))
    .map((m) => DeviceReport.parse(JSON.parse(m.payload)));
/** Lets a model be loaded that nobody waits for. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 50));

describe('a package that is taken back', () => {
  it('stops deciding at once when there was none before it: the fallback answers, and the report says why', async () => {
    const runtime = await newRuntime();
    const p = packageDir();
    await adopt(runtime, p);
    config = { ...config, withdrawn: p.digest };
    runtime.configure(config);
    expect(DecisionRecord.parse(await runtime.decide(makeFrame(1, 5)))).toMatchObject({
      verdict: 'fallback',
      packageDigest: null,
      reason: expect.stringContaining('taken back'),
    });
    expect(models[0]?.closed).toBe(true);
    expect(reports().at(-1)).toMatchObject({ serving: null, lastRefusal: { packageDigest: p.digest } });
    expect(readdirSync(join(dir, 'store'))).toEqual(['serving.json']);
  });

  it('stays away after a restart, also one that brings the configuration, and cannot be adopted', async () => {
    const p = packageDir();
    await adopt(await newRuntime(), p);
    config = { ...config, withdrawn: p.digest };
    for (let i = 0; i < 2; i++) {
      const again = await newRuntime();
      expect(again.status()).toMatchObject({ serving: null, lastRefusal: { packageDigest: p.digest } });
      expect(await adopt(again, p)).toMatchObject({ adopted: false, reason: expect.stringContaining('took this') });
    }
  });

  it('leaves its place to the one that was there before, without its artifacts, and never takes it again', async () => {
    const { runtime, one, two } = await oneThenTwo();
    config = { ...config, withdrawn: two.digest, revertTo: one.digest };
    runtime.configure(config);
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ verdict: 'fallback', packageDigest: null });
    await settle();
    expect(await runtime.decide(makeFrame(2, 5))).toMatchObject({ verdict: 'pass', packageDigest: one.digest });
    expect(await adopt(runtime, one)).toMatchObject({ adopted: true, reason: 'already serving' });
    config = { ...config, withdrawn: '', revertTo: '' };
    expect(await adopt(runtime, two)).toMatchObject({ adopted: false, reason: expect.stringContaining('go back') });
  });

  it('leaves its place to the one before at a restart that brings the configuration, and to no other', async () => {
    const { one, two } = await oneThenTwo();
    for (const p of [one, two]) rmSync(p.dir, { recursive: true });
    const state = readFileSync(join(dir, 'store', 'serving.json'));
    const old = join(dir, 'store', one.digest.slice(7));
    cpSync(old, join(dir, 'kept'), { recursive: true });
    config = { ...config, withdrawn: two.digest };
    expect((await newRuntime()).status().serving).toBeNull();
    writeFileSync(join(dir, 'store', 'serving.json'), state);
    cpSync(join(dir, 'kept'), old, { recursive: true });
    config = { ...config, revertTo: one.digest };
    expect((await newRuntime()).status().serving?.packageDigest).toBe(one.digest);
  });

  it('does not come into service when it is taken back while it is being adopted', async () => {
    const runtime = await newRuntime();
    const p = packageDir();
    let finish: () => void = () => {};
    behaviour.run = (x) => new Promise((resolve) => (finish = () => resolve(linear(x))));
    const answer = adopt(runtime, p);
    await settle();
    behaviour.run = linear;
    config = { ...config, withdrawn: p.digest };
    runtime.configure(config);
    finish();
    expect(await answer).toMatchObject({ adopted: false, reason: expect.stringContaining('not wanted here') });
    expect(models.every((m) => m.closed)).toBe(true);
    expect(runtime.status().serving).toBeNull();
    expect(readdirSync(join(dir, 'store'))).toEqual([]);
  });

  it('is adopted by the same word anew as another adoption', async () => {
    const { runtime, one, two } = await oneThenTwo();
    config = { ...config, withdrawn: two.digest, revertTo: one.digest };
    runtime.configure(config);
    await settle();
    config = { ...config, withdrawn: '', revertTo: two.digest };
    expect(await adopt(runtime, two)).toMatchObject({ adopted: true });
    expect(runtime.status().lastRefusal).toBeNull();
  });

  it('is no way out for the package that was gone back to', async () => {
    const { runtime, one, two } = await oneThenTwo();
    config = { ...config, revertTo: one.digest };
    await adopt(runtime, one);
    writeFileSync(join(dir, 'store', one.digest.slice(7), 'golden.bin'), 'rot');
    rmSync(one.dir, { recursive: true });
    expect((await newRuntime()).status().serving).toBeNull();
    expect(readdirSync(join(dir, 'store'))).not.toContain(two.digest.slice(7));
  });

  it('of another line is not this device’s business', async () => {
    const runtime = await newRuntime();
    const p = packageDir();
    await adopt(runtime, p);
    runtime.configure({ ...config, withdrawn: `sha256:${'f'.repeat(64)}` });
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ verdict: 'pass', packageDigest: p.digest });
  });
});

describe('coming back', () => {
  it('serves the stored package after a restart', async () => {
    const p = packageDir();
    await adopt(await newRuntime(), p);
    rmSync(p.dir, { recursive: true });
    const again = await newRuntime();
    expect(await again.decide(makeFrame(1, 5))).toMatchObject({ packageDigest: p.digest, value: 85 });
  });

  it('adopts a damaged package again from the artifacts it came from', async () => {
    const { two } = await oneThenTwo();
    writeFileSync(join(dir, 'store', two.digest.slice(7), 'golden.bin'), 'rot');
    const again = await newRuntime();
    expect(await again.decide(makeFrame(1, 5))).toMatchObject({ verdict: 'pass', packageDigest: two.digest });
    rmSync(two.dir, { recursive: true });
    expect((await newRuntime()).status().serving?.packageDigest).toBe(two.digest);
  });

  it('knows the artifacts of the newest weights component, also when it brought the same package', async () => {
    const { runtime, two } = await oneThenTwo();
    const moved = join(dir, 'other-version');
    renameSync(two.dir, moved);
    expect(await runtime.adopt(moved, two.digest)).toMatchObject({ reason: 'already serving' });
    writeFileSync(join(dir, 'store', two.digest.slice(7), 'golden.bin'), 'rot');
    expect((await newRuntime()).status().serving?.packageDigest).toBe(two.digest);
  });

  it('serves the package before it when the stored one is damaged and its artifacts are gone, and says so', async () => {
    const { one, two } = await oneThenTwo();
    writeFileSync(join(dir, 'store', two.digest.slice(7), 'golden.bin'), 'rot');
    rmSync(two.dir, { recursive: true });
    const again = await newRuntime();
    expect((await again.decide(makeFrame(1, 5))).packageDigest).toBe(one.digest);
    expect(again.status().lastRefusal).toMatchObject({
      packageDigest: two.digest,
      reason: expect.stringContaining('damaged'),
    });
    expect((await newRuntime()).status().serving?.packageDigest).toBe(one.digest);
  });

  it.each([
    ['written by an older runtime', (old: object) => JSON.stringify({ ...old, highestRelease: 2 })],
    ['cut off', (old: object) => JSON.stringify(old).slice(0, 40)],
    ['from a newer runtime', (old: object) => JSON.stringify({ ...old, more: true })],
  ])('keeps the champion when the record of what serves is %s', async (_, change) => {
    const { one, two } = await oneThenTwo();
    for (const p of [one, two]) rmSync(p.dir, { recursive: true });
    const path = join(dir, 'store', 'serving.json');
    writeFileSync(path, change(JSON.parse(readFileSync(path, 'utf8'))));
    const again = await newRuntime();
    expect(await again.decide(makeFrame(1, 5))).toMatchObject({ verdict: 'pass', packageDigest: two.digest });
    expect(await adopt(again, packageDir({ releaseNumber: 1, budgetMs: 50 }))).toMatchObject({ adopted: false });
    expect((await newRuntime()).status().serving?.packageDigest).toBe(two.digest);
  });

  it('says so when neither the record nor a package can be read', async () => {
    await oneThenTwo();
    for (const name of readdirSync(join(dir, 'store'))) rmSync(join(dir, 'store', name), { recursive: true });
    writeFileSync(join(dir, 'store', 'serving.json'), '{');
    const { serving, lastRefusal } = (await newRuntime()).status();
    expect(serving).toBeNull();
    expect(lastRefusal?.reason).toContain('no whole package is here');
  });

  it('forgets a copy that was cut off', async () => {
    mkdirSync(join(dir, 'store', 'tmp-half'), { recursive: true });
    await newRuntime();
    expect(readdirSync(join(dir, 'store'))).toEqual([]);
  });

  it('falls back while a crashed model is loaded again, then answers by it', async () => {
    const runtime = await newRuntime();
    await adopt(runtime, packageDir());
    models[0]?.crash();
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ verdict: 'fallback' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await runtime.decide(makeFrame(2, 5))).toMatchObject({ verdict: 'pass' });
  });

  it('goes back to the last good package when a model cannot be loaded any more', async () => {
    const one = packageDir({ releaseNumber: 1 });
    const two = packageDir({ releaseNumber: 2 });
    const runtime = await newRuntime();
    await adopt(runtime, one);
    await adopt(runtime, two);
    writeFileSync(join(dir, 'store', two.digest.slice(7), 'model.fp32.onnx'), 'rot');
    models.at(-1)?.crash();
    for (let i = 0; i < 100 && runtime.status().serving?.packageDigest !== one.digest; i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await runtime.decide(makeFrame(1, 5))).toMatchObject({ packageDigest: one.digest, verdict: 'pass' });
    expect(runtime.status().lastRefusal?.packageDigest).toBe(two.digest);
  });
});
