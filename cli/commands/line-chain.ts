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

/** Reads the evidence that the judgements of a line left in the lake, and judges each again. */
export const lineChain = async (world: World, modelLine: string): Promise<ChainVerdict> => {
  const keys = await world.lake.list(lakeKeys.lineEvidences(modelLine));
  const documents = await inParallel(keys, async (key) => parsed(await world.lake.find(key)));
  return verifyEvidence(documents.sort((a, b) => sequenceOf(a) - sequenceOf(b)));
};

/** The verdict in a line. */
export const chainText = (verdict: ChainVerdict): string => {
  if (!verdict.holds) return `broken at judgement ${verdict.sequence}: ${verdict.says}`;
  const { documents, notReplayed } = verdict;
  if (documents === 0) return 'none kept yet';
  const others = notReplayed === 0 ? '' : `, ${notReplayed} of them by other rules`;
  return `${documents} ${documents === 1 ? 'judgement' : 'judgements'}${others}: unbroken, and judged again to the same bytes`;
};
