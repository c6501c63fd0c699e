import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS, type EventDetail } from '#core/contracts/events.ts';
import { onceEach } from '#core/policy/once-each.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, batchFailures } from '../shared/batch.ts';
import { type StoreDeps, storeFeatures } from '../shared/feature-store.ts';
import { publishedFeatureSets } from '../shared/published-feature-sets.ts';

export interface Deps extends StoreDeps {
  readonly registry: StoreDeps['registry'] & Pick<RegistryReader, 'list'>;
  readonly log: BatchLog;
}

const Event = z.object({ detail: EVENTS.FramesRegistered });
type Registered = EventDetail<'FramesRegistered'>;

interface Stretch extends Registered {
  readonly messageIds: readonly string[];
}

/** Uploads of one run that follow each other are one stretch: the frames before are read once for all of them. */
const stretches = (messages: readonly { readonly messageId: string; readonly detail: Registered }[]): Stretch[] => {
  const found: Stretch[] = [];
  const byRun = Map.groupBy(messages, ({ detail: d }) => `${d.site}/${d.asset}/${d.run}`);
  for (const ofRun of byRun.values()) {
    const own: Stretch[] = [];
    for (const { messageId, detail } of ofRun.sort((a, b) => a.detail.first - b.detail.first)) {
      const open = own.at(-1);
      if (open !== undefined && detail.first <= open.last + 1)
        own[own.length - 1] = {
          ...open,
          last: Math.max(open.last, detail.last),
          messageIds: [...open.messageIds, messageId],
        };
      else own.push({ ...detail, messageIds: [messageId] });
    }
    found.push(...own);
  }
  return found;
};

/**
 * Keeps the offline store up with what is registered: rows of every published feature set whose signals the frames have,
 * or had before they were corrected: a correction may take a signal away. The same events again write the same objects. Uploads of which some bytes are gone go back to the queue.
 */
export const makeHandler = (deps: Deps) => {
  const store = async (stretch: Stretch, sets: Awaited<ReturnType<typeof publishedFeatureSets>>): Promise<void> => {
    for (const { digest, definition } of sets) {
      const { failed } = await storeFeatures(deps, { ...stretch, featureSetDigest: digest, definition });
      if (failed.length > 0)
        throw new Error(
          `${failed.length} raw objects gave no rows of ${definition.featureSet.id}: ${failed.map((f) => `${f.key}: ${f.reason}`).join('; ')}`,
        );
    }
  };
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failures = batchFailures(deps.log);
    const messages: { messageId: string; detail: Registered }[] = [];
    for (const { messageId, body } of event.Records)
      try {
        messages.push({ messageId, detail: parseAs(Event, JSON.parse(body), 'FramesRegistered event').detail });
      } catch (error) {
        failures.add(messageId, error);
      }
    const setsOf = onceEach((site: string) => publishedFeatureSets(deps.registry, site));
    for (const stretch of stretches(messages))
      try {
        await store(stretch, await setsOf(stretch.site));
      } catch (error) {
        for (const messageId of stretch.messageIds) failures.add(messageId, error);
      }
    return failures.answer();
  };
};
