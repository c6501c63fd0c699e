import type { LineageEdge } from '../../../core/contracts/ledger.ts';
import { walkLineage } from '../../../core/lineage/graph.ts';

const reader = (...pairs: [string, string][]) => {
  const edges = pairs.map(([from, to]): LineageEdge => ({ from, rel: 'used', to }));
  return {
    edges: async (node: string, direction: 'out' | 'in') =>
      edges.filter((e) => (direction === 'out' ? e.from : e.to) === node),
  };
};
const nodes = (walk: { nodes: readonly { node: string }[] }) => walk.nodes.map((n) => n.node);

describe('a walk of lineage', () => {
  const plant = reader(['a:3', 'a:2'], ['a:2', 'a:1'], ['b:1', 'a:2']);
  it('goes back to what a thing was made from', async () => {
    expect(nodes(await walkLineage(plant, 'a:3', 'back'))).toEqual(['a:3', 'a:2', 'a:1']);
  });
  it('goes forward to what was made from it', async () => {
    expect(nodes(await walkLineage(plant, 'a:1', 'forward'))).toEqual(['a:1', 'a:2', 'a:3', 'b:1']);
  });
  it('ends in a cycle', async () => {
    expect(nodes(await walkLineage(reader(['a:1', 'a:2'], ['a:2', 'a:1']), 'a:1', 'back'))).toEqual(['a:1', 'a:2']);
  });
  it('says so when its depth cut it', async () => {
    expect(await walkLineage(plant, 'a:3', 'back', { maxDepth: 1 })).toMatchObject({ truncated: true });
    expect(await walkLineage(plant, 'a:3', 'back', { maxDepth: 2 })).toMatchObject({ truncated: false });
  });
  it('says so when its number of nodes cut it', async () => {
    expect(await walkLineage(plant, 'a:1', 'forward', { maxNodes: 2 })).toMatchObject({ truncated: true });
  });
});
