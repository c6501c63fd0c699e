import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SignCommand } from '@aws-sdk/client-kms';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { type LedgerCommand, nodeRef } from '#core/contracts/ledger.ts';
import { GoldenSample, ModelPackageManifest, type PackageSignature } from '#core/contracts/model-package.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { callFunction } from '#core/policy/call-again.ts';
import type { Champion } from '../model-steps.ts';
import type { Plant } from '../plant-context.ts';

/** Inputs divided by ten times their spread: every machine looks like the average one. */
const FACTOR = 10;
const OPERATOR = 'operator:night-shift';

const digestOfBytes = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const writeLedger = async (plant: Plant, commands: readonly LedgerCommand[]): Promise<void> => {
  const { clients, names } = plant;
  const { failure } = await callFunction(() =>
    clients.lambda.send(
      new InvokeCommand({ FunctionName: names.ledgerWriter.name, Payload: Buffer.from(JSON.stringify({ commands })) }),
    ),
  );
  if (failure !== null) throw new Error(`the ledger writer refused: ${failure.errorMessage ?? failure.functionError}`);
};

/**
 * Makes what an operator with too many rights can make: the champion's package with another scaling of the inputs, with
 * golden samples that fit it, signed by the platform's key and registered, and judged by nobody. Devices will adopt it.
 * @returns its digest.
 */
export const makeBadPackage = async (plant: Plant, champion: Champion): Promise<string> => {
  const { clients, names, modelLine, site, stateDir, root, registry, now } = plant;
  const folder = join(stateDir, 'tmp-bad-package');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const get = async (file: string): Promise<Uint8Array> => {
      const object = await clients.s3.send(
        new GetObjectCommand({ Bucket: names.artifactsBucket, Key: `${champion.packagePrefix}${file}` }),
      );
      return (await object.Body?.transformToByteArray()) ?? new Uint8Array();
    };
    for (const file of ['manifest.json', 'model.fp32.onnx', 'golden.bin', 'baseline.json'])
      writeFileSync(join(folder, file), await get(file));
    await promisify(execFile)(
      join(root, '.venv', 'bin', 'python'),
      [join(root, 'local/start/story/wrong_scaling.py'), folder, join(folder, 'out'), String(FACTOR)],
      { signal: plant.signal, timeout: 60_000 },
    );
    const manifest = parseAs(
      ModelPackageManifest,
      JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')),
      "the champion's manifest",
    );
    const model = readFileSync(join(folder, 'out', 'model.fp32.onnx'));
    const samples = z.array(GoldenSample).parse(JSON.parse(readFileSync(join(folder, 'out', 'golden.json'), 'utf8')));
    const fp32 = manifest.variants.find((v) => v.name === 'fp32');
    if (fp32 === undefined) throw new Error(`package ${champion.packageDigest} has no fp32 variant`);
    const line = parseAs(ModelLineRecord, await registry.body('model-line', modelLine), `model line ${modelLine}`);
    const releaseNumber = line.lastReleaseNumber + 1;
    const bad: ModelPackageManifest = {
      ...manifest,
      releaseNumber,
      createdAt: now(),
      variants: [{ ...fp32, digest: digestOfBytes(model), bytes: model.byteLength, admitted: true }],
      golden: { ...manifest.golden, samples },
    };
    const digest = digestOf(bad);
    const signed = await clients.kms.send(
      new SignCommand({
        KeyId: names.signingKeyAlias,
        Message: Buffer.from(digest, 'utf8'),
        MessageType: 'RAW',
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    );
    const signature: PackageSignature = {
      schema: 'package-signature/1',
      packageDigest: digest,
      keyId: String(signed.KeyId).split('/').at(-1) as string,
      algorithm: 'ECDSA_SHA_256',
      signature: Buffer.from(signed.Signature ?? []).toString('base64'),
    };
    const prefix = artifactKeys.package(modelLine, digest);
    const files: readonly (readonly [string, Uint8Array])[] = [
      ['model.fp32.onnx', model],
      ['golden.bin', readFileSync(join(folder, 'golden.bin'))],
      ['baseline.json', readFileSync(join(folder, 'baseline.json'))],
      ['signature.json', Buffer.from(JSON.stringify(signature))],
      ['manifest.json', Buffer.from(canonicalJson(bad))],
    ];
    for (const [file, Body] of files)
      await clients.s3.send(new PutObjectCommand({ Bucket: names.artifactsBucket, Key: `${prefix}${file}`, Body }));
    const command = (id: string, record: LedgerCommand['record'], edges: LedgerCommand['edges']): LedgerCommand => ({
      schema: 'ledger-command/1',
      commandId: `forced/${digest}/${id}`,
      site,
      actor: OPERATOR,
      reason: 'a package made by hand, judged by nobody',
      record,
      edges,
    });
    await writeLedger(plant, [
      command(
        'number',
        { class: 'model-line', id: modelLine, body: { ...line, lastReleaseNumber: releaseNumber } },
        [],
      ),
      command(
        'package',
        {
          class: 'package',
          id: digest,
          body: {
            schema: 'package/1',
            modelLine,
            site,
            prefix,
            releaseNumber,
            bytes: files.reduce((sum, [, bytes]) => sum + bytes.byteLength, 0),
            variants: bad.variants,
            expiresAt: bad.expiresAt,
            validationLoss: null,
            expectedDisagreement: null,
          },
        },
        [{ from: nodeRef('package', digest), rel: 'derived-from', to: nodeRef('package', champion.packageDigest) }],
      ),
    ]);
    return digest;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
