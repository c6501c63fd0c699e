import type { EventDetail } from '#core/contracts/events.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type Item, type JudgementTable, versionOf } from '../shared/judgement-table.ts';
import { readModelLine } from '../shared/retrain-run.ts';
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

/** `tried`: it went well, to some rings only. */
type Ended = 'crowned' | 'tried' | 'in vain';

/** What a release of the package that a retrain made says of the retrain; one whose package served stays so. */
const ofOwn = (item: Item, packageDigest: string, how: Ended): Readonly<Record<string, unknown>> | null => {
  if (how === 'crowned') return { outcome: 'candidate', released: packageDigest };
  return how === 'in vain' && item['released'] === undefined ? { outcome: 'not-released' } : null;
};

/**
 * After a release the line is judged anew. A retrain was in vain whose package was not released, or was, and had to go
 * again for the champion under which it was asked for. The word of the release may come before that of the retrain.
 */
export const rememberRelease = async (
  deps: Deps,
  { modelLine, packageDigest, outcome }: EventDetail<'ReleaseFinished'>,
): Promise<readonly string[]> => {
  const champion = (await readModelLine(deps.registry, modelLine))?.line.champion?.packageDigest;
  const how: Ended = outcome !== 'released' ? 'in vain' : champion === packageDigest ? 'crowned' : 'tried';
  for (const { requestId } of await deps.judgement.list(judgementKeys.line(modelLine), 'RETRAIN#')) {
    const made = (await deps.registry.latest('retrain', requestId as string))?.body['packageDigest'];
    await change(deps.judgement, modelLine, requestId as string, (item) => {
      if (made === packageDigest) return ofOwn(item, packageDigest, how);
      const back = item['released'] !== undefined && how === 'crowned' && item['champion'] === packageDigest;
      return back ? { outcome: 'not-released' } : null;
    });
  }
  return [modelLine];
};
