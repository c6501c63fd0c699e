import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { LOCAL_FAULTS_FILE, type LocalFaults } from '../../../core/contracts/local-plant.ts';
import { makeChaos } from '../../../local/faults/chaos.ts';
import { countersIn, faultsIn, putFaults } from '../../../local/faults/faults-file.ts';
import { ChaosError, chosenBy, parseDuration, parseShare } from '../../../local/faults/orders.ts';
import { localPlant } from './plant.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const MESSAGES = {
  drop: 0.1,
  repeat: 0.2,
  delaySeconds: 2,
  carriers: ['iot', 'events'],
  forSeconds: 30,
  seed: 5,
} as const;
let dir: string;
let now = NOW;
const chaos = () => makeChaos({ plant: localPlant(dir), stateDir: dir, now: () => now });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-faults-'));
  now = NOW;
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  ['30s', 30],
  ['2m', 120],
  ['1h', 3600],
  ['1.5', 1.5],
])('%s is a duration', (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});

test.each(['', 'soon', '-3s', '3d', '1e3s'])('"%s" is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow(ChaosError);
});

test('every share from 0 to 1 is read, nothing else', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
      expect(parseShare(String(share))).toBe(share);
    }),
  );
  for (const text of ['', '1.1', '-0.1', 'half', 'NaN']) expect(() => parseShare(text)).toThrow(ChaosError);
});

test('a choice by a seed is one of what there is, and there must be something', () => {
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat(), { minLength: 1 }), (seed, items) => {
      expect(items).toContain(chosenBy(seed, items));
      expect(chosenBy(seed, items)).toBe(chosenBy(seed, items));
    }),
  );
  expect(() => chosenBy(1, [])).toThrow(RangeError);
});

test('faults of messages and of services stand beside each other; the newest of a kind holds', () => {
  const c = chaos();
  c.throttle({ service: 'lambda', share: 0.3, forSeconds: null, seed: 5 });
  c.throttle({ service: 's3', share: 0.1, forSeconds: null, seed: 5 });
  c.messages(MESSAGES);
  c.throttle({ service: 'lambda', share: 0.5, forSeconds: 60, seed: 6 });
  expect(faultsIn(dir, NOW)).toEqual({
    schema: 'local-faults/1',
    seed: 6,
    messages: {
      drop: 0.1,
      repeat: 0.2,
      delaySeconds: 2,
      carriers: ['iot', 'events'],
      until: '2026-01-01T00:00:30.000Z',
    },
    throttles: [
      { service: 's3', share: 0.1, until: null },
      { service: 'lambda', share: 0.5, until: '2026-01-01T00:01:00.000Z' },
    ],
  });
});

test('a fault whose time is over is none', () => {
  const c = chaos();
  c.messages(MESSAGES);
  now = '2026-01-01T00:00:30.000Z';
  expect(faultsIn(dir, now)).toBeNull();
  expect(c.status().faults).toBeNull();
});

test('stop takes everything back, and says when there was nothing', () => {
  const c = chaos();
  c.messages(MESSAGES);
  expect(c.stop().did).toBe('all faults of messages and requests are taken back');
  expect(faultsIn(dir, NOW)).toBeNull();
  expect(c.stop().did).toBe('no fault was in force');
});

test('an order that would do nothing is refused', () => {
  expect(() => chaos().messages({ ...MESSAGES, drop: 0, repeat: 0, delaySeconds: 0 })).toThrow(
    'nothing would happen to any message',
  );
});

test('faults that break their contract are not written', () => {
  const wrong = {
    schema: 'local-faults/1',
    seed: 1,
    messages: null,
    throttles: [{ service: 'ec2', share: 2, until: null }],
  };
  expect(() => putFaults(dir, wrong as never as LocalFaults)).toThrow(/service/);
  expect(faultsIn(dir, NOW)).toBeNull();
});

test('a torn file of faults is none, and there are no counts before the first second', () => {
  writeFileSync(join(dir, LOCAL_FAULTS_FILE), '{"schema":');
  expect(faultsIn(dir, NOW)).toBeNull();
  expect(countersIn(dir)).toBeNull();
});
