import type { PlantModel } from '../contracts/plant-model.ts';
import { compareText } from '../text/compare.ts';
import { placePath } from './places.ts';

const by =
  <T>(key: (item: T) => string) =>
  (a: T, b: T): number =>
    compareText(key(a), key(b));
const id = (item: { readonly id: string }): string => item.id;
const name = (item: { readonly name: string }): string => item.name;

/**
 * A plant in the one order that it is exported and named by digest in: places as they lie in each other, all else by id
 * or name, so that nothing depends on which file it was written in.
 */
export const canonicalPlant = (plant: PlantModel): PlantModel => {
  const path = placePath(plant);
  return {
    ...plant,
    places: [...plant.places].sort(by((p) => `${path(p.id)}/`)),
    connections: [...plant.connections].sort(by(id)),
    hierarchies: [...plant.hierarchies].sort(by(id)).map((h) => ({
      ...h,
      nodes: [...h.nodes].sort(by(id)).map((n) => ({ ...n, assets: [...n.assets].sort(compareText) })),
    })),
    models: [...plant.models].sort(by(id)).map((m) => ({ ...m, signals: [...m.signals].sort(by(name)) })),
    assets: [...plant.assets].sort(by(id)).map((a) => ({ ...a, signals: [...a.signals].sort(by(name)) })),
  };
};

/** How much there is of everything. */
export const countsOf = (plant: PlantModel): Readonly<Record<string, number>> => {
  const signals = new Map(plant.models.map((m) => [m.id, m.signals.length]));
  return {
    places: plant.places.length,
    connections: plant.connections.length,
    hierarchies: plant.hierarchies.length,
    models: plant.models.length,
    assets: plant.assets.length,
    signals: plant.assets.reduce((sum, a) => sum + (signals.get(a.model) ?? 0), 0),
  };
};
