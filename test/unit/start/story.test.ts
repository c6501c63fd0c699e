import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { Frame } from '#core/contracts/frame.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { WaveResult } from '#core/contracts/release.ts';
import type { StoryRun } from '#core/contracts/source.ts';
import { account } from '../../../local/start/story/account.ts';
import { asPlayed, eventsAsPlayed, nextBatch } from '../../../local/start/story/late-truth.ts';
import { sayWave } from '../../../local/start/story/say.ts';
import { Story } from '../../../local/start/story/story.ts';
import { StoryFile } from '../../../local/start/story/story-file.ts';

const event = (eventId: string, knownTime: string, more: Partial<PlantEvent> = {}): PlantEvent => ({
  schema: 'plant-event/1',
  eventId,
  kind: 'failure',
  site: 'plant-a',
  asset: 'm1',
  run: 'r1',
  index: 9,
  validTime: '2025-01-01T00:00:00.000Z',
  knownTime,
  reportedBy: 'maintenance',
  detail: {},
  ...more,
});
const lived = (...events: readonly PlantEvent[]): StoryRun => ({
  asset: 'm1',
  run: 'r1',
  frames: [{ sourceTime: '2025-01-01T00:00:00.000Z' } as Frame],
  remainingAtEnd: 0,
  events,
});
const DAY_MS = 86_400_000;

describe('late truth', () => {
  test('is told in the order in which it was known, by the names under which the machines played', () => {
    const late = event('b', '2025-01-09T00:00:00.000Z', { corrects: 'a' });
    const early = event('a', '2025-01-03T00:00:00.000Z');
    expect(eventsAsPlayed([[lived(late)], [lived(early)]], { lap: 4, moved: 0 })).toEqual([
      { ...early, eventId: 'a-l4', run: 'r1-l4' },
      { ...late, eventId: 'b-l4', run: 'r1-l4', corrects: 'a-l4' },
    ]);
  });

  test('leaves unnamed a run that nobody knew, and tells twice what was told twice', () => {
    const unknown = event('a', '2025-01-03T00:00:00.000Z', { run: null, index: null });
    expect(eventsAsPlayed([[lived(unknown, unknown)]], { lap: 2, moved: 0 })).toEqual([
      { ...unknown, eventId: 'a-l2' },
      { ...unknown, eventId: 'a-l2' },
    ]);
  });

  test('is as much later as the lap in which the machines lived through it', () => {
    const known = event('a', '2025-01-03T00:00:00.000Z');
    const moved = { validTime: '2025-01-31T00:00:00.000Z', knownTime: '2025-02-02T00:00:00.000Z' };
    expect(eventsAsPlayed([[lived(known)]], { lap: 4, moved: 30 * DAY_MS })).toMatchObject([moved]);
    expect(asPlayed({ ...known, run: null, corrects: 'b' }, { lap: 4, moved: 30 * DAY_MS })).toEqual({
      ...known,
      ...moved,
      eventId: 'a-l4',
      run: null,
      corrects: 'b-l4',
    });
  });

  test('is later than its source says where the run waited for the one before on its machine', () => {
    const known = event('a', '2025-01-03T00:00:00.000Z');
    const [first, second] = eventsAsPlayed([[lived(known), lived(known)]], { lap: 4, moved: 0 });
    expect([first?.validTime, second?.validTime]).toEqual([known.validTime, '2025-01-01T02:00:00.000Z']);
  });

  test('never sends several events where one of them may start a retrain', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), (has, needed, left) => {
        const size = nextBatch(has, needed, left);
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size).toBeLessThanOrEqual(left);
        if (size > 1) expect(has + size).toBeLessThan(needed);
      }),
    );
  });
});

const record = (index: number, more: Partial<DecisionRecord> = {}) =>
  ({ id: `plant-a/e/b/${index}`, asset: 'm1', run: 'r-l3', index, verdict: 'pass', ...more }) as DecisionRecord;

describe('the account of decisions', () => {
  const told = new Map([
    ['m1/r-l3/1', { id: 'plant-a/e/b/1', verdict: 'pass' }],
    ['m1/r-l3/2', { id: 'plant-a/e/b/2', verdict: 'fail' }],
  ]);
  const clean = { unrecorded: [], different: [], doubled: [], untold: [] };

  test('is even when all that was told is recorded so, or held', () => {
    const records = [record(1), record(2, { verdict: 'fail' }), record(3, { verdict: 'held' })];
    expect(account(told, records)).toEqual({ told: 2, held: 1, ...clean });
  });

  test('names what was told without a record', () => {
    expect(account(told, [record(1)])).toEqual({ told: 1, held: 0, ...clean, unrecorded: ['m1/r-l3/2'] });
  });

  test('names what the record says otherwise', () => {
    const { different } = account(told, [record(1), record(2)]);
    expect(different).toEqual(['m1/r-l3/2: the line was told fail (plant-a/e/b/2), plant-a/e/b/2 says pass']);
  });

  test('names frames that were decided twice', () => {
    const records = [record(1), record(2, { verdict: 'fail' }), record(1, { id: 'plant-a/e/b/7' })];
    expect(account(told, records).doubled).toEqual(['m1/r-l3/1']);
  });

  test('names what was recorded and never told', () => {
    const records = [record(1), record(2, { verdict: 'fail' }), record(3)];
    expect(account(told, records).untold).toEqual(['m1/r-l3/3']);
  });
});

describe('a plant without a story', () => {
  const tell = async (devices: number, story?: () => unknown) => {
    const lines: string[] = [];
    const plant = {
      stateDir: mkdtempSync(join(tmpdir(), 'mw-no-story-')),
      modelLine: 'predictive-maintenance/plant-a',
      options: { devices },
      played: { source: { name: 'recorded machines', story } },
      teller: { line: (text = '') => void lines.push(text) },
      summary: [],
    };
    try {
      const told = await new Story({ plant, devices: {}, plan: [], identity: 'seed 7' } as never).tell();
      return { told, lines };
    } finally {
      rmSync(plant.stateDir, { recursive: true });
    }
  };

  test.each([
    ['one device', 1, () => ({}), 'it takes two devices'],
    ['machines that have none', 2, undefined, 'recorded machines have none'],
    ['data that has none', 2, () => ({ none: 'there is no train_FD003.txt' }), 'there is no train_FD003.txt'],
  ])('says why, for %s, and leaves the machines to who asked', async (_, devices, story, why) => {
    expect(await tell(devices, story)).toEqual({ told: false, lines: [`  – no story after the first pass: ${why}`] });
  });
});

describe('the file of the story', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'mw-story-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('goes on where an earlier start was cut off', () => {
    const first = new StoryFile(dir, 'u/plant-a', 'seed 1');
    first.note({ lived: { lap: 3, moved: 0 } });
    first.fact('it happened');
    first.fact('it happened');
    first.timing('storySeconds', 12.345);
    expect(new StoryFile(dir, 'u/plant-a', 'seed 1').state).toMatchObject({
      lived: { lap: 3, moved: 0 },
      facts: ['it happened'],
      timings: { storySeconds: 12.3 },
    });
  });

  test('of other machines begins anew', () => {
    new StoryFile(dir, 'u/plant-a', 'seed 1').note({ lived: { lap: 3, moved: 0 } });
    expect(new StoryFile(dir, 'u/plant-a', 'seed 2').state.lived).toBeNull();
  });

  test('of a plant whose laps all began as their source says goes on, too', () => {
    new StoryFile(dir, 'u/plant-a', 'seed 1').note({ lived: { lap: 3, moved: 0 } });
    const file = join(dir, 'story.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/,\s*"moved": 0/, ''));
    expect(new StoryFile(dir, 'u/plant-a', 'seed 1').state.lived).toEqual({ lap: 3, moved: 0 });
  });

  test('that is torn begins anew', () => {
    writeFileSync(join(dir, 'story.json'), '{"schema": "sto');
    expect(new StoryFile(dir, 'u/plant-a', 'seed 1').state.facts).toEqual([]);
  });
});

describe('a wave in a few words', () => {
  const wave: WaveResult = {
    ring: 1,
    thingGroup: 'g',
    deploymentId: 'd',
    verdict: 'revert',
    devices: [],
    reasons: ['edge-2 refused it'],
  };

  test('says how often the package and the champion differ', () => {
    const shadow = {
      champion: `sha256:${'a'.repeat(64)}`,
      expected: 0.1,
      batches: 6,
      disagreement: 0.934,
      against: 5e4,
      inFavour: 0,
      noReference: [],
    };
    expect(sayWave({ ...wave, shadow })).toBe(
      'revert: differs from the champion on 93 % of 6 batches, 10 % is expected',
    );
  });

  test('says its reason where there was nothing to compare', () => {
    expect(sayWave(wave)).toBe('revert: edge-2 refused it');
  });
});
