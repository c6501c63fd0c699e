import type { MessageRules } from '#core/lake/check-message.ts';
import { landMessages } from '../shared/land-messages.ts';
import type { LandingDeps } from '../shared/landing.ts';
import type { LedgerCommandInput } from '../shared/ledger-client.ts';
import type { CreatedObject } from '../shared/object-created.ts';
import { sha256 } from '../shared/object-store.ts';
import { type BadLine, OBSERVATIONS_KEY, readObservationUpload } from '../shared/observation-upload.ts';
import { asideCommand, putLinesAside, UNKNOWN_SITE } from '../shared/put-aside.ts';

/**
 * Lands the observations of an upload, each message once, whether it also came by MQTT or not; bad lines are put aside.
 * @returns the command that records what was put aside, or null.
 * @throws {Error} when messages could not land yet: the upload is taken again, whole.
 */
export const takeUpload = async (
  deps: LandingDeps,
  { key, versionId }: CreatedObject,
  rules: MessageRules,
): Promise<LedgerCommandInput | null> => {
  const bytes = await deps.lake.get(key, versionId);
  const { good, bad } = readObservationUpload(bytes, key, rules);
  const fates = await landMessages(
    deps,
    good.map((g) => g.message),
  );
  const failed = fates.find((fate) => typeof fate === 'object');
  if (failed !== undefined) throw failed.failed;
  const later = fates.filter((fate) => fate === 'later').length;
  if (later > 0) throw new Error(`${later} messages of ${key} are claimed by a batch that may still be writing`);
  const aside: BadLine[] = [...bad];
  for (const [i, { line, message }] of good.entries())
    if (fates[i] === 'name-used')
      aside.push({
        line,
        class: 'name-used',
        reason: `${message.id} landed before with other content`,
        text: '',
      });
  const [first] = aside;
  if (first === undefined) return null;
  return asideCommand({
    aside: {
      key: await putLinesAside(deps.lake, { key, versionId }, aside),
      versionId,
      site: OBSERVATIONS_KEY.exec(key)?.[1] ?? UNKNOWN_SITE,
      records: aside.length,
      reason: first.reason,
    },
    content: [sha256(bytes)],
    actor: 'lambda:batch-writer',
    says: 'observations of an upload could not land',
  });
};
