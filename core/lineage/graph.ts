import type { LineageEdge } from '../contracts/ledger.ts';
import type { RegistryReader } from '../ports/registry.ts';

export interface LineageWalk {
  readonly start: string;
  /** Nodes in breadth-first order, the start first, each with its distance from it. */
  readonly nodes: readonly { readonly node: string; readonly depth: number }[];
  readonly edges: readonly LineageEdge[];
  /** True when a bound cut the walk: the answer is not the whole truth. */
  readonly truncated: boolean;
}

/**
 * Walks lineage from a node: `back` to what it was made from, `forward` to what was made from it. Each node is visited
 * once, so cycles end; bounds on depth and nodes are reported, never silent.
 */
export const walkLineage = async (
  reader: Pick<RegistryReader, 'edges'>,
  start: string,
  direction: 'back' | 'forward',
  { maxDepth = 12, maxNodes = 5000 }: { readonly maxDepth?: number; readonly maxNodes?: number } = {},
): Promise<LineageWalk> => {
  const depthOf = new Map([[start, 0]]);
  const edges: LineageEdge[] = [];
  let truncated = false;
  let frontier = [start];
  for (let depth = 1; frontier.length > 0; depth++) {
    const found = await Promise.all(frontier.map((n) => reader.edges(n, direction === 'back' ? 'out' : 'in')));
    if (depth > maxDepth) {
      truncated ||= found.some((f) => f.length > 0);
      break;
    }
    const next: string[] = [];
    for (const edge of found.flat()) {
      const node = direction === 'back' ? edge.to : edge.from;
      if (!depthOf.has(node)) {
        if (depthOf.size >= maxNodes) {
          truncated = true;
          continue;
        }
        depthOf.set(node, depth);
        next.push(node);
      }
      edges.push(edge);
    }
    frontier = next;
  }
  return { start, nodes: [...depthOf].map(([node, depth]) => ({ node, depth })), edges, truncated };
};
