import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { DriftWindow, WindowEvidence } from '../../contracts/drift.ts';
import type { DriftFold } from '../../contracts/drift-fold.ts';
import { canonicalJson } from '../../lineage/canonical-json.ts';
import { digestOf } from '../../lineage/digest.ts';
import { FOLD_VERSION, foldWindow } from '../device/device-fold.ts';
import type { DeviceState } from '../device/device-state.ts';

/**
 * The chain that ends in a fold, the first one first. Of two folds of one place the one that the next names counts: the
 * other was written by somebody who came second and judged again.
 * @param head hash of the last; null: of the folds of the highest sequence the one whose hash sorts first.
 */
export const foldChain = (folds: readonly DriftFold[], head: string | null = null): readonly DriftFold[] => {
  const byHash = new Map(folds.map((f) => [f.evidence.hash as string, f]));
  const last = Math.max(0, ...folds.map((f) => f.evidence.sequence));
  const ends = folds.filter((f) => f.evidence.sequence === last).map((f) => f.evidence.hash as string);
  const chain: DriftFold[] = [];
  for (let hash: string | null | undefined = head ?? ends.sort()[0]; hash != null; ) {
    const fold = byHash.get(hash);
    if (fold === undefined || chain.includes(fold)) break;
    chain.unshift(fold);
    hash = fold.evidence.previous;
  }
  return chain;
};

/** Name of a window of a device, as evidence names it. */
export const windowName = ({ boot, windowStart }: Pick<DriftWindow, 'boot' | 'windowStart'>): string =>
  `${boot}/${windowStart}`;

export type WindowsByName = ReadonlyMap<string, DriftWindow>;

/** The windows of one fold. @returns null when one is not there. */
export const windowsOf = ({ windows }: WindowEvidence, known: WindowsByName): readonly DriftWindow[] | null => {
  const found = windows.map((w) => known.get(windowName(w)));
  return found.every((w) => w !== undefined) ? found : null;
};

/** What a look at a chain found. */
export type FoldVerdict =
  | { readonly holds: true; readonly folds: number }
  | { readonly holds: false; readonly sequence: number; readonly says: string };

/**
 * Looks whether every fold of a chain follows, byte by byte, from the windows, the baseline and what it was judged by.
 * @param chain from the first fold of the device on.
 */
export const verifyFolds = (chain: readonly DriftFold[], baseline: BaselineSpec, known: WindowsByName): FoldVerdict => {
  let state: DeviceState | null = null;
  for (const { evidence, policy, events } of chain) {
    const wrong = (says: string): FoldVerdict => ({ holds: false, sequence: evidence.sequence, says });
    if (evidence.sequence !== (state?.sequence ?? 0) + 1 || evidence.previous !== (state?.head ?? null))
      return wrong('it does not follow the one before: what was before is missing');
    const { foldVersion = 1 } = evidence;
    if (foldVersion !== FOLD_VERSION)
      return wrong(
        `it was judged by rules of version ${foldVersion}, these are version ${FOLD_VERSION}: use a release of them`,
      );
    const windows = windowsOf(evidence, known);
    if (windows === null) return wrong('a window that it names is not in the lake: its retention may be over');
    const changed = windows.find((w, i) => digestOf(w) !== evidence.windows[i]?.digest);
    if (changed !== undefined) return wrong(`window ${windowName(changed)} is another than it was`);
    try {
      const again = foldWindow(state, windows, { baseline, policy, events, held: evidence.held });
      if (canonicalJson(again.evidence) !== canonicalJson(evidence))
        return wrong('judged again, the same windows give another evidence: it was changed, or the rules were');
      state = again.state;
    } catch (error) {
      return wrong(`its windows cannot be judged: ${(error as Error).message}`);
    }
  }
  return { holds: true, folds: chain.length };
};
