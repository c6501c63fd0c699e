import fc from 'fast-check';
import { storeKeys } from '#core/contracts/lake.ts';
import { endsKnownAt, goesOnTo, rowsOfEndedRun } from '#core/point-in-time/ended-run.ts';
import { LabelJoin } from '#core/point-in-time/label-join.ts';
import { type Label, labelsKnownAt, parseLabels } from '#core/point-in-time/labels.ts';
import type { RunRows } from '#core/point-in-time/run-rows.ts';
import { storeObjectOf } from '#core/point-in-time/store-object.ts';
import { aFailure } from '../../support/a-failure.ts';
import { type HistoryRow, wantedRow } from './by-definition.ts';

const day = (n: number, hour = 0): string => new Date(Date.UTC(2026, 0, 1 + n, hour)).toISOString();
const ms = (n: number): number => Date.parse(day(n));

/** [index, valid day, known day, x] */
const runOf = (rows: readonly (readonly [number, number, number, number[]])[], run = 'r1', asset = 'm1'): RunRows => ({
  asset,
  run,
  index: rows.map((r) => r[0]),
  validTime: rows.map((r) => day(r[1])),
  knownTime: rows.map((r) => day(r[2])),
  x: rows.map((r) => r[3]),
  source: rows.map((r) => `raw/${run}/${r[2]}`),
});
const LABEL = { outcome: 'remaining-useful-life', from: 'failure', cap: 100, unit: 'cycle' } as const;

describe('a file of labels', () => {
  it('is read with its columns in any order and empty cells left out', () => {
    const { labels, bad } = parseLabels(`label,time,asset,known_time\n0.5,${day(1)},m1,\n1,${day(2)},m1,${day(9)}\n`);
    expect(bad).toEqual([]);
    expect(labels).toEqual([
      { asset: 'm1', time: day(1), label: 0.5 },
      { asset: 'm1', time: day(2), label: 1, known_time: day(9) },
    ]);
  });

  it.each([
    ['asset,label\nm1,1\n', 1, 'it has no time'],
    [`asset,time,label,who\nm1,${day(1)},1,me\n`, 1, 'there is no column who'],
    [`asset,time,label\nm1,yesterday,1\n`, 2, 'time: expected UTC'],
    [`asset,time,label\nm1,${day(1)},high\n`, 2, 'label:'],
    [`asset,time,label\nm1,${day(1)}\n`, 2, '3 cells expected as in the heading, 2 found'],
    [`asset,run,time,label\nm1,r1,${day(1)},1\nm1,,${day(2)},1\n`, 1, '1 of 2 labels name a run: expected all or none'],
    ['', 1, 'heading: expected columns of asset, run, time, label, as_of, known_time'],
  ])('says what is wrong with it: %j', (text, line, reason) => {
    expect(parseLabels(text).bad[0]).toEqual({ line, reason: expect.stringContaining(reason) });
  });

  it('counts as it was known at an instant: no later label, no later correction', () => {
    const at = (known: number, label: number): Label => ({ asset: 'm1', time: day(2), label, known_time: day(known) });
    const labels = [at(5, 1), at(3, 0), { asset: 'm1', time: day(4), label: 7 }];
    const seen = (known: number) => labelsKnownAt(labels, day(known)).map((l) => l.label);
    expect([seen(2), seen(3), seen(4), seen(5)]).toEqual([[], [0], [0, 7], [1, 7]]);
  });
});

describe('labels joined to rows of runs', () => {
  const runs = [
    runOf([
      [1, 1, 1, [1]],
      [2, 2, 2, [2]],
    ]),
    runOf([[1, 4, 4, [4]]], 'r2'),
  ];
  const joined = (labels: readonly Label[], knownAt: number, maxAge?: number) => {
    const join = new LabelJoin(labels, day(knownAt), maxAge);
    for (const run of runs) if (join.wants(run.asset, run.run)) join.take(run);
    return join.rows().map((r) => [r.labelTime, r.run, r.x[0], r.label]);
  };

  it('of a machine are of whatever run it was in', () => {
    const labels = [5, 3, 1, 0].map((n) => ({ asset: 'm1', time: day(n), label: n }));
    expect(joined(labels, 9)).toEqual([
      [day(5), 'r2', 4, 5],
      [day(3), 'r1', 2, 3],
      [day(1), 'r1', 1, 1],
    ]);
  });

  it('of a run never have a row of another', () => {
    const labels = [{ asset: 'm1', run: 'r1', time: day(5), label: 1 }];
    expect(joined(labels, 9)).toEqual([[day(5), 'r1', 2, 1]]);
    expect(new LabelJoin(labels, day(9)).wants('m1', 'r2')).toBe(false);
  });

  it('have no row that became known after the instant, whatever as-of time they ask for', () => {
    const labels = [{ asset: 'm1', time: day(5), as_of: day(8), label: 1 }];
    expect(joined(labels, 9)).toEqual([[day(5), 'r2', 4, 1]]);
    expect(joined(labels, 3)).toEqual([[day(5), 'r1', 2, 1]]);
  });

  it('have no row that is too old', () => {
    const labels = [{ asset: 'm1', time: day(5), label: 1 }];
    expect(joined(labels, 9, 86_400_000)).toEqual([[day(5), 'r2', 4, 1]]);
    expect(joined(labels, 9, 86_399_999)).toEqual([]);
  });

  it('refuse a row whose times cannot be read', () => {
    const bad: RunRows = { ...runOf([[1, 1, 1, [1]]]), validTime: ['soon'] };
    const join = new LabelJoin([{ asset: 'm1', time: day(5), label: 1 }], day(9));
    expect(() => join.take(bad)).toThrow('row 0 of run m1/r1: expected UTC times, got "soon"');
  });
});

describe('a run that failed', () => {
  it('is not known to have failed before anyone knew, nor after the failure was taken back', () => {
    const events = [aFailure(), aFailure({ eventId: 'e2', corrects: 'e1', asFound: 'healthy', knownTime: day(7) })];
    const end = (known: number) => endsKnownAt(events, 'plant-a', day(known))('m1', 'r1', 3);
    expect([end(4), end(5)?.endedAt, end(7)]).toEqual([null, 3, null]);
    expect(end(6)).toEqual({ asset: 'm1', run: 'r1', endedAt: 3, knownTime: day(5), events: ['e1'] });
    expect(endsKnownAt(events, 'plant-b', day(5))('m1', 'r1', 3)).toBeNull();
  });

  it('has none that it outlived, by the frames that were known', () => {
    const run = runOf([
      [3, 3, 3, [3]],
      [9, 9, 9, [9]],
    ]);
    expect([goesOnTo(run, ms(2)), goesOnTo(run, ms(5)), goesOnTo(run, ms(9))]).toEqual([0, 3, 9]);
    expect(endsKnownAt([aFailure()], 'plant-a', day(9))('m1', 'r1', 9)).toBeNull();
  });

  it('labels each frame with the life that remained, once, and none after the end', () => {
    const run = runOf([
      [1, 1, 1, [1]],
      [2, 2, 2, [2]],
      [3, 3, 3, [3]],
      [4, 4, 4, [4]],
    ]);
    const rows = rowsOfEndedRun(run, 3, { ...LABEL, cap: 1 }, ms(9));
    expect(rows.map((r) => [r.index, r.label, r.labelTime])).toEqual([
      [1, 1, day(1)],
      [2, 1, day(2)],
      [3, 0, day(3)],
    ]);
    expect(rowsOfEndedRun(run, 3, LABEL, ms(2)).map((r) => r.index)).toEqual([1, 2]);
  });

  it('gives each frame what a device saw of it: corrections came too late, frames that were overtaken have no row', () => {
    const run = runOf([
      [1, 1, 1, [1]],
      [2, 2, 4, [2]],
      [3, 3, 3, [3]],
      [1, 1, 8, [100]],
    ]);
    expect(rowsOfEndedRun(run, 3, LABEL, ms(9)).map((r) => [r.index, r.x[0]])).toEqual([
      [1, 1],
      [3, 3],
    ]);
  });

  it('has rows that are those of the definition at each instant at which a frame was known', () => {
    const row = fc.record({
      index: fc.integer({ min: 1, max: 6 }),
      valid: fc.integer({ min: 0, max: 9 }),
      late: fc.integer({ min: 0, max: 5 }),
      empty: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    });
    const history = fc
      .array(row, { maxLength: 20 })
      .map((rows) => [...new Map(rows.map((r) => [`${r.index}/${r.valid + r.late}`, r])).values()]);
    fc.assert(
      fc.property(history, fc.integer({ min: 0, max: 14 }), (rows, knownAt) => {
        const run = runOf(rows.map((r) => [r.index, r.valid, r.valid + r.late, r.empty ? [] : [r.valid]]));
        const versions: HistoryRow[] = rows.map((r) => ({
          entity: 0,
          index: r.index,
          valid: ms(r.valid),
          known: ms(r.valid + r.late),
          source: '',
          empty: r.empty,
        }));
        const made = rowsOfEndedRun(run, 6, LABEL, ms(knownAt));
        for (const r of made) {
          const wanted = wantedRow(versions, { entity: 0, time: Date.parse(r.labelTime) });
          expect([r.index, r.validTime, r.knownTime]).toEqual([
            wanted?.index,
            new Date(wanted?.valid ?? 0).toISOString(),
            new Date(wanted?.known ?? 0).toISOString(),
          ]);
          expect(r.knownTime <= day(knownAt) && r.labelTime <= day(knownAt)).toBe(true);
        }
        expect(new Set(made.map((r) => r.index)).size).toBe(made.length);
      }),
    );
  });
});

it('an object of the store is known by the key that it is written under', () => {
  const featureSet = `sha256:${'ab'.repeat(32)}`;
  const place = { site: 'plant-a', date: '2026-01-02', asset: 'spindle-101', run: 'life-01' };
  const key = storeKeys.rows({ featureSet, ...place, first: 1, last: 9, source: `sha256:${'0f'.repeat(32)}` });
  expect(storeObjectOf(featureSet, key)).toEqual({ key, ...place });
  expect(storeObjectOf(`sha256:${'cd'.repeat(32)}`, key)).toBeNull();
  expect(storeObjectOf(featureSet, `${key}.tmp`)).toBeNull();
});
