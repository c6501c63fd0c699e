import type { Hierarchy, PlantModel } from '../contracts/plant-model.ts';

interface Step {
  readonly id: string;
  readonly within?: string | undefined;
}

/** Ids from the top of a tree down to one of its parts. A circle is entered once. */
const wayTo = (id: string, parts: ReadonlyMap<string, Step>): readonly string[] => {
  const way: string[] = [];
  for (let at: string | undefined = id; at !== undefined && !way.includes(at); at = parts.get(at)?.within)
    way.unshift(at);
  return way;
};

/** Path of a place from the enterprise, `acme/plant-a/machining/line-1`: where it is, not what it is called. */
export const placePath = (plant: PlantModel): ((place: string) => string) => {
  const byId = new Map(plant.places.map((p) => [p.id, p]));
  const { id: enterprise } = plant.enterprise;
  return (place) => [enterprise, ...wayTo(place, byId).filter((id) => id !== enterprise)].join('/');
};

/** Path of an asset in a hierarchy, down to its node; undefined when it is not in it. */
export const hierarchyPath = (hierarchy: Hierarchy, asset: string): string | undefined => {
  const node = hierarchy.nodes.find((n) => n.assets.includes(asset));
  return node === undefined ? undefined : wayTo(node.id, new Map(hierarchy.nodes.map((n) => [n.id, n]))).join('/');
};
