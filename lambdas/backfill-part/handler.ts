import { parseAs } from '#core/contracts/errors.ts';
import { BackfillItem, type BackfillPart } from '#core/contracts/feature-store.ts';
import { backfillKeys } from '#core/contracts/lake.ts';
import { Refused } from '../shared/errors.ts';
import { type StoreDeps, storeFeatures } from '../shared/feature-store.ts';
import { putJson } from '../shared/object-store.ts';
import { readFeatureSet } from '../shared/published-feature-sets.ts';

/**
 * One part of a backfill: rows of some frames of a run, whatever was written before. What it did is an object of its
 * own; raw objects that give no rows are named there and do not stop the others.
 * @throws {Refused} when the registry does not know the feature set.
 */
export const makeHandler =
  (deps: StoreDeps) =>
  async (event: unknown): Promise<{ part: number; rows: number }> => {
    const item = parseAs(BackfillItem, event, 'backfill item');
    const definition = await readFeatureSet(deps.registry, item.featureSetDigest);
    if (definition === null) throw new Refused(`the registry has no feature set ${item.featureSetDigest}`);
    const { rows, written, unchanged, failed } = await storeFeatures(deps, {
      ...item,
      definition,
      days: { from: item.from, to: item.to },
    });
    const part: BackfillPart = {
      part: item.part,
      rows,
      written: written.length,
      unchanged: unchanged.length,
      failed: [...failed],
    };
    await putJson(deps.lake, backfillKeys.part(item.backfillId, item.part), part);
    return { part: item.part, rows };
  };
