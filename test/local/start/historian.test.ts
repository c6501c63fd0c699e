import { gunzipSync } from 'node:zlib';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Frame } from '../../../core/contracts/frame.ts';
import type { RunHistory } from '../../../core/contracts/source.ts';
import { runObjects, sendPlantEvents, uploadHistory } from '../../../local/plant/historian.ts';

const history: RunHistory = {
  asset: 'a',
  run: 'r1',
  frames: [1, 2].map((index) => ({
    schema: 'frame/1' as const,
    site: 'plant-a',
    asset: 'a',
    run: 'r1',
    index,
    context: 'normal',
    sourceTime: '2026-01-01T00:00:00.000Z',
    receivedTime: '2026-01-01T00:00:00.000Z',
    signals: { speed: { value: 1, quality: 'GOOD' as const } },
  })),
  events: [
    {
      schema: 'plant-event/1',
      eventId: 'e1',
      kind: 'failure',
      site: 'plant-a',
      asset: 'a',
      run: 'r1',
      index: 2,
      validTime: '2026-01-01T00:00:00.000Z',
      knownTime: '2026-01-01T00:00:00.000Z',
      reportedBy: 'maintenance',
      detail: {},
    },
  ],
};
const source = {
  name: 's',
  live: () => [],
  *history() {
    yield history;
  },
};

/** An S3 and a Lambda that remember what they were asked. */
const fakes = (present: string[] = [], refuses?: string) => {
  const puts: { Key: string; Body: Uint8Array }[] = [];
  const calls: unknown[] = [];
  const s3 = {
    send: async (command: { constructor: { name: string }; input: never }) => {
      if (command.constructor.name === 'ListObjectsV2Command') return { Contents: present.map((Key) => ({ Key })) };
      puts.push(command.input);
      return {};
    },
  } as unknown as S3Client;
  const lambda = {
    send: async (command: { input: { Payload: Uint8Array } }) => {
      calls.push(JSON.parse(Buffer.from(command.input.Payload).toString()));
      return refuses === undefined
        ? {}
        : { FunctionError: 'Unhandled', Payload: Buffer.from(JSON.stringify({ errorMessage: refuses })) };
    },
  } as unknown as LambdaClient;
  return { s3, lambda, puts, calls };
};

describe('the historian', () => {
  test('uploads one object a run whose lines are its frames, then what became known', async () => {
    const { s3, lambda, puts, calls } = fakes();
    const done = await uploadHistory(source, {
      s3,
      lambda,
      lakeBucket: 'lake',
      plantEventsFunction: 'f',
      site: 'plant-a',
      registered: new Set(),
    });
    expect(done).toMatchObject({ runs: 1, frames: 2, uploaded: 1, skipped: 0, events: 1 });
    expect(puts[0]?.Key).toBe('raw/frames/site=plant-a/asset=a/run=r1/0000000001-0000000002.ndjson.gz');
    const lines = gunzipSync(puts[0]?.Body as Uint8Array)
      .toString()
      .trim()
      .split('\n');
    expect(lines.map((l) => JSON.parse(l))).toEqual(history.frames);
    expect(calls).toEqual([{ events: history.events }]);
  });

  test('skips an object that is there and registered', async () => {
    const key = runObjects(history, 'plant-a')[0]?.key as string;
    const { s3, lambda, puts } = fakes([key]);
    const options = { s3, lambda, lakeBucket: 'lake', plantEventsFunction: 'f', site: 'plant-a' };
    const done = await uploadHistory(source, { ...options, registered: new Set([key]) });
    expect(done).toMatchObject({ uploaded: 0, skipped: 1 });
    expect(puts).toEqual([]);
  });

  test('uploads an object again that is there and was never registered', async () => {
    const { s3, lambda } = fakes(runObjects(history, 'plant-a').map((o) => o.key));
    const options = { s3, lambda, lakeBucket: 'lake', plantEventsFunction: 'f', site: 'plant-a' };
    const done = await uploadHistory(source, { ...options, registered: new Set() });
    expect(done).toMatchObject({ uploaded: 1, skipped: 0 });
  });

  test('gives the same bytes for the same run', () => {
    expect(runObjects(history, 'plant-a')).toEqual(runObjects(history, 'plant-a'));
  });

  test('cuts a run where its indexes would be more than an object may have', () => {
    const frames = [1, 100_000, 100_001, 300_000].map((index) => ({ ...(history.frames[0] as Frame), index }));
    const objects = runObjects({ ...history, frames }, 'plant-a');
    expect(objects.map((o) => o.key.slice(-30, -10))).toEqual([
      '000000001-0000100000',
      '000100001-0000100001',
      '000300000-0000300000',
    ]);
    expect(objects.map((o) => gunzipSync(o.body).toString().trim().split('\n').length)).toEqual([2, 1, 1]);
  });

  test('refuses a run without frames by name', () => {
    expect(() => runObjects({ ...history, frames: [] }, 'plant-a')).toThrow(/run r1 of a has no frames/);
  });

  test('passes on the reason for which plant events were refused', async () => {
    const { lambda } = fakes([], 'index: expected a number');
    await expect(sendPlantEvents(lambda, 'f', history.events)).rejects.toThrow(
      /f refused plant events: index: expected/,
    );
  });

  test('stops at the first upload that fails and tells its error', async () => {
    const { lambda, calls } = fakes();
    const s3 = {
      send: async (command: { constructor: { name: string } }) => {
        if (command.constructor.name === 'ListObjectsV2Command') return {};
        throw new Error('AccessDenied');
      },
    } as unknown as S3Client;
    const options = { s3, lambda, lakeBucket: 'lake', plantEventsFunction: 'f', site: 'plant-a' };
    await expect(uploadHistory(source, { ...options, registered: new Set() })).rejects.toThrow('AccessDenied');
    expect(calls).toEqual([]);
  });
});
