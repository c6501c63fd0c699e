import type { Hierarchy } from '../../contracts/plant-model.ts';
import type { Problem } from '../problem.ts';
import type { FieldPath } from '../sections.ts';
import { type Check, type Draft, dangling } from './draft.ts';

/** The nodes of a circle, from the one where it was entered; undefined when the way up ends. */
const circleFrom = (start: string, within: ReadonlyMap<string, string | undefined>): readonly string[] | undefined => {
  const way: string[] = [];
  for (let at: string | undefined = start; at !== undefined; at = within.get(at)) {
    if (way.includes(at)) return way.slice(way.indexOf(at));
    way.push(at);
  }
  return undefined;
};

const circles = (hierarchy: Hierarchy, { where }: Draft): readonly Problem[] => {
  const within = new Map(hierarchy.nodes.map((n) => [n.id, n.within]));
  const told = new Set<string>();
  return hierarchy.nodes.flatMap(({ id }) => {
    const circle = circleFrom(id, within);
    if (circle === undefined || circle.some((node) => told.has(node))) return [];
    for (const node of circle) told.add(node);
    const [first = ''] = circle;
    return [
      {
        ...where('hierarchy-nodes', `${hierarchy.id}/${first}`, ['within']),
        message: `hierarchy "${hierarchy.id}" goes in a circle: ${[...circle, first].join(' within ')}; one of them must be at the top`,
      },
    ];
  });
};

/** In every hierarchy each node has a way to the top and each asset one place at most. */
export const hierarchies: Check = (draft) =>
  draft.plant.hierarchies.flatMap((hierarchy) => {
    const problems: Problem[] = [...circles(hierarchy, draft)];
    const placed = new Map<string, string>();
    for (const node of hierarchy.nodes) {
      const key = `${hierarchy.id}/${node.id}`;
      const say = (path: FieldPath, text: string): void =>
        void problems.push({ ...draft.where('hierarchy-nodes', key, path), message: `node "${key}": ${text}` });
      const inner = draft.keys('hierarchy-nodes');
      if (draft.whole && node.within !== undefined && !inner.has(`${hierarchy.id}/${node.within}`))
        say(['within'], `hierarchy "${hierarchy.id}" has no node "${node.within}": add it, or mend the name`);
      for (const [i, asset] of node.assets.entries()) {
        const problem = dangling(draft, 'assets', asset);
        if (problem !== undefined) say(['assets', i], problem);
        const before = placed.get(asset);
        if (before !== undefined)
          say(['assets', i], `asset "${asset}" is in this hierarchy twice; it is at node "${before}" already`);
        else placed.set(asset, node.id);
      }
    }
    return problems;
  });
