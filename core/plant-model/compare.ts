import type { PlantModel, PlantSignal } from '../contracts/plant-model.ts';
import { canonicalJson } from '../lineage/canonical-json.ts';
import { compareText } from '../text/compare.ts';
import { signalsOf } from './signals-of.ts';

/** What became of a plant, by names as `asset "spindle-101"`. */
export interface PlantChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Signals whose values before and after cannot be compared, and whose version does not say so. */
  readonly breaking: readonly string[];
}

const parts = (plant: PlantModel): ReadonlyMap<string, string> => {
  const found = new Map<string, string>([['the enterprise', canonicalJson(plant.enterprise)]]);
  const add = (kind: string, id: string, value: object): void =>
    void found.set(`${kind} "${id}"`, canonicalJson(value));
  for (const place of plant.places) add('place', place.id, place);
  for (const connection of plant.connections) add('connection', connection.id, connection);
  for (const hierarchy of plant.hierarchies) add('hierarchy', hierarchy.id, hierarchy);
  for (const { signals, ...model } of plant.models) {
    add('asset model', model.id, model);
    for (const signal of signals) add('signal', `${model.id}/${signal.name}`, signal);
  }
  for (const asset of plant.assets) add('asset', asset.id, asset);
  return found;
};

type Typed = Pick<PlantSignal, 'dataType' | 'unit' | 'version'>;

const brokenBy = (before: Typed, after: Typed): string | null => {
  if (after.version > before.version) return null;
  const of = (field: 'dataType' | 'unit'): string | null =>
    before[field] === after[field]
      ? null
      : `${field === 'unit' ? 'unit' : 'data type'} from ${before[field]} to ${after[field]}`;
  return of('dataType') ?? of('unit');
};

const breaking = (before: PlantModel, after: PlantModel): readonly string[] => {
  const broken = new Set<string>();
  const oldAssets = new Map(before.assets.map((a) => [a.id, a]));
  const oldModels = new Map(before.models.map((m) => [m.id, m]));
  const newModels = new Map(after.models.map((m) => [m.id, m]));
  for (const asset of after.assets) {
    const old = oldAssets.get(asset.id);
    const [oldModel, newModel] = [oldModels.get(old?.model ?? ''), newModels.get(asset.model)];
    if (old === undefined || oldModel === undefined || newModel === undefined) continue;
    const was = new Map(signalsOf(oldModel, old).map((s) => [s.name, s]));
    for (const signal of signalsOf(newModel, asset)) {
      const earlier = was.get(signal.name);
      const how = earlier === undefined ? null : brokenBy(earlier, signal);
      if (how === null) continue;
      const own = asset.signals.some((s) => s.name === signal.name && s.unit !== undefined);
      broken.add(`signal "${own ? asset.id : newModel.id}/${signal.name}" changes its ${how}`);
    }
  }
  return [...broken].sort(compareText);
};

/** What changes when one plant model follows another. */
export const comparePlants = (before: PlantModel, after: PlantModel): PlantChange => {
  const [was, is] = [parts(before), parts(after)];
  return {
    added: [...is.keys()].filter((name) => !was.has(name)),
    removed: [...was.keys()].filter((name) => !is.has(name)),
    changed: [...is].filter(([name, value]) => was.has(name) && was.get(name) !== value).map(([name]) => name),
    breaking: breaking(before, after),
  };
};
