import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import { type Intent, Spool } from '../../../greengrass-components/shared/spool.ts';

let dir: string;
let spool: Spool;
let count = 0;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-spool-'));
  spool = new Spool(join(dir, `spool-${count++}.db`));
});
afterEach(() => {
  spool.close();
  rmSync(dir, { recursive: true });
});

const intent = (index: number, over: Partial<Intent> = {}): Intent => ({
  asset: 'a',
  run: 'r',
  index,
  sourceTime: '2026-01-01T00:00:00.000Z',
  decidedAt: '2026-01-01T00:00:00.000Z',
  inputDigest: 'sha256:0',
  packageDigest: null,
  featureSetDigest: null,
  ...over,
});
const record = (boot: string, sequence: number): string => JSON.stringify({ boot, sequence });
const frame = (index: number, filler = 0): string =>
  JSON.stringify({ site: 's', asset: 'a', run: 'r', index, filler: 'x'.repeat(filler) });

const decide = (boot: string, sequence: number, at = sequence, filler = 0): number => {
  const row = spool.insertIntent(boot, sequence, intent(sequence, { run: boot }), frame(sequence, filler), at);
  spool.setRecord(row, record(boot, sequence));
  return row;
};

describe('the spool', () => {
  it('gives every boot another name', () => {
    expect([spool.newBoot('x'), spool.newBoot('x')]).toEqual(['b1-x', 'b2-x']);
  });

  it('refuses a file that is no spool', () => {
    const path = join(dir, 'other.db');
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE decision (other TEXT)');
    db.close();
    expect(() => new Spool(path)).toThrow(/no such column|has no column/);
  });

  it('takes a sequence and a frame only once', () => {
    spool.insertIntent('b1-x', 1, intent(1), frame(1), 0);
    expect(() => spool.insertIntent('b1-x', 1, intent(2), frame(2), 0)).toThrow('UNIQUE');
    expect(() => spool.insertIntent('b1-x', 2, intent(1), frame(1), 0)).toThrow('UNIQUE');
  });

  it('keeps nothing of a transaction that fails', () => {
    expect(() =>
      spool.transaction(() => {
        spool.insertIntent('b1-x', 1, intent(1), frame(1), 0);
        throw new Error('power');
      }),
    ).toThrow('power');
    expect(spool.find('a', 'r', 1)).toBeNull();
  });

  it('knows after a restart which intents have no result', () => {
    spool.insertIntent('b1-x', 1, intent(1), frame(1), 0);
    decide('b1-x', 2);
    expect(spool.unfinished().map((d) => d.sequence)).toEqual([1]);
  });

  it('hands on decisions in order, never across a boot or past one without a result', () => {
    decide('b1-x', 1);
    decide('b1-x', 2);
    decide('b2-x', 1);
    spool.insertIntent('b2-x', 2, intent(9), frame(9), 0);
    decide('b2-x', 3);
    const first = spool.decisionsToSend(10);
    expect(first.map((d) => [d.record.boot, d.record.sequence])).toEqual([
      ['b1-x', 1],
      ['b1-x', 2],
    ]);
    expect(spool.hasLaterBoot('b1-x')).toBe(true);
    expect(spool.hasLaterBoot('b2-x')).toBe(false);
    spool.markDecisionsSent(first.map((d) => d.row));
    expect(spool.decisionsToSend(10).map((d) => d.record.sequence)).toEqual([1]);
  });

  it('deletes only what was handed on in both ways and is no longer kept', () => {
    const rows = [1, 2, 3].map((s) => decide('b1-x', s));
    spool.markDecisionsSent(rows);
    spool.markFramesSent(rows.slice(0, 2));
    spool.release(rows[0] as number);
    spool.release(rows[2] as number);
    spool.sweep();
    expect(spool.kept().map((k) => k.row)).toEqual([rows[1]]);
    expect(spool.framesToSend(10, 1e6).map((f) => f.row)).toEqual([rows[2]]);
    expect(spool.find('a', 'b1-x', 1)).toBeNull();
  });

  it('lets a newer report take the place of one that waits, and keeps the order of the rest', () => {
    spool.putMessage('t/1', 'old', 1, 'report');
    spool.putMessage('t/2', 'digest', 2, null);
    spool.putMessage('t/1', 'new', 3, 'report');
    expect(spool.messages(10).map((m) => m.payload)).toEqual(['digest', 'new']);
  });

  it('hands on frames of one run at a time, within bytes, at least one', () => {
    decide('b1-x', 1, 1, 500);
    decide('b1-x', 2, 2, 500);
    decide('b2-x', 1, 3);
    expect(spool.framesToSend(10, 1e6).map((f) => f.index)).toEqual([1, 2]);
    expect(spool.framesToSend(10, 600).map((f) => f.index)).toEqual([1]);
    expect(spool.framesToSend(10, 1).map((f) => f.index)).toEqual([1]);
  });

  it('drops frames first, then messages, decisions last, the oldest first, and counts them', () => {
    for (let s = 1; s <= 300; s++) decide('b1-x', s, s, 1000);
    spool.putMessage('t', 'm'.repeat(1000), 1, null);
    expect(spool.enforce(1e9, 0)).toEqual({ frames: 0, messages: 0, decisions: 0 });
    expect(spool.enforce(200_000, 0)).toEqual({ frames: 200, messages: 0, decisions: 0 });
    expect(spool.framesToSend(1, 1e6)[0]?.index).toBe(201);
    const { bytes } = spool.pending();
    expect(bytes).toBeLessThanOrEqual(200_000);
    expect(spool.enforce(0, 0)).toEqual({ frames: 100, messages: 1, decisions: 300 });
    expect(spool.dropped()).toEqual({ frames: 300, messages: 1, decisions: 300 });
    expect(spool.pending().bytes).toBe(0);
  });

  it('drops what is older than the limit', () => {
    decide('b1-x', 1, 10);
    decide('b1-x', 2, 20);
    spool.putMessage('t', 'm', 10, null);
    expect(spool.enforce(1e9, 15)).toEqual({ frames: 1, messages: 1, decisions: 1 });
    expect(spool.decisionsToSend(10).map((d) => d.record.sequence)).toEqual([2]);
  });

  it('never loses or repeats a decision, whatever mixes of deciding, sending and restarting come', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('decide' as const), n: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('send' as const), n: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ do: fc.constant('restart' as const), n: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const path = join(dir, `property-${count++}.db`);
        let s = new Spool(path);
        let boot = s.newBoot('x');
        let sequence = 0;
        const made: string[] = [];
        const sent: string[] = [];
        const send = (limit: number) => {
          const batch = s.decisionsToSend(limit);
          for (const { record: r } of batch)
            sent.push(`${(r as DecisionRecord).boot}/${(r as DecisionRecord).sequence}`);
          s.markDecisionsSent(batch.map((b) => b.row));
          s.sweep();
          return batch.length;
        };
        for (const { do: what, n } of steps) {
          if (what === 'send') send(n);
          if (what === 'restart') {
            s.close();
            s = new Spool(path);
            boot = s.newBoot('x');
            sequence = 0;
          }
          if (what === 'decide')
            for (let i = 0; i < n; i++) {
              sequence += 1;
              const row = s.insertIntent(boot, sequence, intent(sequence, { run: boot }), frame(sequence), 0);
              s.setRecord(row, record(boot, sequence));
              s.release(row);
              made.push(`${boot}/${sequence}`);
            }
        }
        while (send(5) > 0);
        s.close();
        expect(sent).toEqual(made);
      }),
      { numRuns: 15 },
    );
  });
});
