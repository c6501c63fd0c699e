import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { digestTopic, FeatureDigest } from '#core/contracts/device.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import type { BatchLog } from '../shared/batch.ts';
import { readDeviceMessage } from '../shared/device-message.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { writeParquet } from '../shared/parquet.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly stage: string;
  readonly log: BatchLog;
  readonly now: () => string;
}

/**
 * Writes the digests of a batch to the telemetry table, one file a site: small messages become few large objects.
 * A message that breaks its contract or speaks for another device goes back to its queue and from there to the dead letters; the rest is written.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failed: string[] = [];
    const bySite = new Map<string, { messageId: string; digest: FeatureDigest }[]>();
    for (const { messageId, body } of event.Records)
      try {
        const digest = readDeviceMessage(FeatureDigest, JSON.parse(body), deps.stage, digestTopic);
        bySite.set(digest.site, [...(bySite.get(digest.site) ?? []), { messageId, digest }]);
      } catch (error) {
        deps.log.error(`message ${messageId} is no feature digest of its sender`, error as Error);
        failed.push(messageId);
      }
    for (const [site, messages] of bySite) {
      const rows = messages.flatMap(({ digest }) => digest.features.map((f) => ({ ...digest, ...f })));
      const text = (name: string, of: (r: (typeof rows)[number]) => string) => ({
        name,
        type: 'string' as const,
        data: rows.map(of),
      });
      // Named by its first message: a batch that comes again whole overwrites itself.
      const id = (messages[0] as { messageId: string }).messageId;
      try {
        await deps.lake.put(
          lakeKeys.digests({ site, date: deps.now().slice(0, 10), id }),
          writeParquet([
            text('device', (r) => r.device),
            text('boot', (r) => r.boot),
            text('model_line', (r) => r.modelLine),
            text('package_digest', (r) => r.packageDigest),
            { name: 'window_start', type: 'integer', data: rows.map((r) => r.windowStart) },
            { name: 'window_end', type: 'integer', data: rows.map((r) => r.windowEnd) },
            text('feature', (r) => r.name),
            { name: 'counts', type: 'list<integer>', data: rows.map((r) => r.counts) },
          ]),
        );
      } catch (error) {
        deps.log.error(`digests of site ${site} could not be written`, error as Error);
        failed.push(...messages.map((m) => m.messageId));
      }
    }
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
