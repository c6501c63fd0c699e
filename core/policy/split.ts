import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Split } from '../contracts/dataset-snapshot.ts';
import type { UseCase } from '../contracts/use-case.ts';

/** A number in [0, 1) that depends on the salt and the run alone. */
const place = (salt: string, asset: string, run: string): number => {
  const hash = sha256(utf8ToBytes(`${salt}\n${asset}\n${run}`));
  return new DataView(hash.buffer, hash.byteOffset, 4).getUint32(0) / 2 ** 32;
};

/**
 * Which split a run belongs to. Depends on nothing but the salt and the run's name, so a run that was sealed for tests
 * stays sealed when others arrive, and in every later retrain: no model of the line ever learns from it.
 */
export const splitOf = (seal: UseCase['seal'], asset: string, run: string): Split => {
  const at = place(seal.salt, asset, run);
  if (at < seal.testShare) return 'test';
  return at < seal.testShare + seal.calibrationShare ? 'calibration' : 'train';
};

export interface SplitCounts {
  readonly train: number;
  readonly calibration: number;
  readonly test: number;
}

/** What is missing before a model may be trained and judged; empty when nothing is. */
export const shortfall = (counts: SplitCounts, gate: Pick<UseCase['gate'], 'minTrainRuns' | 'minTestRuns'>): string[] =>
  (
    [
      ['train', counts.train, gate.minTrainRuns],
      ['calibration', counts.calibration, 1],
      ['test', counts.test, gate.minTestRuns],
    ] as const
  )
    .filter(([, have, need]) => have < need)
    .map(([split, have, need]) => `${need - have} more ended runs in ${split} (${have} of ${need})`);
