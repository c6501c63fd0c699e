import { lakeKeys } from '#core/contracts/lake.ts';
import { type ChainVerdict, verifyEvidence } from '#core/drift/decision/evidence-chain.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { World } from '../world.ts';

const parsed = (body: Uint8Array | null): unknown => {
  try {
    return JSON.parse(Buffer.from(body ?? []).toString('utf8'));
  } catch {
    return null;
  }
};
const sequenceOf = (document: unknown): number => {
  const sequence = (document as { sequence?: unknown } | null)?.sequence;
  return typeof sequence === 'number' ? sequence : 0;
};

const textOf = (document: unknown, field: 'hash' | 'previous'): string | null => {
  const value = (document as Record<string, unknown> | null)?.[field];
  return typeof value === 'string' ? value : null;
};

/** Of two of one place the one that is named: by the next, or by the registry. The other was left by who came second. */
const named = (documents: readonly unknown[], head: unknown): unknown[] => {
  const names = new Set<unknown>([head, ...documents.map((d) => textOf(d, 'previous'))]);
  return [...Map.groupBy(documents, sequenceOf).values()].flatMap((rivals) => {
    const chosen = rivals.filter((d) => names.has(textOf(d, 'hash')));
    return rivals.length === 1 ? rivals : chosen.length > 0 ? chosen : rivals.slice(0, 1);
  });
};

/** Reads the evidence that the judgements of a line left in the lake, and judges each again. */
export const lineChain = async (world: World, modelLine: string): Promise<ChainVerdict> => {
  const keys = await world.lake.list(lakeKeys.lineEvidences(modelLine));
  const documents = await inParallel(keys, async (key) => parsed(await world.lake.find(key)));
  const head = (await world.registry.latest('judgement', `line/${modelLine}`))?.body['evidence'];
  return verifyEvidence(named(documents, head).sort((a, b) => sequenceOf(a) - sequenceOf(b)));
};

/** The verdict in a line. */
export const chainText = (verdict: ChainVerdict): string => {
  if (!verdict.holds) return `broken at judgement ${verdict.sequence}: ${verdict.says}`;
  const { documents, notReplayed } = verdict;
  if (documents === 0) return 'none kept yet';
  const others = notReplayed === 0 ? '' : `, ${notReplayed} of them by other rules`;
  return `${documents} ${documents === 1 ? 'judgement' : 'judgements'}${others}: unbroken, and judged again to the same bytes`;
};
