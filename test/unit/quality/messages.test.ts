import fc from 'fast-check';
import { type Observation, ObservationMessage } from '#core/contracts/observation.ts';
import { type QualityFinding, QualityMessage } from '#core/contracts/quality.ts';
import { observationMessages } from '#core/frames/observation-messages.ts';
import { inParts, MAX_MESSAGE_BYTES, qualityMessages } from '#core/quality/messages.ts';
import { observation, T0 } from '../../support/observations.ts';

const counter = (): (() => number) => {
  let n = 0;
  return () => ++n;
};
const finding = (seconds: number, says = 'x'): QualityFinding => ({
  schema: 'quality-finding/1',
  site: 'plant-a',
  asset: 'spindle-1',
  signal: 'temperature',
  check: 'range',
  from: new Date(T0 + 1000 * seconds).toISOString(),
  to: new Date(T0 + 1000 * seconds).toISOString(),
  open: true,
  count: 1,
  worst: null,
  says,
});
const of = { site: 'plant-a', device: 'edge-1', boot: 'b1' } as const;
const provenance = { connector: 'connector-jsonl', configVersion: '1' };

describe('messages of findings', () => {
  const messages = (findings: readonly QualityFinding[]) =>
    qualityMessages({ ...of, at: new Date(T0).toISOString() }, findings, counter());

  it('keep their contract and their size, have every finding once, and count from 1', () => {
    const all = fc.array(
      fc.record({ seconds: fc.nat(1e6), says: fc.string({ minLength: 1, maxLength: 240, unit: 'grapheme' }) }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(all, (list) => {
        const findings = [...new Map(list.map((l) => [l.seconds, finding(l.seconds, l.says.slice(0, 240))])).values()];
        const made = messages(findings).map((m) => QualityMessage.parse(m));
        expect(made.flatMap((m) => m.findings)).toEqual(findings);
        expect(made.map((m) => m.sequence)).toEqual(made.map((_, i) => i + 1));
        for (const m of made) expect(Buffer.byteLength(JSON.stringify(m))).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
      }),
    );
  });

  it('have of each stretch the last word only', () => {
    const grown = { ...finding(1), count: 8, open: false };
    expect(messages([finding(1), finding(2), grown])[0]?.findings).toEqual([grown, finding(2)]);
  });

  it('are none when nothing was found', () => {
    expect(messages([])).toEqual([]);
  });
});

describe('messages of observations', () => {
  const messages = (list: readonly Observation[]) => observationMessages({ ...of, provenance }, list, counter());

  it('keep their contract and their size, and each series its order', () => {
    const all = fc.array(
      fc.record({
        seconds: fc.nat(1e6),
        signal: fc.constantFrom('temperature', 'load', 'recipe'),
        value: fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.string({ maxLength: 200 }),
          fc.boolean(),
        ),
        reason: fc.string({ maxLength: 120 }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(all, (list) => {
        const observations = list.map((l) =>
          observation(l.seconds, l.value, { signal: l.signal, quality: 'UNCERTAIN', reason: l.reason }),
        );
        const made = messages(observations).map((m) => ObservationMessage.parse(m));
        for (const signal of ['temperature', 'load', 'recipe']) {
          const points = made.flatMap((m) => m.series.filter((s) => s.signal === signal).flatMap((s) => s.points));
          expect(points.map((p) => [Date.parse(p.t), p.v])).toEqual(
            observations.filter((o) => o.signal === signal).map((o) => [o.sourceTime, o.value]),
          );
        }
        for (const m of made) expect(Buffer.byteLength(JSON.stringify(m))).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
      }),
    );
  });

  it('are received when the last of their values was, and carry quality, flags and the code of the source', () => {
    const [message] = messages([
      observation(5, 1, { receivedTime: T0 + 9000, flags: ['historical'] }),
      observation(6, null, { quality: 'BAD', reason: 'wire break', raw: '0x80050000' }),
    ]);
    expect(message).toMatchObject({
      receivedTime: new Date(T0 + 9000).toISOString(),
      provenance,
      series: [
        {
          asset: 'spindle-1',
          signal: 'temperature',
          unit: 'Cel',
          points: [
            { v: 1, q: 'GOOD', flags: ['historical'] },
            { v: null, q: 'BAD', why: 'wire break', raw: '0x80050000' },
          ],
        },
      ],
    });
  });
});

describe('a list in parts', () => {
  it('refuses an item that fits into no message', () => {
    expect(() => inParts(['aaaa'], 4, (s) => s.length)).toThrow(
      'an item of 5 bytes does not fit into a message with room for 4',
    );
  });
});
