import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAKE_TABLES } from '#core/contracts/lake-tables.ts';
import type { LiveRun } from '#core/contracts/source.ts';
import { assertPast, planDevices } from '../../../local/start/devices.ts';
import { checkDisk, checkDiskLeft } from '../../../local/start/disk.ts';
import { fingerprint, isStamped, stamp } from '../../../local/start/fingerprint.ts';
import { processStart, takeLock } from '../../../local/start/lock.ts';
import { awaitLeftovers, readPorts } from '../../../local/start/plant.ts';
import { keepLivedUntil, livedUntil } from '../../../local/start/plant-context.ts';
import { HISTORY_START } from '../../../local/start/source.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-start-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the lock', () => {
  test('is held by one start at a time, which is named', () => {
    const lock = takeLock(dir);
    expect(() => takeLock(dir)).toThrow(new RegExp(`already runs here \\(process ${process.pid}\\)`));
    lock.release();
    const again = takeLock(dir);
    expect(again.wasStale).toBe(false);
    again.release();
  });

  test('of a process that is gone is taken over, and that is told', () => {
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, began: null }));
    expect(takeLock(dir).wasStale).toBe(true);
  });

  test('of a process whose id another one has now is taken over', () => {
    if (processStart(process.pid) === null) return;
    writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: process.pid, began: '1' }));
    expect(takeLock(dir).wasStale).toBe(true);
  });

  test('that is torn is taken over', () => {
    writeFileSync(join(dir, 'lock'), '{"pi');
    expect(takeLock(dir).wasStale).toBe(true);
  });
});

describe('leftovers of an earlier start', () => {
  test('are none without a plant file', async () => {
    expect(await awaitLeftovers(dir)).toBe(0);
  });

  test('processes that are not ours are left alone', async () => {
    writeFileSync(join(dir, 'plant.json'), JSON.stringify({ services: [{ name: 'aws', pid: process.pid }] }));
    expect(await awaitLeftovers(dir)).toBe(0);
    expect(existsSync(join(dir, 'plant.json'))).toBe(false);
  });

  test('a torn plant file says nothing', async () => {
    writeFileSync(join(dir, 'plant.json'), '{"serv');
    expect(await awaitLeftovers(dir)).toBe(0);
  });
});

describe('the time of the machines', () => {
  test('is kept over starts', () => {
    expect(livedUntil(dir)).toBeNull();
    keepLivedUntil(dir, Date.parse('2004-02-29T03:00:00.000Z'));
    expect(livedUntil(dir)).toBe(Date.parse('2004-02-29T03:00:00.000Z'));
  });

  test('begins no earlier than the lake has days of source time', () => {
    expect(HISTORY_START.slice(0, 10) >= LAKE_TABLES.features.partitions.date.from).toBe(true);
  });

  test('that has come to the present is told, before anybody waits for machines that send nothing', () => {
    const lanes = [
      [{ frames: [] }, { frames: [{ sourceTime: '2026-01-02T00:00:00.000Z' }] }],
      [{ frames: [{ sourceTime: '2026-01-01T00:00:00.000Z' }] }],
    ] as unknown as readonly (readonly LiveRun[])[];
    expect(() => assertPast(lanes, 0, '2026-01-01T00:00:00.000Z')).not.toThrow();
    expect(() => assertPast(lanes, 86_400_000, '2026-01-01T00:00:00.000Z')).toThrow(
      /have lived up to the present: what they would send next is of 2026-01-02/,
    );
    expect(() => assertPast([[]], 0, '2026-01-01T00:00:00.000Z')).not.toThrow();
  });
});

test('ports are the same at every start', async () => {
  const first = await readPorts(dir);
  expect(await readPorts(dir)).toEqual(first);
  expect(new Set(Object.values(first)).size).toBe(4);
});

test('a disk that fills up stops the plant while it can save itself', () => {
  expect(() => checkDiskLeft('/x', 2 ** 28)).not.toThrow();
  expect(() => checkDiskLeft('/x', 2 ** 20)).toThrow(/disk is full: 1 MiB are left on the disk of \/x/);
});

test('a disk with too little room is refused', () => {
  expect(() => checkDisk(dir, 2 * 2 ** 30)).toThrow(/only 2.0 GiB are free/);
  expect(() => checkDisk(dir, 4 * 2 ** 30)).not.toThrow();
});

describe('fingerprints', () => {
  test('change with a byte, a name, and absence', () => {
    mkdirSync(join(dir, 'a'));
    const prints = [fingerprint(dir, ['a'])];
    writeFileSync(join(dir, 'a', 'x'), '1');
    prints.push(fingerprint(dir, ['a']));
    writeFileSync(join(dir, 'a', 'x'), '2');
    prints.push(fingerprint(dir, ['a']));
    prints.push(fingerprint(dir, ['a', 'b']));
    expect(new Set(prints).size).toBe(4);
    expect(fingerprint(dir, ['a'])).toBe(prints[2]);
  });

  test('a stamp is of its inputs only', () => {
    const file = join(dir, 'deep', 's.stamp');
    expect(isStamped(file, 'x')).toBe(false);
    stamp(file, 'x');
    expect(isStamped(file, 'x')).toBe(true);
    expect(isStamped(file, 'y')).toBe(false);
  });
});

describe('devices of a plant', () => {
  const site = (rings: number[]) =>
    ({
      sites: [{ id: 'plant-a', title: 't', rings: rings.map((ring) => ({ ring, deviceClass: 'x86-64' })) }],
    }) as never;

  test('begin at the bench, and the last ring takes all further ones', () => {
    const plan = planDevices(site([0, 1, 2]), 'plant-a', 5, dir);
    expect(plan.map((d) => d.ring)).toEqual([0, 1, 2, 2, 2]);
    expect(plan.map((d) => d.nucleus)).toEqual(['classic', 'classic', 'lite', 'classic', 'classic']);
    expect(plan[0]?.thing).toBe('local-plant-a-edge-1');
  });

  test('need a ring', () => {
    expect(() => planDevices(site([]), 'plant-a', 1, dir)).toThrow(/no rings/);
  });
});
