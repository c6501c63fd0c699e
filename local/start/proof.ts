import { DecisionRecord } from '#core/contracts/decision.ts';
import { parseAs } from '#core/contracts/errors.ts';
import type { LiveRun } from '#core/contracts/source.ts';
import { lapRun } from '../plant/machines.ts';
import { StartError } from './errors.ts';

/** Where one digest was seen. */
export interface Sighting {
  readonly where: string;
  readonly digest: string | null;
}

/** @throws {StartError} listing every place that tells another digest, or none. */
export const assertOneDigest = (digest: string, sightings: readonly Sighting[]): void => {
  const wrong = sightings.filter((s) => s.digest !== digest);
  if (wrong.length > 0)
    throw new StartError(
      `the package is ${digest}, but ${wrong.map((w) => `${w.where} says ${w.digest ?? 'nothing'}`).join('; ')}`,
      'this is a fault of the platform: keep the state folder and tell its makers',
    );
};

export interface RulErrors {
  /** Assets judged: the model decided at their last frame. */
  readonly assets: number;
  /** Assets of which the last frame was answered by the fallback, or not at all. */
  readonly missing: readonly string[];
  /** RMSE with the truth capped as the label is. */
  readonly capped: number;
  /** RMSE with the truth as it is. */
  readonly uncapped: number;
}

/** Decisions of an uploaded object: its first line is the header. */
export const readDecisions = (text: string, key: string): readonly DecisionRecord[] =>
  text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line, i) => parseAs(DecisionRecord, JSON.parse(line), `decision ${i + 1} of ${key}`));

/**
 * Error of the model on the devices, from its recorded decision at the last frame of each replayed run (one number an
 * asset, as C-MAPSS is scored). Truth is known for every run, or the run is left out.
 */
export const rulErrors = (
  runs: readonly LiveRun[],
  lap: number,
  decisions: readonly DecisionRecord[],
  cap: number,
): RulErrors => {
  const byFrame = new Map(decisions.map((d) => [`${d.asset} ${d.run} ${d.index}`, d]));
  const missing: string[] = [];
  let assets = 0;
  let squaredCapped = 0;
  let squared = 0;
  for (const { asset, run, frames, remainingAtEnd } of runs) {
    const last = frames.at(-1);
    if (remainingAtEnd === null || last === undefined) continue;
    const decision = byFrame.get(`${asset} ${lapRun(run, lap, 0)} ${last.index}`);
    if (decision === undefined || decision.value === null || decision.packageDigest === null) {
      missing.push(asset);
      continue;
    }
    assets++;
    squaredCapped += (decision.value - Math.min(cap, remainingAtEnd)) ** 2;
    squared += (decision.value - remainingAtEnd) ** 2;
  }
  return { assets, missing, capped: Math.sqrt(squaredCapped / assets), uncapped: Math.sqrt(squared / assets) };
};
