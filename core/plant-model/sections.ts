import type { z } from 'zod';
import {
  AssetModel,
  AssetSignal,
  Enterprise,
  Hierarchy,
  HierarchyNode,
  Place,
  PlantAsset,
  PlantConnection,
  PlantSignal,
} from '../contracts/plant-model.ts';
import { AssetId, Slug } from '../contracts/primitives.ts';
import type { Where } from './problem.ts';

/**
 * What the files of a plant consist of: one entry names its owner (`hierarchy`, `model`, `asset`) instead of lying within
 * it, so that it may stand in a CSV file of its own.
 */
export const SECTIONS = {
  enterprise: Enterprise,
  places: Place,
  connections: PlantConnection,
  hierarchies: Hierarchy.omit({ nodes: true }),
  'hierarchy-nodes': HierarchyNode.extend({ hierarchy: Slug }),
  models: AssetModel.omit({ signals: true }),
  'model-signals': PlantSignal.extend({ model: Slug }),
  assets: PlantAsset.omit({ signals: true }),
  'asset-signals': AssetSignal.extend({ asset: AssetId }),
} as const satisfies Record<string, z.ZodObject>;
export type Section = keyof typeof SECTIONS;
export type Item<S extends Section> = z.output<(typeof SECTIONS)[S]>;

/** Where the parts of an entry lie within another in YAML and JSON: field, section of the parts, field that names the owner. */
export const NESTED = {
  hierarchies: { field: 'nodes', section: 'hierarchy-nodes', owner: 'hierarchy' },
  models: { field: 'signals', section: 'model-signals', owner: 'model' },
  assets: { field: 'signals', section: 'asset-signals', owner: 'asset' },
} as const;

/** What one entry is called in a message. */
export const CALLED: Readonly<Record<Section, string>> = {
  enterprise: 'enterprise',
  places: 'place',
  connections: 'connection',
  hierarchies: 'hierarchy',
  'hierarchy-nodes': 'node',
  models: 'asset model',
  'model-signals': 'signal',
  assets: 'asset',
  'asset-signals': 'signal',
};

export type FieldPath = readonly (string | number)[];

/** What stands in a value where a path leads; undefined when nothing does. */
export const valueAt = (value: unknown, path: FieldPath): unknown => {
  let at = value;
  for (const step of path)
    at = typeof at === 'object' && at !== null ? (at as Readonly<Record<string, unknown>>)[step] : undefined;
  return at;
};

/** An entry as it was written. */
export interface RawEntry {
  readonly section: Section;
  readonly value: unknown;
  /** Where a field stands; of one that is not there, its entry. */
  readonly where: (path: FieldPath) => Where;
  /** Field that names the owner, where the entry lies within it: what is wrong with that is said of the owner. */
  readonly within?: string;
}

export const isSection = (name: string): name is Section => Object.hasOwn(SECTIONS, name);
