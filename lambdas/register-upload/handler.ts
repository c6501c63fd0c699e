import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { EventType } from '#core/contracts/events.ts';
import type { RawObjectRecord } from '#core/contracts/lake.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, recordBatch } from '../shared/batch.ts';
import { FRAMES_KEY, readFrames } from '../shared/frames.ts';
import type { LandingDeps } from '../shared/landing.ts';
import type { Ledger, LedgerCommandInput } from '../shared/ledger-client.ts';
import { type CreatedObject, parseObjectCreated } from '../shared/object-created.ts';
import { type ObjectStore, sha256 } from '../shared/object-store.ts';
import { publishedUseCases } from '../shared/published-use-cases.ts';
import { putLinesAside, UNKNOWN_SITE } from '../shared/put-aside.ts';
import { landFindings } from './find-quality.ts';
import { inOrder } from './in-order.ts';

export interface Deps extends LandingDeps {
  readonly lake: ObjectStore;
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly ledger: Ledger;
  readonly log: BatchLog;
}

/**
 * Registers uploads of frames. Bad lines are copied to quarantine with their reasons and announced; good ones count.
 * An upload of which nothing is readable, or that unpacks to more than it may, is quarantined whole. The raw object
 * itself is never changed. What the checks of data quality find in good frames lands in the table `quality`.
 */
export const makeHandler = (deps: Deps) => {
  const register = async (
    object: CreatedObject,
    useCases: () => Promise<readonly UseCase[]>,
  ): Promise<LedgerCommandInput | null> => {
    const parts = FRAMES_KEY.exec(object.key);
    const bytes = await deps.lake.get(object.key, object.versionId);
    const digest = sha256(bytes);
    const checked = readFrames(bytes, object.key);
    const site = parts?.[1] ?? UNKNOWN_SITE;
    if (checked.bad.length > 0) await putLinesAside(deps.lake, object, checked.bad);
    if (parts === null) {
      deps.log.error(`${object.key} was put aside`, new Error(checked.bad[0]?.reason));
      return null;
    }
    const indexes = checked.frames.map((f) => f.index);
    const times = checked.frames.map((f) => f.sourceTime).sort();
    const [firstAt, lastAt] = [times[0], times.at(-1)];
    const body: RawObjectRecord = {
      schema: 'raw-object/1',
      bucket: object.bucket,
      key: object.key,
      versionId: object.versionId,
      ...(object.sequencer === null ? {} : { sequencer: object.sequencer }),
      digest,
      bytes: bytes.byteLength,
      site,
      asset: parts[2] as string,
      run: parts[3] as string,
      firstIndex: indexes.length === 0 ? Number(parts[4]) : Math.min(...indexes),
      lastIndex: indexes.length === 0 ? Number(parts[5]) : Math.max(...indexes),
      ...(firstAt === undefined || lastAt === undefined ? {} : { firstAt, lastAt }),
      frames: checked.frames.length,
      quarantined: checked.bad.length,
      signals: [...new Set(checked.frames.flatMap((f) => Object.keys(f.signals)))].sort(),
    };
    await landFindings(deps, { ...body, key: object.key }, checked.frames, await useCases());
    const announce: { type: EventType; detail: Record<string, unknown> }[] = [];
    if (checked.bad.length > 0)
      announce.push({
        type: 'Quarantined',
        detail: {
          site,
          key: object.key,
          reason: (checked.bad[0]?.reason ?? '').slice(0, 400),
          records: checked.bad.length,
        },
      });
    if (checked.frames.length > 0)
      announce.push({
        type: 'FramesRegistered',
        detail: {
          site,
          asset: body.asset,
          run: body.run,
          key: object.key,
          first: body.firstIndex,
          last: body.lastIndex,
          signals: body.signals,
        },
      });
    return {
      schema: 'ledger-command/1',
      // Counts, too: after a fix of what is checked the same bytes are registered anew. The version: bytes may come back
      // after others.
      commandId: commandIdOf(
        'raw',
        object.key,
        digest,
        checked.frames.length,
        checked.bad.length,
        object.versionId ?? '',
      ),
      site,
      actor: 'lambda:register-upload',
      reason: 'frames were uploaded',
      record: { class: 'raw-object', id: object.key, body: { ...body } },
      ...(announce.length === 0 ? {} : { announce }),
    };
  };
  return (event: SQSEvent): Promise<SQSBatchResponse> => {
    let asked: Promise<readonly UseCase[]> | null = null;
    // For all uploads of a batch once; those of the next one see what was published since.
    const useCases = () => {
      asked ??= publishedUseCases(deps.registry);
      return asked;
    };
    const take = inOrder(deps, (object) => register(object, useCases));
    return recordBatch(event, deps, async (body) => take(parseObjectCreated(body)));
  };
};
