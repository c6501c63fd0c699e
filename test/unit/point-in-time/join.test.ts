import fc from 'fast-check';
import { makePointInTimeJoin } from '#core/point-in-time/join.ts';
import { supersededAt } from '#core/point-in-time/superseded.ts';
import { type HistoryRow, type Wanted, wantedRow } from './by-definition.ts';

const DAY = 86_400_000;

const joined = (
  rows: readonly HistoryRow[],
  labels: readonly Wanted[],
  maxAge?: number,
  chunks: readonly number[] = [],
) => {
  const join = makePointInTimeJoin(
    {
      entity: Int32Array.from(labels, (l) => l.entity),
      time: Float64Array.from(labels, (l) => l.time),
      ...(labels.some((l) => l.asOf !== undefined) ? { asOf: Float64Array.from(labels, (l) => l.asOf ?? l.time) } : {}),
    },
    maxAge,
  );
  const until = new Map<HistoryRow, number>();
  for (const some of Map.groupBy(rows, (r) => r.entity).values()) {
    const at = supersededAt({
      index: some.map((r) => r.index),
      known: Float64Array.from(some, (r) => r.known),
      source: some.map((r) => r.source),
    });
    for (const [i, r] of some.entries()) until.set(r, at[i] as number);
  }
  const kept = new Map<number, HistoryRow>();
  const cuts = [0, ...chunks.map((c) => c % (rows.length + 1)), rows.length].sort((a, b) => a - b);
  let before = 0;
  for (const [i, from] of cuts.slice(0, -1).entries()) {
    const some = rows.slice(from, cuts[i + 1]).filter((r) => r.empty !== true);
    const touched = join.push({
      entity: Int32Array.from(some, (r) => r.entity),
      valid: Float64Array.from(some, (r) => r.valid),
      known: Float64Array.from(some, (r) => r.known),
      until: Float64Array.from(some, (r) => until.get(r) as number),
      index: Float64Array.from(some, (r) => r.index),
      source: some.map((r) => r.source),
    });
    for (const place of touched) kept.set(place, some[join.rowAt(place) - before] as HistoryRow);
    before += some.length;
  }
  return Array.from(join.result(), (place) => (place === -1 ? null : kept.get(place)));
};

const days = fc.integer({ min: 0, max: 12 }).map((d) => d * DAY);
const entity = fc.integer({ min: 0, max: 2 });
/** Frames, late ones and corrections of any age; sometimes known before they are valid, as a wrong clock says. */
const row: fc.Arbitrary<HistoryRow> = fc.record({
  entity,
  valid: days,
  known: days,
  index: fc.integer({ min: 1, max: 9 }),
  source: fc.constantFrom('a', 'b', 'c'),
  empty: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});
const distinct = (rows: readonly HistoryRow[]): HistoryRow[] => [
  ...new Map(rows.map((r) => [`${r.entity}/${r.index}/${r.known}/${r.source}`, r])).values(),
];
const history = fc.array(row, { maxLength: 40 }).map(distinct);
const plain: fc.Arbitrary<Wanted> = fc.record({ entity, time: days });
const asKnown: fc.Arbitrary<Wanted> = fc.record({ entity, time: days, asOf: days });
const maxAge = fc.option(days, { nil: undefined });
const cuts = fc.array(fc.nat(), { maxLength: 4 });

describe('a point-in-time join', () => {
  it('gives each label the row that the definition says, whatever history, chunks and age', () => {
    const labels = fc.oneof(fc.array(plain, { maxLength: 20 }), fc.array(fc.oneof(plain, asKnown), { maxLength: 20 }));
    fc.assert(
      fc.property(history, labels, maxAge, cuts, (rows, wanted, age, chunks) => {
        expect(joined(rows, wanted, age, chunks)).toEqual(wanted.map((l) => wantedRow(rows, l, age)));
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the order in which rows come', () => {
    const shuffled = history.chain((rows) =>
      fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length, maxLength: rows.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.array(asKnown, { maxLength: 10 }), ([rows, other], labels) => {
        expect(joined(other, labels)).toEqual(joined(rows, labels));
      }),
    );
  });

  it('never lets what was known on day 5 reach a label of day 3', () => {
    const until = (day: number) => fc.integer({ min: 0, max: day }).map((d) => d * DAY);
    const late = row.map((r) => ({ ...r, known: r.known + 5 * DAY, source: `late ${r.source}` }));
    const early: fc.Arbitrary<Wanted> = fc.oneof(
      fc.record({ entity, time: until(3) }),
      fc.record({ entity, time: days, asOf: until(3) }),
    );
    fc.assert(
      fc.property(
        history,
        fc.array(late, { maxLength: 20 }),
        fc.array(early, { maxLength: 10 }),
        (rows, more, labels) => {
          const seen = joined(distinct([...rows, ...more]), labels);
          expect(seen).toEqual(
            joined(
              rows.filter((r) => r.known <= 4 * DAY),
              labels,
            ),
          );
          expect(seen.filter((r) => r != null && r.known > 3 * DAY)).toEqual([]);
        },
      ),
    );
  });

  it('lets a correction replace its row from the instant on at which it was known', () => {
    const first = { entity: 0, valid: 3 * DAY, known: 3 * DAY, index: 1, source: 'first' };
    const corrected = { ...first, known: 5 * DAY, source: 'corrected' };
    const at = (time: number, asOf: number) => ({ entity: 0, time: time * DAY, asOf: asOf * DAY });
    const seen = joined([corrected, first], [at(3, 3), at(4, 4), at(5, 5), at(3, 5), at(5, 4)]);
    expect(seen.map((r) => r?.source)).toEqual(['first', 'first', 'corrected', 'corrected', 'first']);
  });

  it('gives no row that was known by then to be none, but the one before', () => {
    const row = (index: number, valid: number, known: number, empty = false) => ({
      entity: 0,
      index,
      valid: valid * DAY,
      known: known * DAY,
      source: 'a',
      empty,
    });
    const history = [row(1, 1, 1), row(2, 2, 2), row(2, 2, 4, true)];
    const days = [1, 2, 3, 4, 5].map((d) => ({ entity: 0, time: d * DAY }));
    expect(joined(history, days).map((r) => r?.index)).toEqual([1, 2, 2, 1, 1]);
  });

  it('forgets the valid time that a correction took back', () => {
    const wrong = { entity: 0, index: 1, valid: 5 * DAY, known: 5 * DAY, source: 'a' };
    const right = { ...wrong, valid: 2 * DAY, known: 6 * DAY };
    const label = (time: number, asOf: number) => ({ entity: 0, time: time * DAY, asOf: asOf * DAY });
    expect(joined([wrong, right], [label(5, 5), label(7, 7), label(3, 7), label(3, 5)]).map((r) => r?.valid)).toEqual([
      5 * DAY,
      2 * DAY,
      2 * DAY,
      undefined,
    ]);
  });

  it('passes over rows of entities that no label has', () => {
    const stranger = { entity: -1, valid: 0, known: 0, index: 1, source: 'a' };
    expect(joined([stranger, { ...stranger, entity: 9 }], [{ entity: 0, time: DAY }])).toEqual([null]);
    expect(joined([stranger], [])).toEqual([]);
  });

  it('refuses a label or a row whose time is no number, and says which', () => {
    const row = { entity: 0, valid: 0, known: Number.NaN, index: 1, source: 'a' };
    const fine = { ...row, known: 0 };
    expect(() => joined([fine, row], [{ entity: 0, time: 1 }])).toThrow('row 1: expected valid and known time');
    expect(() => joined([], [{ entity: 0, time: Number.NaN }])).toThrow('label 0: expected a time');
  });
});
