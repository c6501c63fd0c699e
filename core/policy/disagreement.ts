import type { ExpectedDisagreement } from '../contracts/evaluation.ts';
import { bootstrapShare, type RunDisagreement, seededRandom, shareOf } from './bootstrap.ts';

/** A sealed run, and whether it ended after the champion learnt. */
export interface ComparedRun extends RunDisagreement {
  readonly since: boolean;
}

/** Most assets that a package names; see `ExpectedDisagreement`. */
const MOST_ASSETS = 200;

const assetOf = (run: string): string => run.slice(0, run.indexOf('/'));

/**
 * Where and how often challenger and champion are expected to differ on the line, from the sealed runs of each asset: of
 * those since the champion learnt where there are any, because they are what the machine is like.
 * An asset on which the two differ on more than `referenceUpTo` of the rows is one the challenger was made for: the
 * champion is no reference there. On all others a package that differs more often than this is not the one that was judged.
 * @param runs by `asset/run`.
 * @param referenceUpTo share, 0 … 1.
 */
export const expectDisagreement = (
  runs: readonly ComparedRun[],
  referenceUpTo: number,
  seed: number,
): ExpectedDisagreement => {
  const byAsset = new Map<string, ComparedRun[]>();
  for (const run of runs) byAsset.set(assetOf(run.run), [...(byAsset.get(assetOf(run.run)) ?? []), run]);
  const assets = [...byAsset].map(([asset, all]) => {
    const since = all.filter((r) => r.since);
    const newest = since.length > 0 ? since : all;
    return { asset, newest, share: shareOf(newest) };
  });
  const differing = assets
    .filter((a) => a.share > referenceUpTo)
    .sort((a, b) => b.share - a.share || (a.asset < b.asset ? -1 : 1))
    .slice(0, MOST_ASSETS);
  const left = new Set(differing.map((a) => a.asset));
  return {
    share: bootstrapShare(
      assets.filter((a) => !left.has(a.asset)).flatMap((a) => a.newest),
      seededRandom(seed),
    ),
    differsOn: differing.map((a) => a.asset).sort(),
  };
};
