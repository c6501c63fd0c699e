import { gunzipSync, gzipSync } from 'node:zlib';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { Frame } from '#core/contracts/frame.ts';
import { lakeKeys, type RawObjectRecord } from '#core/contracts/lake.ts';
import { type BatchLog, recordBatch } from '../shared/batch.ts';
import type { Ledger, LedgerCommandInput } from '../shared/ledger-client.ts';
import { type CreatedObject, parseObjectCreated } from '../shared/object-created.ts';
import { type ObjectStore, sha256 } from '../shared/object-store.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly ledger: Ledger;
  readonly log: BatchLog;
}

const KEY = /^raw\/frames\/site=([^/]+)\/asset=([^/]+)\/run=([^/]+)\/(\d{10})-(\d{10})\.ndjson\.gz$/;

interface Checked {
  readonly frames: readonly Frame[];
  readonly bad: readonly { readonly line: number; readonly reason: string; readonly text: string }[];
}

/** Splits the lines of an upload into frames that keep their contract and the key's promise, and the rest with reasons. */
export const checkLines = (text: string, key: string): Checked => {
  const [, site, asset, run] = KEY.exec(key) ?? [];
  const frames: Frame[] = [];
  const bad: { line: number; reason: string; text: string }[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    try {
      const frame = parseAs(Frame, JSON.parse(line), `line ${i + 1}`);
      if (frame.site !== site || frame.asset !== asset || frame.run !== run)
        throw new ContractError(`line ${i + 1}`, [
          `is of ${frame.site}/${frame.asset}/${frame.run}, but the key says ${site}/${asset}/${run}`,
        ]);
      frames.push(frame);
    } catch (error) {
      bad.push({ line: i + 1, reason: (error as Error).message, text: line.slice(0, 4000) });
    }
  }
  return { frames, bad };
};

/**
 * Registers uploads of frames. Bad lines are copied to quarantine with their reasons and announced; good ones count.
 * An upload of which nothing is readable is quarantined whole. The raw object itself is never changed.
 */
export const makeHandler = (deps: Deps) => {
  const register = async (object: CreatedObject): Promise<LedgerCommandInput | null> => {
    const parts = KEY.exec(object.key);
    const bytes = await deps.lake.get(object.key, object.versionId);
    const digest = sha256(bytes);
    let checked: Checked;
    if (parts === null)
      checked = {
        frames: [],
        bad: [{ line: 0, reason: 'the key is not raw/frames/site=…/asset=…/run=…/first-last.ndjson.gz', text: '' }],
      };
    else
      try {
        checked = checkLines(gunzipSync(bytes).toString('utf8'), object.key);
      } catch (error) {
        checked = { frames: [], bad: [{ line: 0, reason: `not gzip: ${(error as Error).message}`, text: '' }] };
      }
    const site = parts?.[1] ?? 'unknown';
    if (checked.bad.length > 0)
      await deps.lake.put(
        lakeKeys.quarantine(object.key),
        gzipSync(checked.bad.map((b) => JSON.stringify(b)).join('\n')),
        'application/gzip',
      );
    if (parts === null) {
      deps.log.error(`${object.key} was put aside`, new Error(checked.bad[0]?.reason));
      return null;
    }
    const indexes = checked.frames.map((f) => f.index);
    const body: RawObjectRecord = {
      schema: 'raw-object/1',
      bucket: object.bucket,
      key: object.key,
      versionId: object.versionId,
      digest,
      bytes: bytes.byteLength,
      site,
      asset: parts[2] as string,
      run: parts[3] as string,
      firstIndex: indexes.length === 0 ? Number(parts[4]) : Math.min(...indexes),
      lastIndex: indexes.length === 0 ? Number(parts[5]) : Math.max(...indexes),
      frames: checked.frames.length,
      quarantined: checked.bad.length,
      signals: [...new Set(checked.frames.flatMap((f) => Object.keys(f.signals)))].sort(),
    };
    return {
      schema: 'ledger-command/1',
      commandId: `raw/${object.key}/${digest}`.slice(0, 200),
      site,
      actor: 'lambda:register-upload',
      reason: 'frames were uploaded',
      record: { class: 'raw-object', id: object.key, body: { ...body } },
      ...(checked.bad.length === 0
        ? {}
        : {
            announce: {
              type: 'Quarantined',
              detail: {
                site,
                key: object.key,
                reason: (checked.bad[0]?.reason ?? '').slice(0, 400),
                records: checked.bad.length,
              },
            },
          }),
    };
  };
  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    recordBatch(event, deps, (body) => register(parseObjectCreated(body)));
};
