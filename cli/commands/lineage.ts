import { type LineageEdge, nodeRef } from '#core/contracts/ledger.ts';
import { type LineageWalk, walkLineage } from '#core/lineage/graph.ts';
import { CliError } from '../errors.ts';
import { decisionObject, findDecision, findRecord, frameObject, isDecisionId } from '../find.ts';
import { answer, type Output, paint, say } from '../output.ts';
import type { World } from '../world.ts';

export interface LineageOptions {
  readonly id: string;
  readonly direction?: 'back' | 'forward';
  /** Nodes of one class to print; 0 = all. */
  readonly show: number;
}

const FORWARD = ['raw-object', 'plant-event', 'snapshot', 'use-case', 'feature-set'];
const classOf = (node: string): string => node.slice(0, node.indexOf(':'));

/**
 * From a decision back to the raw objects it came from, or from data forward to the devices it reached. A decision is
 * not a record of its own: its object is; the walk begins there, with the package that decided this one.
 */
export const lineageOf = async (
  world: World,
  options: LineageOptions,
): Promise<{ walk: LineageWalk; direction: 'back' | 'forward'; packageDigest: string | null }> => {
  let start: string;
  let first: LineageEdge[] = [];
  let packageDigest: string | null = null;
  if (isDecisionId(options.id)) {
    const found = await findDecision(world, options.id);
    const object = await decisionObject(world, found);
    if (object === null)
      throw new CliError(
        `decision ${options.id} is in the lake, but its object is not registered yet`,
        'try again in a few seconds; if it stays so, look at the dead-letter queue of record-decisions',
      );
    packageDigest = found.record.packageDigest;
    const frame = await frameObject(world, found.record);
    start = nodeRef('decision', options.id);
    first = [
      { from: start, rel: 'derived-from', to: nodeRef('decision-object', object.id) },
      ...(packageDigest === null
        ? []
        : [{ from: start, rel: 'decided-by' as const, to: nodeRef('package', packageDigest) }]),
      ...(frame === null ? [] : [{ from: start, rel: 'used' as const, to: nodeRef('raw-object', frame) }]),
    ];
  } else {
    const record = await findRecord(world, options.id);
    start = nodeRef(record.class, record.id);
    if (record.class === 'package') packageDigest = record.id;
  }
  const direction = options.direction ?? (FORWARD.includes(classOf(start)) ? 'forward' : 'back');
  const reader = {
    edges: async (node: string, way: 'out' | 'in') => {
      if (node === start && first.length > 0 && way === 'out') return first;
      const edges = await world.registry.edges(node, way);
      // An object may hold decisions of two packages: a decision has one.
      return first.length > 0 && classOf(node) === 'decision-object' ? [] : edges;
    },
  };
  return { walk: await walkLineage(reader, start, direction), direction, packageDigest };
};

export const lineage = async (world: World, out: Output, options: LineageOptions): Promise<void> => {
  const { walk, direction, packageDigest } = await lineageOf(world, options);
  const classes: Record<string, number> = {};
  for (const { node } of walk.nodes) classes[classOf(node)] = (classes[classOf(node)] ?? 0) + 1;
  answer(out, { direction, packageDigest, counts: classes, ...walk }, () => {
    say(
      out,
      `${paint(out, 'bold', walk.start)}  ${direction === 'back' ? 'what it was made from' : 'what was made from it'}`,
    );
    const depthOf = new Map(walk.nodes.map((n) => [n.node, n.depth]));
    const printed = new Map<string, number>();
    for (const { node, depth } of walk.nodes.slice(1)) {
      const group = `${depth} ${classOf(node)}`;
      const n = (printed.get(group) ?? 0) + 1;
      printed.set(group, n);
      if (options.show > 0 && n > options.show) continue;
      const edge = walk.edges.find((e) =>
        direction === 'back'
          ? e.to === node && (depthOf.get(e.from) ?? 0) === depth - 1
          : e.from === node && (depthOf.get(e.to) ?? 0) === depth - 1,
      );
      const arrow = direction === 'back' ? `─${edge?.rel ?? ''}→` : `←${edge?.rel ?? ''}─`;
      say(out, `${'  '.repeat(depth)}${paint(out, 'dim', arrow)} ${node}`);
    }
    for (const [group, n] of printed)
      if (options.show > 0 && n > options.show) {
        const [depth, name] = group.split(' ');
        say(
          out,
          `${'  '.repeat(Number(depth))}${paint(out, 'dim', `… ${n - options.show} more of class ${name} (--all shows them)`)}`,
        );
      }
    say(out);
    say(
      out,
      Object.entries(classes)
        .map(([name, n]) => `${n} ${name}`)
        .join(' · '),
    );
    if (walk.truncated) say(out, paint(out, 'yellow', 'A bound cut the walk: this is not the whole lineage.'));
  });
};
