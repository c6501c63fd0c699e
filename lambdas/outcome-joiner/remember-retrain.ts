import type { EventDetail } from '#core/contracts/events.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type Item, type JudgementTable, versionOf } from '../shared/judgement-table.ts';
import { untilUndisturbed } from '../shared/undisturbed.ts';

interface Deps {
  readonly judgement: JudgementTable;
  readonly registry: Pick<RegistryReader, 'latest'>;
}

/** Changes what is kept of a retrain that the judge asked for. @param change answers null when nothing changes. */
const change = (
  table: JudgementTable,
  modelLine: string,
  requestId: string,
  changed: (item: Item) => Readonly<Record<string, unknown>> | null,
): Promise<true> =>
  untilUndisturbed(`retrain ${requestId}`, async () => {
    const item = await table.get(judgementKeys.retrain(modelLine, requestId));
    const next = item === null ? null : changed(item);
    if (item === null || next === null) return true;
    return (await table.putAll([{ item: { ...item, ...next }, readAt: versionOf(item) }])) ? true : null;
  });

/** Keeps how a retrain ended that the judge had asked for; of others it keeps nothing. @returns the line to judge anew. */
export const rememberRetrain = async (
  deps: Deps,
  { modelLine, requestId, outcome }: EventDetail<'RetrainFinished'>,
): Promise<readonly string[]> => {
  await change(deps.judgement, modelLine, requestId, (item) => (item['outcome'] === 'running' ? { outcome } : null));
  return [modelLine];
};

/**
 * After a release the line is judged anew. A retrain was in vain whose package was not released, or was, and had to go
 * again for the champion under which it was asked for. The word of the release may come before that of the retrain.
 */
export const rememberRelease = async (
  deps: Deps,
  { modelLine, packageDigest, outcome }: EventDetail<'ReleaseFinished'>,
): Promise<readonly string[]> => {
  for (const { requestId } of await deps.judgement.list(judgementKeys.line(modelLine), 'RETRAIN#')) {
    const made = (await deps.registry.latest('retrain', requestId as string))?.body['packageDigest'];
    await change(deps.judgement, modelLine, requestId as string, (item) => {
      if (made === packageDigest) return outcome === 'released' ? { released: true } : { outcome: 'not-released' };
      const back = item['released'] === true && outcome === 'released' && item['champion'] === packageDigest;
      return back ? { outcome: 'not-released' } : null;
    });
  }
  return [modelLine];
};
