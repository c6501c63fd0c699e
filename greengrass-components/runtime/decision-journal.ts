import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { Frame } from '#core/contracts/frame.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import type { Intent, Spool, StoredDecision } from '../shared/spool.ts';

/** One decision on its way to the disk: the intent first, the record as soon as it is known, both in group commits. */
interface Pending {
  readonly frame: Frame;
  readonly text: string;
  readonly intent: Intent;
  row: number;
  sequence: number;
  make: ((sequence: number) => DecisionRecord) | null;
  record: DecisionRecord | null;
  readonly resolve: (record: DecisionRecord) => void;
  readonly reject: (error: Error) => void;
}

export interface JournalDeps {
  readonly spool: Spool;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Frames of an asset that the serving package needs. */
  readonly windowLength: () => number;
  /** The record of a decision whose result was lost. */
  readonly held: (decision: StoredDecision) => DecisionRecord;
}

/** Frames of an asset that stay although they were handed on: a machine sends again up to 8, windows need their length. */
const MIN_KEPT = 64;

/**
 * Decisions of one boot on the disk: sequences from 1 without a gap, the intent before the record, and an answer only
 * when both are true.
 */
export class DecisionJournal {
  readonly #deps: JournalDeps;
  readonly #boot: string;
  readonly #kept = new Map<string, number[]>();
  readonly #dirty = new Set<Pending>();
  #flushing = false;
  #sequence = 0;

  constructor(boot: string, deps: JournalDeps) {
    this.#boot = boot;
    this.#deps = deps;
    for (const { row, asset } of deps.spool.kept()) this.#keptOf(asset).push(row);
  }

  #keptOf(asset: string): number[] {
    const known = this.#kept.get(asset);
    if (known !== undefined) return known;
    const rows: number[] = [];
    this.#kept.set(asset, rows);
    return rows;
  }

  /** Finishes what a power cut left open. @returns how many results were lost. */
  finishOpen(): number {
    const { spool, held } = this.#deps;
    const open = spool.unfinished();
    spool.transaction(() => {
      for (const d of open) spool.setRecord(d.row, canonicalJson(held(d)));
    });
    return open.length;
  }

  /** The answer that a frame got already; null when it is new. */
  answered(frame: Frame): DecisionRecord | null {
    const { spool, held } = this.#deps;
    const before = spool.find(frame.asset, frame.run, frame.index);
    if (before === null || before.record !== null) return before?.record ?? null;
    // Its result did not reach the disk although its intent did.
    const record = held(before);
    spool.setRecord(before.row, canonicalJson(record));
    return record;
  }

  /**
   * Writes a decision.
   * @param made resolves to what makes the record, given its sequence; called when the record is about to be written.
   * @throws {Error} when the disk does not take it; then nothing of it is there.
   */
  write(frame: Frame, intent: Intent, made: Promise<(sequence: number) => DecisionRecord>): Promise<DecisionRecord> {
    return new Promise<DecisionRecord>((resolve, reject) => {
      const pending: Pending = {
        frame,
        text: JSON.stringify(frame),
        intent,
        row: 0,
        sequence: 0,
        make: null,
        record: null,
        resolve,
        reject,
      };
      this.#commitSoon(pending);
      made.then((make) => {
        pending.make = make;
        // Its intent may have failed meanwhile: then it was rejected already.
        if (pending.row >= 0) this.#commitSoon(pending);
      });
    });
  }

  #commitSoon(pending: Pending): void {
    this.#dirty.add(pending);
    if (this.#flushing) return;
    this.#flushing = true;
    // Everything that arrives in this turn of the loop shares one commit.
    setImmediate(() => this.flush());
  }

  /** Commits what waits. */
  flush(): void {
    this.#flushing = false;
    const batch = [...this.#dirty];
    this.#dirty.clear();
    if (batch.length === 0) return;
    const { spool } = this.#deps;
    const sequence = this.#sequence;
    const fresh = batch.filter((p) => p.row === 0);
    const done: Pending[] = [];
    let kept: ReadonlyMap<string, number[]>;
    try {
      kept = spool.transaction(() => {
        for (const p of batch) {
          if (p.row === 0) {
            p.sequence = ++this.#sequence;
            p.row = spool.insertIntent(this.#boot, p.sequence, p.intent, p.text, this.#deps.clock());
          }
          if (p.make === null) continue;
          p.record = p.make(p.sequence);
          spool.setRecord(p.row, canonicalJson(p.record));
          done.push(p);
        }
        return this.#releaseOld(fresh);
      });
    } catch (error) {
      // Nothing of it is on the disk: the sequence has no gap, and the machine sends its frame again.
      this.#sequence = sequence;
      for (const p of fresh) p.row = -1;
      for (const p of batch) p.reject(new Error(`the spool did not take the decision: ${(error as Error).message}`));
      return;
    }
    // Only now is it true.
    for (const [asset, rows] of kept) this.#kept.set(asset, rows);
    for (const p of done) p.resolve(p.record as DecisionRecord);
  }

  /** Within the transaction. @returns the rows that are kept once it is committed, by asset. */
  #releaseOld(fresh: readonly Pending[]): ReadonlyMap<string, number[]> {
    const keep = Math.max(MIN_KEPT, this.#deps.windowLength());
    const kept = new Map<string, number[]>();
    for (const { frame, row } of fresh) {
      const rows = kept.get(frame.asset) ?? [...this.#keptOf(frame.asset)];
      kept.set(frame.asset, rows);
      rows.push(row);
      while (rows.length > keep) this.#deps.spool.release(rows.shift() as number);
    }
    return kept;
  }
}
