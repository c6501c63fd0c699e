import { gzipSync } from 'node:zlib';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { lakeKeys, MAX_FRAMES_SPAN } from '#core/contracts/lake.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { PlantSource, RunHistory } from '#core/contracts/source.ts';
import { listKeys } from '#core/lake/list-keys.ts';
import { callFunction } from '#core/policy/call-again.ts';

export interface HistorianOptions {
  readonly s3: S3Client;
  readonly lambda: LambdaClient;
  readonly lakeBucket: string;
  readonly plantEventsFunction: string;
  readonly site: string;
  /** Keys that the registry knows. What is there and not known is uploaded again: its notice may have been lost. */
  readonly registered: ReadonlySet<string>;
  /** Uploads in flight at a time. */
  readonly parallel?: number;
  readonly onProgress?: (done: HistoryUpload) => void;
}

export interface HistoryUpload {
  readonly runs: number;
  readonly frames: number;
  readonly uploaded: number;
  readonly skipped: number;
  readonly bytes: number;
  readonly events: number;
}

const EVENTS_IN_A_CALL = 25;

/**
 * Objects of one run, one for as many indexes as an object may have: gzip NDJSON, one frame a line. The same run gives the
 * same bytes.
 */
export const runObjects = (
  { asset, run, frames }: RunHistory,
  site: string,
): readonly { readonly key: string; readonly body: Uint8Array }[] => {
  const [oldest] = frames;
  if (oldest === undefined)
    throw new Error(`run ${run} of ${asset} has no frames; a history run needs at least one: mend its source`);
  const parts = Map.groupBy(frames, ({ index }) => Math.floor((index - oldest.index) / MAX_FRAMES_SPAN));
  return [...parts.values()].map((part) => ({
    key: lakeKeys.frames({ site, asset, run, first: part[0]?.index as number, last: part.at(-1)?.index as number }),
    body: gzipSync(Buffer.from(part.map((f) => `${JSON.stringify(f)}\n`).join('')), { level: 6 }),
  }));
};

/** @throws {Error} with the function's own message when it refuses. */
export const sendPlantEvents = async (
  lambda: LambdaClient,
  functionName: string,
  events: readonly PlantEvent[],
): Promise<void> => {
  for (let i = 0; i < events.length; i += EVENTS_IN_A_CALL) {
    const request = JSON.stringify({ events: events.slice(i, i + EVENTS_IN_A_CALL) });
    const { failure } = await callFunction(() =>
      lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(request) })),
    );
    if (failure === null) continue;
    throw new Error(
      `${functionName} refused plant events: ${failure.errorMessage ?? failure.functionError}; mend the events and send them again`,
    );
  }
};

/**
 * Uploads a source's history to the lake as a plant historian does: runs as objects, straight to S3, then what became
 * known. Objects that are there and registered are skipped; plant events are idempotent by their id.
 */
export const uploadHistory = async (source: PlantSource, options: HistorianOptions): Promise<HistoryUpload> => {
  const { s3, lakeBucket, site, parallel = 8, onProgress } = options;
  const prefix = lakeKeys.allFramesPrefix({ site, asset: null });
  const present = new Set(
    await listKeys(async ({ token }) => {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: lakeBucket, Prefix: prefix, ContinuationToken: token }),
      );
      return { keys: (page.Contents ?? []).map((o) => o.Key as string), token: page.NextContinuationToken };
    }),
  );
  const sum = { runs: 0, frames: 0, uploaded: 0, skipped: 0, bytes: 0, events: 0 };
  const events: PlantEvent[] = [];
  const inFlight = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (const history of source.history()) {
    if (failures.length > 0) break;
    events.push(...history.events);
    sum.runs++;
    sum.frames += history.frames.length;
    for (const { key, body } of runObjects(history, site)) {
      if (present.has(key) && options.registered.has(key)) {
        sum.skipped++;
        continue;
      }
      const upload: Promise<void> = s3
        .send(new PutObjectCommand({ Bucket: lakeBucket, Key: key, Body: body, ContentType: 'application/x-ndjson' }))
        .then(() => {
          sum.uploaded++;
          sum.bytes += body.byteLength;
          onProgress?.({ ...sum });
        })
        .catch((error: unknown) => void failures.push(error))
        .finally(() => inFlight.delete(upload));
      inFlight.add(upload);
      if (inFlight.size >= parallel) await Promise.race(inFlight);
    }
  }
  await Promise.all(inFlight);
  if (failures.length > 0) throw failures[0];
  await sendPlantEvents(options.lambda, options.plantEventsFunction, events);
  sum.events = events.length;
  return sum;
};
