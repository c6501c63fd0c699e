import { z } from 'zod';
import { SignalName } from './observation.ts';
import { AssetId, Digest, ObjectRef, SiteId, Slug } from './primitives.ts';
import { QualityRules } from './quality.ts';

/** A text of one line, without spaces around it: so it is the same in YAML, CSV and JSON. */
const Line = z
  .string()
  .max(200)
  .regex(/^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}])?$/u, 'expected a text on one line, without spaces around it');
const Range = z.tuple([z.number(), z.number()]);

/** Levels of the equipment hierarchy below the enterprise (IEC 62264-1, ISA-95); the four in the middle are work centres. */
export const PlaceLevel = z.enum([
  'site',
  'area',
  'process-cell',
  'production-unit',
  'production-line',
  'storage-zone',
  'work-unit',
]);
export type PlaceLevel = z.infer<typeof PlaceLevel>;

/** A part of the plant; its id stays when it is moved, its path does not. */
export const Place = z.strictObject({
  id: Slug,
  name: Line.optional(),
  level: PlaceLevel,
  within: Slug.optional().describe('place of the level above; of a site the enterprise, which may be left out'),
});
export type Place = z.infer<typeof Place>;

/** What speaks to a source of signals. */
export const PlantConnection = z.strictObject({
  id: Slug,
  protocol: z.enum([
    'opc-ua',
    'modbus',
    's7',
    'ethernet-ip',
    'mqtt',
    'sparkplug',
    'mtconnect',
    'bacnet',
    'jsonl',
    'file',
  ]),
  endpoint: Line.describe('where it listens, for example opc.tcp://10.0.0.5:4840'),
  says: Line.optional(),
});
export type PlantConnection = z.infer<typeof PlantConnection>;

export const HierarchyNode = z.strictObject({
  id: Slug,
  name: Line.optional(),
  within: Slug.optional().describe('node of the same hierarchy; absent = at its top'),
  assets: z.array(AssetId).default([]),
});
export type HierarchyNode = z.infer<typeof HierarchyNode>;

/** Another order of the same assets than the physical one: by process, by energy. An asset is in it once or not at all. */
export const Hierarchy = z.strictObject({
  id: Slug.refine((id) => id !== 'physical', '"physical" is the hierarchy that the places make'),
  name: Line.optional(),
  nodes: z.array(HierarchyNode).default([]),
});
export type Hierarchy = z.infer<typeof Hierarchy>;

/** How values are taken: each interval, or when they change (report by exception) and after a silence at the latest. */
export const Sampling = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('periodic'), intervalSeconds: z.number().positive() }),
  z.strictObject({
    mode: z.literal('exception'),
    intervalSeconds: z.number().positive().optional().describe('how often the source is looked at'),
    deadband: z
      .strictObject({ kind: z.enum(['absolute', 'percent']), value: z.number().nonnegative() })
      .optional()
      .describe(
        'smaller changes are not sent: units of the signal, or percent of its engineering range; absent = none',
      ),
    maxSilenceSeconds: z.number().positive().describe('after so long the value is sent although it did not change'),
  }),
]);
export type Sampling = z.infer<typeof Sampling>;

/** A signal that every asset of a model has. */
export const PlantSignal = z.strictObject({
  name: SignalName.and(Line).describe('unique within the model'),
  says: Line.optional(),
  dataType: z.enum(['double', 'integer', 'boolean', 'text', 'waveform']),
  unit: z.string().min(1).max(64).describe('UCUM code; 1 for a pure number, a boolean or a text'),
  rec20: z
    .string()
    .regex(/^[A-Z0-9]{2,3}$/, 'expected a common code of UNECE Recommendation 20, such as CEL')
    .optional()
    .describe('common code of UNECE Recommendation 20; absent = the one of the unit'),
  engineeringRange: Range.optional().describe('values in normal operation'),
  instrumentRange: Range.optional().describe('values that the instrument can return'),
  sampling: Sampling,
  sampleRateHz: z.number().positive().optional().describe('waveforms only'),
  samples: z.int().positive().optional().describe('waveforms only: length of one'),
  quality: QualityRules.optional().describe('what it is expected to do'),
  criticality: z.enum(['high', 'medium', 'low']),
  owner: Line.optional().describe('absent = the owner of the model'),
  version: z
    .int()
    .positive()
    .default(1)
    .describe('raised when data type or unit change: older values are not comparable'),
  address: Line.optional().describe(
    'native address at the connection; {asset} and {serial} stand for those of the asset',
  ),
});
export type PlantSignal = z.infer<typeof PlantSignal>;

/** Assets of one make: their signals, typed once. */
export const AssetModel = z.strictObject({
  id: Slug,
  name: Line.optional(),
  assetClass: Slug.describe('what kind of machine: use cases name it'),
  owner: Line,
  version: z.int().positive().default(1),
  signals: z.array(PlantSignal).min(1),
});
export type AssetModel = z.infer<typeof AssetModel>;

/** Where one asset differs from its model in one signal: what is given here stands instead of the whole field there. */
export const AssetSignal = PlantSignal.omit({ dataType: true, sampleRateHz: true, samples: true })
  .partial()
  .required({ name: true })
  .extend({ version: z.int().positive().optional(), connection: Slug.optional() });
export type AssetSignal = z.infer<typeof AssetSignal>;

/** One machine. */
export const PlantAsset = z.strictObject({
  id: AssetId,
  name: Line.optional(),
  model: Slug,
  at: Slug.describe('the place it stands at, of any level'),
  serial: Line.optional(),
  commissioned: z.iso.date('expected a day like 2024-05-31').optional(),
  connection: Slug.optional().describe('of its signals, where they name none'),
  signals: z.array(AssetSignal).default([]),
});
export type PlantAsset = z.infer<typeof PlantAsset>;

export const Enterprise = z.strictObject({ id: Slug, name: Line.optional() });

/** A plant, whole: what is where, what it measures and in which units. People write it as files (docs/plant-model.md). */
export const PlantModel = z.strictObject({
  schema: z.literal('plant-model/1'),
  enterprise: Enterprise,
  places: z.array(Place),
  connections: z.array(PlantConnection).default([]),
  hierarchies: z.array(Hierarchy).default([]),
  models: z.array(AssetModel),
  assets: z.array(PlantAsset),
});
export type PlantModel = z.infer<typeof PlantModel>;

/** Body of registry record `plant-model/<site>`: the plant model that is in force there, by digest. */
export const PlantModelRecord = z.strictObject({
  schema: z.literal('plant-model-record/1'),
  site: SiteId,
  enterprise: Slug,
  digest: Digest,
  object: ObjectRef.describe('its canonical JSON'),
  counts: z.record(z.string(), z.int().nonnegative()),
});
export type PlantModelRecord = z.infer<typeof PlantModelRecord>;
