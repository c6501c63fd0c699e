import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { DriftWindow } from '../../contracts/drift.ts';
import { ContractError } from '../../contracts/errors.ts';
import { layoutOf } from './cells.ts';

/**
 * Whether a window was counted on the cells of a baseline: one that was not cannot be added to others, nor judged.
 * @throws {ContractError} naming the window, and in what it differs.
 */
export const checkWindow = (
  { site, device, boot, windowStart, features }: DriftWindow,
  baseline: Pick<BaselineSpec, 'features'>,
): void => {
  const names = (of: readonly { readonly name: string }[]): string => of.map((f) => f.name).join(', ');
  const [own, expected] = [names(features), names(baseline.features)];
  const problems =
    own === expected
      ? baseline.features.flatMap(({ name, cells }, i) => {
          const [got, { count }] = [features[i]?.counts.length, layoutOf(cells)];
          return got === count ? [] : [`${name}: expected counts of ${count} cells as in the baseline, got ${got}`];
        })
      : [`expected the features ${expected} as in the baseline, got ${own}`];
  if (problems.length > 0)
    throw new ContractError(`window ${windowStart} of ${site}/${device}, boot ${boot}`, problems);
};
