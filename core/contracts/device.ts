import { z } from 'zod';
import { DriftWindow } from './drift.ts';
import { AssetId, DeviceId, Digest, Instant, ModelLineId, SiteId, Slug } from './primitives.ts';
import { Framing, SignalDefinition } from './use-case.ts';

/** What a device measured when it adopted a package (its own self-test on golden samples). */
export const BenchResult = z.strictObject({
  variant: z.enum(['fp32', 'int8']),
  p50Ms: z.number().nonnegative(),
  p99Ms: z.number().nonnegative(),
  residentMiB: z.number().positive(),
  runs: z.int().positive(),
});
export type BenchResult = z.infer<typeof BenchResult>;

/** Small message a device sends on adoption and every `reportSeconds`; topic `millwright/<stage>/<site>/<device>/report`. Stays under 7 kB. */
export const DeviceReport = z.strictObject({
  schema: z.literal('device-report/1'),
  site: SiteId,
  device: DeviceId,
  deviceClass: Slug,
  boot: Slug,
  at: Instant,
  modelLine: ModelLineId,
  serving: z
    .strictObject({
      packageDigest: Digest,
      releaseNumber: z.int().positive(),
      variant: z.enum(['fp32', 'int8']),
      adoptedAt: Instant,
      bench: z.array(BenchResult),
    })
    .nullable(),
  sinceAdoption: z.strictObject({
    decided: z.int().nonnegative(),
    undecided: z.int().nonnegative(),
    fallback: z.int().nonnegative(),
    held: z.int().nonnegative(),
    latencyP50Ms: z.number().nonnegative().nullable(),
    latencyP99Ms: z.number().nonnegative().nullable(),
  }),
  lastRefusal: z.strictObject({ packageDigest: z.string(), reason: z.string(), at: Instant }).nullable(),
  shadow: z
    .strictObject({
      packageDigest: Digest.describe('the champion that runs beside'),
      frames: z.int().nonnegative(),
      assets: z
        .array(
          z.strictObject({
            asset: AssetId,
            batches: z
              .array(z.int().nonnegative())
              .describe('by how many frames of a batch disagree, 0 to all: how many batches'),
          }),
        )
        .max(30),
    })
    .nullable()
    .optional()
    .describe('comparison with the champion since adoption; null when none is asked for or possible'),
  spool: z.strictObject({ pending: z.int().nonnegative(), bytes: z.int().nonnegative() }),
});
export type DeviceReport = z.infer<typeof DeviceReport>;

/**
 * A part of what one window of rows says of the features: sketches on the cells of the package's baseline. Topic
 * `…/digest`. All parts say the same but for `part` and their features; together they are one {@link DriftWindow}.
 */
export const FeatureDigest = DriftWindow.omit({ schema: true, features: true }).extend({
  schema: z.literal('feature-digest/2'),
  part: z.int().nonnegative(),
  parts: z.int().positive(),
  sketches: z
    .array(z.tuple([z.string(), z.base64()]))
    .min(1)
    .describe('name of a feature and its sketch, packed as core/drift/sketch/pack.ts says; in the baseline’s order'),
});
export type FeatureDigest = z.infer<typeof FeatureDigest>;

export const reportTopic = (stage: string, site: string, device: string): string =>
  `millwright/${stage}/${site}/${device}/report`;
export const digestTopic = (stage: string, site: string, device: string): string =>
  `millwright/${stage}/${site}/${device}/digest`;

/**
 * Configuration of the components on a device, merged in by the deployment (Greengrass wants strings for numbers).
 * The folder the components share is named by their recipes: it belongs to the device, not to a deployment.
 */
export const RuntimeConfig = z.strictObject({
  stage: Slug,
  site: SiteId,
  deviceClass: Slug,
  modelLine: ModelLineId,
  trustedKeys: z.record(z.string(), z.string()).describe('key id → PEM public key (SPKI)'),
  revertTo: z.string().default('').describe('package digest the ledger allows to go back to; empty = none'),
  withdrawn: z
    .string()
    .default('')
    .describe('package digest that its release took back: it must not serve here; empty = none'),
  shadow: z
    .strictObject({
      packageDigest: z
        .string()
        .default('')
        .describe('champion to run beside a package that proves itself; empty = none'),
      tolerance: z.coerce.number().nonnegative().default(0),
      batch: z.coerce.number().int().positive().default(5),
      seconds: z.coerce
        .number()
        .positive()
        .default(3600)
        .describe('so long after its adoption the package is compared; then the champion beside it ends'),
    })
    .default({ packageDigest: '', tolerance: 0, batch: 5, seconds: 3600 }),
  reportSeconds: z.coerce.number().positive().default(5),
  digestEvery: z.coerce.number().int().positive().default(100).describe('decisions in one feature digest'),
});
export type RuntimeConfig = z.infer<typeof RuntimeConfig>;

export const UplinkConfig = z.strictObject({
  stage: Slug,
  site: SiteId,
  lakeBucket: z.string().min(3),
  maxSpoolMiB: z.coerce.number().positive().default(256),
  maxSpoolDays: z.coerce.number().positive().default(60),
  uploadEvery: z.coerce.number().int().positive().default(50).describe('decisions in one object at most'),
  uploadSeconds: z.coerce.number().positive().default(5).describe('or when the oldest waits this long'),
  rawFrames: z.enum(['true', 'false']).default('true').describe('also upload the frames themselves, in bulk'),
});
export type UplinkConfig = z.infer<typeof UplinkConfig>;

/** Connector of machines that stream frames as JSON lines over TCP. */
export const ConnectorConfig = z.strictObject({
  stage: Slug,
  site: SiteId,
  machines: z.string().describe('JSON object: device id → list of {asset, host, port}'),
  intake: z
    .string()
    .default('')
    .describe('JSON of ConnectorIntake; empty: frames go on unchecked, and single values are refused'),
  observations: z
    .enum(['true', 'false'])
    .default('false')
    .describe('also send each single value to the lake, beside the frames made of them'),
  messageSeconds: z.coerce
    .number()
    .positive()
    .default(10)
    .describe('pause between messages; as long a machine keeps values that are not acknowledged'),
});
export type ConnectorConfig = z.infer<typeof ConnectorConfig>;
/** What a connector must know of the signals to check them, and to make frames of single values. */
export const ConnectorIntake = z.strictObject({
  signals: z.array(SignalDefinition).min(1),
  framing: Framing.optional(),
});
export type ConnectorIntake = z.infer<typeof ConnectorIntake>;
/** `asset` names the machine at the address; a test stand has many assets pass over it. */
export const ConnectorMachine = z.strictObject({ asset: AssetId, host: z.string().min(1), port: z.int().positive() });
export type ConnectorMachine = z.infer<typeof ConnectorMachine>;
export const ConnectorMachines = z.record(DeviceId, z.array(ConnectorMachine));

/** Answer of the runtime to `adopt`; exit code 0 of the model component's startup only when `adopted`. */
export const AdoptAnswer = z.strictObject({
  adopted: z.boolean(),
  packageDigest: z.string(),
  variant: z.enum(['fp32', 'int8']).nullable(),
  reason: z.string(),
});
export type AdoptAnswer = z.infer<typeof AdoptAnswer>;

/** Default configuration of a model component, for people to read: its recipe names the digest itself. */
export const ModelComponentConfig = z.strictObject({
  packageDigest: Digest,
  modelLine: ModelLineId,
});
