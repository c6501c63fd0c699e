import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UplinkConfig } from '#core/contracts/device.ts';
import { observationTopic } from '#core/contracts/observation.ts';
import { observationMessages } from '#core/frames/observation-messages.ts';
import { Spool } from '../../../greengrass-components/shared/spool.ts';
import {
  backoffMs,
  type DrainDeps,
  drainDecisions,
  drainFrames,
  drainMessages,
  drainObservations,
  enforceLimits,
} from '../../../greengrass-components/uplink/drain.ts';
import { readObservationUpload } from '../../../lambdas/shared/observation-upload.ts';
import { jsonLines } from '../../support/json-lines.ts';
import { makeFrame } from '../../support/model-package.ts';
import { observation } from '../../support/observations.ts';

let dir: string;
let spool: Spool;
let now: number;
let objects: Map<string, Uint8Array>;
let published: string[];
let online: boolean;
let deps: DrainDeps;

const decide = (boot: string, sequence: number): void => {
  const frame = makeFrame(sequence, 1, { run: `run-${boot}` });
  const row = spool.insertIntent(
    boot,
    sequence,
    {
      asset: frame.asset,
      run: frame.run,
      index: sequence,
      sourceTime: frame.sourceTime,
      decidedAt: frame.sourceTime,
      inputDigest: '',
      packageDigest: null,
      featureSetDigest: null,
    },
    JSON.stringify(frame),
    now,
  );
  spool.setRecord(row, JSON.stringify({ site: 'plant-a', device: 'edge-1', boot, sequence, packageDigest: null }));
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-drain-'));
  spool = new Spool(join(dir, 'spool.db'));
  now = 1_000_000;
  objects = new Map();
  published = [];
  online = true;
  deps = {
    spool,
    config: UplinkConfig.parse({
      stage: 'local',
      site: 'plant-a',
      lakeBucket: 'lake',
      uploadEvery: '3',
      uploadSeconds: '10',
      maxSpoolMiB: '1',
    }),
    device: 'edge-1',
    clock: () => now,
    put: async (key, body) => {
      if (!online) throw new Error('offline');
      objects.set(key, body);
    },
    publish: async (_, payload) => {
      if (!online) throw new Error('offline');
      published.push(payload);
    },
  };
});
afterEach(() => {
  spool.close();
  rmSync(dir, { recursive: true });
});

const keys = (): string[] => [...objects.keys()];

describe('uploading decisions', () => {
  it('waits until enough are there, or the oldest has waited long enough', async () => {
    decide('b1-x', 1);
    expect(await drainDecisions(deps)).toBe(false);
    now += 10_000;
    expect(await drainDecisions(deps)).toBe(true);
    for (const s of [2, 3, 4]) decide('b1-x', s);
    expect(await drainDecisions(deps)).toBe(true);
    expect(keys().map((k) => k.split('/').at(-1))).toEqual([
      'b1-x-0000000001-0000000001.ndjson',
      'b1-x-0000000002-0000000004.ndjson',
    ]);
  });

  it('does not wait for more of a boot that ended', async () => {
    decide('b1-x', 1);
    decide('b2-x', 1);
    expect(await drainDecisions(deps)).toBe(true);
    expect(keys()[0]).toContain('b1-x-');
  });

  it('tries the very same object again after a failure, although more decisions came', async () => {
    decide('b1-x', 1);
    now += 10_000;
    online = false;
    await expect(drainDecisions(deps)).rejects.toThrow('offline');
    decide('b1-x', 2);
    online = true;
    expect(await drainDecisions(deps)).toBe(true);
    expect(keys()[0]).toContain('0000000001-0000000001');
    now += 10_000;
    expect(await drainDecisions(deps)).toBe(true);
    expect(keys()[1]).toContain('0000000002-0000000002');
  });

  it('forgets a plan whose decisions were dropped', async () => {
    decide('b1-x', 1);
    now += 10_000;
    online = false;
    await expect(drainDecisions(deps)).rejects.toThrow('offline');
    spool.enforce(0, 0);
    online = true;
    expect(await drainDecisions(deps)).toBe(false);
    decide('b1-x', 2);
    now += 10_000;
    expect(await drainDecisions(deps)).toBe(true);
  });
});

describe('uploading frames', () => {
  it('leaves frames for the next object that are further on in the run than an object may reach', async () => {
    for (const s of [100_002, 3, 250_000]) decide('b1-x', s);
    now += 40_000;
    expect([await drainFrames(deps), await drainFrames(deps), await drainFrames(deps)]).toEqual([true, true, false]);
    expect(keys().map((k) => k.split('/').at(-1))).toEqual([
      '0000000003-0000100002.ndjson.gz',
      '0000250000-0000250000.ndjson.gz',
    ]);
    expect([...objects.values()].flatMap((o) => jsonLines<{ index: number }>(o).map((f) => f.index))).toEqual([
      3, 100_002, 250_000,
    ]);
  });

  it('puts the frames of a run into one object, in order, and each only once', async () => {
    for (const s of [2, 1, 3]) decide('b1-x', s);
    expect(await drainFrames(deps)).toBe(false);
    now += 40_000;
    expect(await drainFrames(deps)).toBe(true);
    expect(await drainFrames(deps)).toBe(false);
    const [[key, body]] = [...objects] as [[string, Uint8Array]];
    expect(key).toBe(
      'raw/frames/site=plant-a/asset=spindle-1/run=run-b1-x/local-plant-a-edge-1/0000000001-0000000003.ndjson.gz',
    );
    const indexes = jsonLines<{ index: number }>(body).map((l) => l.index);
    expect(indexes).toEqual([1, 2, 3]);
  });

  it('leaves them out when the configuration says so', async () => {
    decide('b1-x', 1);
    now += 40_000;
    expect(await drainFrames({ ...deps, config: { ...deps.config, rawFrames: 'false' } })).toBe(false);
    expect(spool.framesToSend(10, 1e6)).toEqual([]);
  });
});

describe('publishing messages', () => {
  it('keeps order, and what was not taken', async () => {
    for (const m of ['one', 'two']) spool.putMessage('t', m, now, null);
    online = false;
    await expect(drainMessages(deps)).rejects.toThrow('offline');
    online = true;
    expect(await drainMessages(deps)).toBe(true);
    expect(published).toEqual(['one', 'two']);
    expect(await drainMessages(deps)).toBe(false);
  });
});

describe('observations after an outage', () => {
  const RULES = { stage: 'local', unitsOf: () => [] };
  const wait = (from: number, to: number): void => {
    for (let sequence = from; sequence <= to; sequence++) {
      const [message] = observationMessages(
        { site: 'plant-a', device: 'edge-1', boot: 'b1-x', provenance: { connector: 'c', configVersion: '1' } },
        [observation(sequence, sequence)],
        () => sequence,
      );
      spool.putMessage(observationTopic('local', 'plant-a', 'edge-1'), JSON.stringify(message), now, null);
    }
  };
  const waiting = (): readonly string[] => spool.messages(10_000).map((m) => m.payload);

  it('go as one object of the newest thousand, which the reader of uploads takes as the messages they are', async () => {
    spool.putMessage('other', 'a report', now, null);
    wait(1, 1200);
    const before = waiting();
    expect(await drainObservations(deps)).toBe(true);
    expect(waiting()).toEqual(before.slice(0, 201));
    const [[key, bytes]] = [...objects] as [[string, Uint8Array]];
    expect(key).toBe('raw/observations/site=plant-a/local-plant-a-edge-1/b1-x-201-b1-x-1200.ndjson.gz');
    const { good, bad } = readObservationUpload(bytes, key, RULES);
    expect(bad).toEqual([]);
    expect(good.map((g) => g.message.id)).toEqual(
      Array.from({ length: 1000 }, (_, i) => `plant-a/edge-1/b1-x/${201 + i}`),
    );
  });

  it('stay messages where fewer than 500 wait', async () => {
    wait(1, 499);
    expect(await drainObservations(deps)).toBe(false);
    expect([objects.size, waiting().length]).toEqual([0, 499]);
  });

  it('stay in the spool when the lake does not take them', async () => {
    wait(1, 500);
    online = false;
    await expect(drainObservations(deps)).rejects.toThrow('offline');
    expect(waiting()).toHaveLength(500);
  });
});

describe('the limits', () => {
  it('are bytes and age of what waits', () => {
    decide('b1-x', 1);
    spool.putMessage('t', 'm'.repeat(2 * 2 ** 20), now, null);
    // Frames go first, then the message brings it under the limit: the decision stays.
    expect(enforceLimits(deps)).toEqual({ frames: 1, messages: 1, decisions: 0 });
    now += 61 * 86_400_000;
    expect(enforceLimits(deps)).toEqual({ frames: 0, messages: 0, decisions: 1 });
  });
});

it('waits ever longer between tries, at most a minute', () => {
  expect([1, 2, 3, 100].map(backoffMs)).toEqual([1000, 2000, 4000, 60_000]);
});
