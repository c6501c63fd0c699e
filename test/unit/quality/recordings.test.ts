import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Frame } from '#core/contracts/frame.ts';
import type { Observation } from '#core/contracts/observation.ts';
import type { QualityFinding } from '#core/contracts/quality.ts';
import type { Framing, SignalDefinition } from '#core/contracts/use-case.ts';
import { materialiseRun } from '#core/features/engine/rows.ts';
import { makeIntake } from '#core/frames/intake.ts';
import { qualityInTime } from '#core/quality/findings.ts';
import { observation, T0 } from '../../support/observations.ts';
import { aFeatureSet } from '../features/a-feature-set.ts';

const DATA = path.join(__dirname, '../../../../shared/data');

const rowsOf = (file: string, separator: string): readonly string[][] =>
  gunzipSync(readFileSync(path.join(DATA, file)))
    .toString('utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(separator));
const where = (folder: string) => {
  if (existsSync(path.join(DATA, folder))) return describe;
  console.warn(`skipped: the recordings of ../shared/data/${folder} are not there`);
  return describe.skip;
};
const series = (signal: string, rows: readonly string[][], column: number): readonly Observation[] =>
  rows.map((row, i) => {
    const time = Date.parse(`${row[0]?.replace(' ', 'T')}Z`);
    const value = Number(row[column]);
    return { ...observation(0, value), signal, unit: '1', sourceTime: time, receivedTime: time, sequence: i };
  });
const scalar = (name: string, quality: SignalDefinition['quality'], range: [number, number]): SignalDefinition => ({
  name,
  unit: '1',
  kind: 'scalar',
  range,
  quality,
});
/** The last word about each stretch. */
const standing = (findings: readonly QualityFinding[]): readonly QualityFinding[] => [
  ...new Map(findings.map((f) => [`${f.signal} ${f.check} ${f.from}`, f])).values(),
];
const intakeOf = (signals: readonly SignalDefinition[], framing?: Framing) =>
  makeIntake({ site: 'plant-a', asset: 'spindle-1', signals, framing });

where('nab')("NAB's machine temperature", () => {
  const values = () => series('temperature', rowsOf('nab/machine_temperature_system_failure.csv.gz', ','), 1);
  const signal = scalar('temperature', { intervalSeconds: 300 }, [0, 120]);

  it('has one clock step back of 55 minutes, and its 12 times that are there twice', () => {
    const intake = intakeOf([signal]);
    const taken = values().map((o) => intake.take(o));
    const found = standing([...taken.flatMap((t) => t.findings), ...intake.end()]);
    expect(found.map(({ check, from, to, count, worst, open }) => ({ check, from, to, count, worst, open }))).toEqual([
      {
        check: 'clock-step',
        from: '2014-01-07T02:00:00.000Z',
        to: '2014-01-07T02:50:00.000Z',
        count: 11,
        worst: 3300,
        open: false,
      },
      {
        check: 'duplicate-time',
        from: '2014-01-07T02:00:00.000Z',
        to: '2014-01-07T02:55:00.000Z',
        count: 12,
        worst: null,
        open: false,
      },
    ]);
    expect(taken.filter((t) => t.observation.quality === 'UNCERTAIN')).toHaveLength(12);
    expect(taken.filter((t) => t.observation.quality === 'BAD')).toHaveLength(0);
  });

  it('gives frames of the hours as if the clock had not stepped, save the value at which both times meet', () => {
    const framing: Framing = { everySeconds: 3600, latenessSeconds: 0 };
    const framesOf = (list: readonly Observation[]) => {
      const intake = intakeOf([signal], framing);
      return list.flatMap((o) => intake.take(o).frames);
    };
    const all = values();
    const step = all.findIndex((o, i) => o.sourceTime < (all[i - 1]?.sourceTime ?? 0));
    const frames = framesOf(all);
    const without = framesOf(all.filter((_, i) => i < step || i >= step + 12));
    expect(frames.length).toBe(without.length);
    const differing = frames.filter((f, i) => JSON.stringify(f) !== JSON.stringify(without[i]));
    expect(differing.map((f) => [f.sourceTime, f.signals['temperature']?.quality])).toEqual([
      ['2014-01-07T03:00:00.000Z', 'UNCERTAIN'],
    ]);
  });
});

where('skab')("SKAB's valve", () => {
  const COLUMNS = ['Accelerometer1RMS', 'Accelerometer2RMS', 'Current', 'Pressure', 'Temperature'];
  const run = (file: string, quality: SignalDefinition['quality'], framing?: Framing) => {
    const rows = rowsOf(file, ';');
    const intake = intakeOf(
      COLUMNS.map((name) => scalar(name, quality, [-1e3, 1e3])),
      framing,
    );
    const lists = COLUMNS.map((name, i) => series(name, rows, i + 1));
    const taken = rows.flatMap((_, i) => lists.map((list) => intake.take(list[i] as Observation)));
    return { rows, taken, found: standing(taken.flatMap((t) => t.findings)) };
  };

  it('has a gap of 76 s in each of its signals in one record, where five intervals are allowed', () => {
    const { found } = run('skab/valve1/2.csv.gz', { intervalSeconds: 1 });
    expect(found.map((f) => [f.signal, f.check, f.worst, f.count])).toEqual(COLUMNS.map((c) => [c, 'gap', 76, 75]));
  });

  it('has 53 seconds left out in another, which are gaps only where more than a second is one', () => {
    expect(run('skab/valve1/0.csv.gz', { intervalSeconds: 1 }).found).toEqual([]);
    const { found, taken } = run('skab/valve1/0.csv.gz', { intervalSeconds: 1, gapSeconds: 1.5 });
    expect(found.filter((f) => f.signal === 'Current').map((f) => [f.check, f.worst, f.count])).toEqual(
      Array(53).fill(['gap', 2, 1]),
    );
    expect(taken.every((t) => t.observation.quality === 'GOOD')).toBe(true);
  });

  it('leaves gaps in the index of its frames where it was silent, and no other', () => {
    const { taken, rows } = run('skab/valve1/2.csv.gz', {}, { everySeconds: 10, latenessSeconds: 2 });
    const frames = taken.flatMap((t) => t.frames);
    const blocks = new Set(rows.map(([time]) => Math.floor(Date.parse(`${time?.replace(' ', 'T')}Z`) / 10_000)));
    // The last block is still open.
    const closed = [...blocks].sort((a, b) => a - b).slice(0, frames.length);
    expect(frames.map((f) => Date.parse(f.sourceTime) / 10_000 - 1)).toEqual(closed);
    expect(frames.map((f) => f.index)).toEqual(closed.map((b) => b - (closed[0] as number) + 1));
    expect(frames.length).toBeGreaterThan(blocks.size - 2);
    expect((frames.at(-1)?.index ?? 0) - frames.length).toBeGreaterThanOrEqual(6);
  });
});

describe('an outage of twelve hours between a machine and its gateway', () => {
  const HOURS_12 = 12 * 3600;
  const signal = scalar('temperature', { gapSeconds: 120 }, [0, 100]);
  const framing: Framing = { everySeconds: 60, latenessSeconds: 10 };
  const minutes = Array.from({ length: 24 * 60 }, (_, i) => i);
  /** A value each minute; in the outage the machine keeps them, and sends them in order when it is over. */
  const values = (from: number, hours: number): readonly Observation[] =>
    minutes.map((m) => {
      const seconds = 60 * m;
      const isKept = seconds >= from && seconds < from + 3600 * hours;
      return observation(seconds, 20 + ((m * 7) % 11), {
        unit: '1',
        receivedTime: T0 + 1000 * (isKept ? from + 3600 * hours : seconds),
        ...(isKept ? { flags: ['historical'] } : {}),
        sequence: m,
      });
    });
  const run = (list: readonly Observation[], flushAt?: number) => {
    const intake = intakeOf([signal], framing);
    const findings: QualityFinding[] = [];
    const frames = list.flatMap((o, i) => {
      const silent = flushAt !== undefined && o.receivedTime > flushAt && (list[i - 1]?.receivedTime ?? 0) < flushAt;
      if (silent) findings.push(...intake.flush(flushAt));
      const taken = intake.take(o);
      findings.push(...taken.findings);
      return taken.frames;
    });
    return { frames, findings: standing(findings) };
  };
  const rows = (frames: readonly Frame[]) =>
    materialiseRun(
      {
        featureSet: aFeatureSet({ feature: 'mean', signal: 'temperature', window: 30 }),
        signals: [signal],
        label: { outcome: 'remaining-useful-life', from: 'failure', cap: 100, unit: 'min' },
      },
      frames,
      null,
    );

  it('gives the frames of a day without one, each once, and so the same features', () => {
    const plain = run(values(0, 0)).frames;
    const replayed = run(values(4 * 3600, 12)).frames;
    const withoutReceipt = (list: typeof plain) => list.map(({ receivedTime: _, ...f }) => f);
    expect(withoutReceipt(replayed)).toEqual(withoutReceipt(plain));
    expect(new Set(replayed.map((f) => f.index)).size).toBe(replayed.length);
    expect(rows(replayed)).toEqual(rows(plain));
    expect(rows(plain).length).toBe(plain.length);
  });

  it('is found as silence while it lasts, then as values that came late, all of them good', () => {
    const list = values(4 * 3600, 12);
    const silentSince = T0 + 1000 * (4 * 3600 - 60);
    const { findings } = run(list, silentSince + 600_000);
    expect(findings.map(({ check, open, count, worst }) => ({ check, open, count, worst }))).toEqual([
      { check: 'gap', open: false, count: 1, worst: HOURS_12 + 60 },
      { check: 'late', open: false, count: 720, worst: HOURS_12 },
    ]);
    const known = findings.map((finding) => ({ finding, foundAt: finding.to, foundBy: 'edge-1' }));
    const during = { from: new Date(T0 + 6 * 3_600_000).toISOString(), to: new Date(T0 + 7 * 3_600_000).toISOString() };
    expect(qualityInTime(known, { asset: 'spindle-1', signal: 'temperature' }, during).quality).toBe('GOOD');
  });
});

describe('a sensor that is stuck for a week', () => {
  const WEEK = 7 * 24 * 60;
  const signal = scalar('temperature', { stuckSeconds: 3600 }, [0, 100]);
  const list = Array.from({ length: 3 * WEEK }, (_, m) =>
    observation(60 * m, m >= WEEK && m < 2 * WEEK ? 42.5 : 40 + ((m * 7) % 11) / 10, { unit: '1', sequence: m }),
  );

  it('is doubted from the hour on that is too long until it moves again, in one finding of some words', () => {
    const intake = intakeOf([signal]);
    const taken = list.map((o) => intake.take(o));
    const words = taken.flatMap((t) => t.findings);
    expect(standing(words)).toEqual([
      expect.objectContaining({
        check: 'stuck',
        from: new Date(T0 + WEEK * 60_000).toISOString(),
        to: new Date(T0 + (2 * WEEK - 1) * 60_000).toISOString(),
        count: WEEK,
        worst: (WEEK - 1) * 60,
        open: false,
      }),
    ]);
    expect(words.length).toBeLessThan(12);
    expect(taken.filter((t) => t.observation.quality === 'UNCERTAIN')).toHaveLength(WEEK - 61);
    expect(taken.filter((t) => t.observation.quality === 'BAD')).toHaveLength(0);
  });

  it('makes frames whose value is UNCERTAIN, with the reason', () => {
    const intake = intakeOf([signal], { everySeconds: 3600, latenessSeconds: 0 });
    const frames = list.flatMap((o) => intake.take(o).frames);
    const doubted = frames.filter((f) => f.signals['temperature']?.quality === 'UNCERTAIN');
    expect(doubted).toHaveLength(WEEK / 60 - 1);
    expect(doubted[0]?.signals['temperature']).toMatchObject({
      value: 42.5,
      reason: expect.stringMatching(/^the same/),
    });
  });
});
