import fc from 'fast-check';
import type { QualityFinding } from '../../../core/contracts/quality.ts';
import type { KnownFinding } from '../../../core/quality/findings.ts';
import { heldReasons } from '../../../core/quality/held-reasons.ts';

const minute = (n: number): string => new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString();
const found = (more: Partial<QualityFinding> = {}, foundAt = minute(100)): KnownFinding => ({
  finding: {
    schema: 'quality-finding/1',
    site: 'plant-a',
    asset: 'm1',
    signal: 'speed',
    check: 'stuck',
    from: minute(0),
    to: minute(30),
    open: false,
    count: 10,
    worst: null,
    says: 'the same value',
    ...more,
  },
  foundAt,
  foundBy: 'edge-1',
});
const of = { assets: ['m1'], signals: ['speed', 'load'] };
const time = { from: minute(0), to: minute(100) };
const held = (...known: KnownFinding[]) => heldReasons(known, of, time);

describe('what holds the judgement of a time', () => {
  it('is a signal of bad quality for a tenth of it, said with its asset', () => {
    expect(held(found({ to: minute(10) }))).toEqual(['m1/speed: the same value']);
    expect(held(found({ to: minute(9) }))).toEqual([]);
  });
  it('is counted once where several checks failed at once, and together where one followed the other', () => {
    const twice = [found({ to: minute(6) }), found({ check: 'range', to: minute(6) })];
    expect(held(...twice)).toEqual([]);
    expect(held(found({ to: minute(6) }), found({ from: minute(50), to: minute(56) }))).toHaveLength(1);
  });
  it('is an open stretch up to the end of the time', () => {
    expect(held(found({ from: minute(89), to: minute(90), open: true }))).toHaveLength(1);
    expect(held(found({ from: minute(95), to: minute(96), open: true }))).toEqual([]);
  });
  it('is a change of unit or of the clock, however short', () => {
    for (const check of ['unit', 'clock-step'] as const)
      expect(held(found({ check, from: minute(50), to: minute(50) }))).toHaveLength(1);
  });
  it('is no single wild value, no other asset or signal, and nothing that only came late', () => {
    expect(
      held(
        found({ check: 'range', from: minute(50), to: minute(50), count: 1 }),
        found({ asset: 'm2' }),
        found({ signal: 'door' }),
        found({ check: 'late' }),
      ),
    ).toEqual([]);
  });
  it('is any finding in a time that has no length', () => {
    expect(heldReasons([found()], of, { from: minute(5), to: minute(5) })).toHaveLength(1);
  });
  it('names five signals and says how many more', () => {
    const signals = Array.from({ length: 9 }, (_, i) => `s${i}`);
    const reasons = heldReasons(
      signals.map((signal) => found({ signal, says: `it is ${signal}` })),
      { assets: ['m1'], signals },
      time,
    );
    expect([reasons.length, reasons.at(-1)]).toEqual([6, 'and 4 more signals']);
  });
  it('says once what is so of several signals of an asset', () => {
    const signals = Array.from({ length: 7 }, (_, i) => `s${i}`);
    const known = ['m1', 'm2'].flatMap((asset) => signals.map((signal) => found({ asset, signal })));
    expect(heldReasons(known, { assets: ['m1', 'm2'], signals: [...signals].reverse() }, time)).toEqual([
      'm1/s0, s1, s2, s3, s4 and 2 more: the same value',
      'm2/s0, s1, s2, s3, s4 and 2 more: the same value',
    ]);
  });
  it('does not depend on the order in which the findings are given', () => {
    const some = fc.array(
      fc
        .record({ at: fc.nat(100), long: fc.nat(40), signal: fc.constantFrom('speed', 'load') })
        .map((f) => found({ signal: f.signal, from: minute(f.at), to: minute(f.at + f.long), count: f.long + 1 })),
      { maxLength: 8 },
    );
    fc.assert(fc.property(some, (known) => expect(held(...known.toReversed())).toEqual(held(...known))));
  });
});
