import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { Frame } from '#core/contracts/frame.ts';
import type { ModelPackageManifest, PackageSignature } from '#core/contracts/model-package.ts';
import { digestBytes, digestOf } from '#core/lineage/digest.ts';
import { linearOnnx } from './tiny-onnx.ts';

export interface Signer {
  readonly keyId: string;
  readonly publicPem: string;
  readonly privateKey: KeyObject;
}

export const newSigner = (keyId = 'key-1'): Signer => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { keyId, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey };
};

export const MODEL_LINE = 'test-case/plant-a';

export interface PackageOptions {
  readonly releaseNumber?: number;
  readonly bias?: number;
  readonly budgetMs?: number;
  readonly expiresAt?: string;
  /** Changes the manifest before it is signed. */
  readonly change?: (manifest: ModelPackageManifest) => ModelPackageManifest;
  /** Bias of the int8 variant; absent = the package has none. */
  readonly int8Bias?: number;
}

/** Remaining life = 100 − 2 · newest `wear` − mean `wear` over three frames + bias. */
const WEIGHTS = [-2, -1];

/**
 * A signed package of a linear model over two features of the signal `wear`, in memory.
 * @returns its digest, and its files by name.
 */
export const makePackage = (
  signer: Signer,
  options: PackageOptions = {},
): {
  readonly digest: string;
  readonly manifest: ModelPackageManifest;
  readonly files: ReadonlyMap<string, Uint8Array>;
} => {
  const bias = 100 + (options.bias ?? 0);
  const fp32 = linearOnnx(WEIGHTS, bias);
  const int8 = options.int8Bias === undefined ? null : linearOnnx(WEIGHTS, 100 + options.int8Bias);
  const rows = [
    [0, 0],
    [10, 8],
    [30, 28],
  ];
  const golden = new Uint8Array(Float32Array.from(rows.flat()).buffer);
  const featureSet = {
    schema: 'feature-set/1' as const,
    id: 'test-features',
    owner: 'tests',
    description: 'two numbers',
    features: [
      { name: 'wear_now', feature: 'latest', signal: 'wear', window: 1, params: {} },
      { name: 'wear_mean', feature: 'mean', signal: 'wear', window: 3, params: {} },
    ],
  };
  const featureSetDigest = digestOf(featureSet);
  const baseline: BaselineSpec = {
    schema: 'baseline/2',
    featureSetDigest,
    rows: 100,
    windows: { rows: 500, count: 0 },
    features: featureSet.features.map((f) => ({
      name: f.name,
      cells: { kind: 'numeric', edges: [10, 20], atoms: [], range: null, center: 15, scale: 9 },
      counts: [40, 30, 30, 0, 0, 0, 0],
    })),
    joint: null,
    contexts: [],
  };
  const baselineBytes = Buffer.from(JSON.stringify(baseline));
  const variant = (name: 'fp32' | 'int8', bytes: Uint8Array) => ({
    name,
    executor: 'onnxruntime' as const,
    file: `model.${name}.onnx`,
    digest: digestBytes(bytes),
    bytes: bytes.length,
    admitted: true,
    testRmse: 1,
  });
  const whole: ModelPackageManifest = {
    schema: 'model-package/1',
    modelLine: MODEL_LINE,
    releaseNumber: options.releaseNumber ?? 1,
    createdAt: '2026-01-01T00:00:00.000Z',
    expiresAt: options.expiresAt ?? '2999-01-01T00:00:00.000Z',
    owner: 'tests',
    useCaseDigest: digestOf('use case'),
    featureSet,
    featureSetDigest,
    snapshotDigest: digestOf('snapshot'),
    trainingJob: 'job',
    evaluationDigest: digestOf('evaluation'),
    signals: [{ name: 'wear', unit: '1', kind: 'scalar', range: [-1000, 1000] }],
    label: { outcome: 'remaining-useful-life', from: 'failure', cap: 125, unit: 'cycle' },
    indexUnit: 'cycle',
    thresholds: { alarmBelow: 20, undecidedBelow: 30 },
    fallback: { kind: 'hold', message: 'ask a person' },
    latencyBudgetMs: options.budgetMs ?? 500,
    inputEnvelope: [
      [0, 60],
      [0, 60],
    ],
    variants: [variant('fp32', fp32), ...(int8 === null ? [] : [variant('int8', int8)])],
    golden: {
      file: 'golden.bin',
      digest: digestBytes(golden),
      features: 2,
      samples: rows.map((row, i) => ({
        row: i,
        expected: bias + (row[0] as number) * -2 + (row[1] as number) * -1,
      })),
      tolerance: 0.001,
      int8Tolerance: 0.5,
    },
    baseline: { file: 'baseline.json', digest: digestBytes(baselineBytes) },
  };
  const manifest = options.change?.(whole) ?? whole;
  const digest = digestOf(manifest);
  const signature: PackageSignature = {
    schema: 'package-signature/1',
    packageDigest: digest,
    keyId: signer.keyId,
    algorithm: 'ECDSA_SHA_256',
    signature: createSign('sha256').update(digest).sign(signer.privateKey).toString('base64'),
  };
  return {
    digest,
    manifest,
    files: new Map<string, Uint8Array>([
      ['manifest.json', Buffer.from(JSON.stringify(manifest))],
      ['signature.json', Buffer.from(JSON.stringify(signature))],
      ['golden.bin', golden],
      ['baseline.json', baselineBytes],
      ['model.fp32.onnx', fp32],
      ...(int8 === null ? [] : [['model.int8.onnx', int8] as const]),
    ]),
  };
};

/** Writes a package's files into a folder. @returns the folder. */
export const writePackage = (dir: string, files: ReadonlyMap<string, Uint8Array>): string => {
  mkdirSync(dir, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(dir, name), bytes);
  return dir;
};

export const makeFrame = (index: number, wear: number, over: Partial<Frame> = {}): Frame => ({
  schema: 'frame/1',
  site: 'plant-a',
  asset: 'spindle-1',
  run: 'run-1',
  index,
  context: 'default',
  sourceTime: '2026-01-01T00:00:00.000Z',
  receivedTime: '2026-01-01T00:00:00.000Z',
  signals: { wear: { value: wear, quality: 'GOOD' } },
  ...over,
});
