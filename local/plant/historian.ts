import { gzipSync } from 'node:zlib';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { lakeKeys } from '#core/contracts/lake.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { PlantSource, RunHistory } from '#core/contracts/source.ts';
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

/** Object of one run: gzip NDJSON, one frame a line. The same run gives the same bytes. */
export const runObject = ({ asset, run, frames }: RunHistory, site: string): { key: string; body: Uint8Array } => {
  const first = frames[0]?.index;
  const last = frames.at(-1)?.index;
  if (first === undefined || last === undefined)
    throw new Error(`run ${run} of ${asset} has no frames; a history run needs at least one: mend its source`);
  return {
    key: lakeKeys.frames({ site, asset, run, first, last }),
    body: gzipSync(Buffer.from(frames.map((f) => `${JSON.stringify(f)}\n`).join('')), { level: 6 }),
  };
};

const listKeys = async (s3: S3Client, bucket: string, prefix: string): Promise<Set<string>> => {
  const keys = new Set<string>();
  for (let token: string | undefined; ; ) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(token ? { ContinuationToken: token } : {}) }),
    );
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.add(Key);
    token = page.NextContinuationToken;
    if (token === undefined) return keys;
  }
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
 * Uploads a source's history to the lake as a plant historian does: one object a run, straight to S3, then what became
 * known. Objects that are there and registered are skipped; plant events are idempotent by their id.
 */
export const uploadHistory = async (source: PlantSource, options: HistorianOptions): Promise<HistoryUpload> => {
  const { s3, lakeBucket, site, parallel = 8, onProgress } = options;
  const present = await listKeys(s3, lakeBucket, `raw/frames/site=${site}/`);
  const sum = { runs: 0, frames: 0, uploaded: 0, skipped: 0, bytes: 0, events: 0 };
  const events: PlantEvent[] = [];
  const inFlight = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (const history of source.history()) {
    if (failures.length > 0) break;
    events.push(...history.events);
    sum.runs++;
    sum.frames += history.frames.length;
    const { key, body } = runObject(history, site);
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
  await Promise.all(inFlight);
  if (failures.length > 0) throw failures[0];
  await sendPlantEvents(options.lambda, options.plantEventsFunction, events);
  sum.events = events.length;
  return sum;
};
