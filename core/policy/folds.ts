import type { Hyperparameters, UseCase } from '../contracts/use-case.ts';
import { seededRandom } from './bootstrap.ts';

/**
 * Deals runs to `folds` folds, sizes differing by one at most. The same names in any order and the same seed give the
 * same folds; a run is whole in one fold, because its rows are not independent.
 * @returns the fold of each run, 0-based.
 * @throws {Error} when a fold would be empty or a name is there twice.
 */
export const foldsOf = (runs: readonly string[], folds: number, seed: number): ReadonlyMap<string, number> => {
  if (!Number.isInteger(folds) || folds < 2 || folds > runs.length)
    throw new Error(`${folds} folds of ${runs.length} runs: expected a whole number from 2 to the number of runs`);
  const deck = [...new Set(runs)].sort();
  if (deck.length !== runs.length) throw new Error('a run is there twice: give each run once');
  const random = seededRandom(seed);
  for (let i = deck.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [deck[i], deck[j]] = [deck[j] as string, deck[i] as string];
  }
  return new Map(deck.map((run, i) => [run, i % folds]));
};

/** Settings to choose from: the declared ones first, then each candidate over them; the same settings count once. */
export const candidatesOf = (
  trainer: Pick<UseCase['trainer'], 'hyperparameters' | 'candidates'>,
): readonly Hyperparameters[] => {
  const found = new Map<string, Hyperparameters>();
  for (const candidate of [{}, ...(trainer.candidates ?? [])]) {
    const settings = { ...trainer.hyperparameters, ...candidate };
    const key = JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (!found.has(key)) found.set(key, settings);
  }
  return [...found.values()];
};

/** Squared errors of one candidate on the runs that a fold left out. */
export interface FoldError {
  readonly rows: number;
  readonly sumSquared: number;
}

export interface CandidateErrors {
  readonly settings: Hyperparameters;
  readonly folds: readonly FoldError[];
}

/** RMSE over all rows that the folds left out, label units. */
export const foldsRmse = (folds: readonly FoldError[]): number =>
  Math.sqrt(folds.reduce((sum, f) => sum + f.sumSquared, 0) / folds.reduce((sum, f) => sum + f.rows, 0));

/**
 * The candidate with the smallest error over all folds; of equals the one that was declared first.
 * @throws {Error} without candidates, or naming one whose error is no finite number.
 */
export const chooseCandidate = <C extends CandidateErrors>(candidates: readonly C[]): C => {
  let best: C | null = null;
  for (const candidate of candidates) {
    if (!Number.isFinite(foldsRmse(candidate.folds)))
      throw new Error(`${JSON.stringify(candidate.settings)}: the folds gave no finite error; remove the candidate`);
    if (best === null || foldsRmse(candidate.folds) < foldsRmse(best.folds)) best = candidate;
  }
  if (best === null) throw new Error('there is no candidate to choose from');
  return best;
};
