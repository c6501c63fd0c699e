import type { QualityFinding } from '#core/contracts/quality.ts';
import { type KnownFinding, qualityInTime, standingFindings } from '#core/quality/findings.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 2, 2, 8, minute)).toISOString();
const said = (minute: number, from: number, to: number, more: Partial<QualityFinding> = {}): KnownFinding => ({
  foundAt: at(minute),
  foundBy: 'edge-1',
  finding: {
    schema: 'quality-finding/1',
    site: 'plant-a',
    asset: 'spindle-1',
    signal: 'temperature',
    check: 'range',
    from: at(from),
    to: at(to),
    open: false,
    count: 1,
    worst: null,
    says: 'too hot',
    ...more,
  },
});
const SIGNAL = { asset: 'spindle-1', signal: 'temperature' };
const quality = (known: readonly KnownFinding[], from: number, to: number) =>
  qualityInTime(known, SIGNAL, { from: at(from), to: at(to) }).quality;

describe('the last word about a stretch', () => {
  it('replaces what was said of it before, in whatever order both are read', () => {
    const words = [said(1, 0, 1, { open: true }), said(5, 0, 4, { count: 9 })];
    for (const order of [words, [...words].reverse()]) expect(standingFindings(order)).toEqual([words[1]?.finding]);
  });

  it('is, of two of one time, the one that says it is over, then the one with more values', () => {
    const open = said(1, 0, 1, { open: true, count: 5 });
    const over = said(1, 0, 1, { count: 3 });
    const more = said(1, 0, 1, { count: 4 });
    for (const order of [
      [open, over, more],
      [more, over, open],
    ])
      expect(standingFindings(order)).toEqual([more.finding]);
  });

  it('is kept apart by who found it, and ordered by the beginning', () => {
    const other = { ...said(2, 0, 9), foundBy: 'register-upload' };
    expect(standingFindings([said(1, 3, 4), said(1, 0, 1), other]).map((f) => f.to)).toEqual([at(1), at(9), at(4)]);
  });
});

describe('the quality of a signal in a time', () => {
  it('is that of the stretches that touch it, both ends within', () => {
    const known = [said(9, 10, 20)];
    expect([quality(known, 0, 9), quality(known, 0, 10), quality(known, 12, 13)]).toEqual(['GOOD', 'BAD', 'BAD']);
    expect([quality(known, 20, 30), quality(known, 21, 30)]).toEqual(['BAD', 'GOOD']);
  });

  it('goes on being bad while a stretch is open, and ends where a later word ends it', () => {
    const open = said(9, 10, 11, { open: true, check: 'stuck' });
    expect(quality([open], 50, 60)).toBe('UNCERTAIN');
    expect(quality([open, said(30, 10, 25, { check: 'stuck' })], 50, 60)).toBe('GOOD');
  });

  it('is BAD in a gap, UNCERTAIN where a clock stepped, GOOD where values only came late', () => {
    expect(quality([said(9, 0, 9, { check: 'gap' })], 1, 2)).toBe('BAD');
    expect(quality([said(9, 0, 9, { check: 'clock-step' })], 1, 2)).toBe('UNCERTAIN');
    expect(quality([said(9, 0, 9, { check: 'late' })], 1, 2)).toBe('GOOD');
  });

  it('is the worst of several, and names those it follows from', () => {
    const known = [said(9, 0, 9, { check: 'stuck' }), said(9, 1, 3), said(9, 1, 3, { signal: 'load', check: 'unit' })];
    const { quality: worst, because } = qualityInTime(known, SIGNAL, { from: at(2), to: at(2) });
    expect([worst, because.map((f) => f.check)]).toEqual(['BAD', ['stuck', 'range']]);
  });
});
