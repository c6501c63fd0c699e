import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { DecisionRecord } from '#core/contracts/decision.ts';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decision (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  boot TEXT NOT NULL, sequence INTEGER NOT NULL,
  asset TEXT NOT NULL, run TEXT NOT NULL, idx INTEGER NOT NULL,
  at INTEGER NOT NULL,
  intent TEXT NOT NULL, frame TEXT, record TEXT,
  decision_sent INTEGER NOT NULL DEFAULT 0, frame_sent INTEGER NOT NULL DEFAULT 0, keep INTEGER NOT NULL DEFAULT 1,
  UNIQUE (boot, sequence), UNIQUE (asset, run, idx));
CREATE INDEX IF NOT EXISTS decision_unsent ON decision (row) WHERE decision_sent = 0;
CREATE INDEX IF NOT EXISTS frame_unsent ON decision (row) WHERE frame_sent = 0;
CREATE INDEX IF NOT EXISTS decision_kept ON decision (asset, row) WHERE keep = 1;
CREATE INDEX IF NOT EXISTS decision_done ON decision (row) WHERE decision_sent = 1 AND frame_sent = 1 AND keep = 0;
CREATE TABLE IF NOT EXISTS message (
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL, replaces TEXT, payload TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS message_replaces ON message (replaces) WHERE replaces IS NOT NULL;
`;

/** What is durable before the model has answered: enough to say later that the decision was lost. */
export interface Intent {
  readonly asset: string;
  readonly run: string;
  readonly index: number;
  readonly sourceTime: string;
  readonly decidedAt: string;
  readonly inputDigest: string;
  readonly packageDigest: string | null;
  readonly featureSetDigest: string | null;
}

export interface StoredDecision {
  readonly row: number;
  readonly boot: string;
  readonly sequence: number;
  readonly intent: Intent;
  /** The frame's JSON as it came; null when it was dropped to stay within the limits. */
  readonly frame: string | null;
  readonly record: DecisionRecord | null;
}

export interface DecisionToSend {
  readonly row: number;
  /** Milliseconds since the epoch when the intent was written. */
  readonly at: number;
  readonly record: DecisionRecord;
}

export interface FrameToSend {
  readonly row: number;
  readonly at: number;
  readonly index: number;
  readonly frame: string;
}

export interface StoredMessage {
  readonly row: number;
  readonly topic: string;
  readonly payload: string;
}

export interface Dropped {
  readonly frames: number;
  readonly messages: number;
  readonly decisions: number;
}

interface Row {
  row: number;
  boot: string;
  sequence: number;
  intent: string;
  frame: string | null;
  record: string | null;
}

const fromRow = (r: Row): StoredDecision => ({
  row: r.row,
  boot: r.boot,
  sequence: r.sequence,
  intent: JSON.parse(r.intent) as Intent,
  frame: r.frame,
  record: r.record === null ? null : (JSON.parse(r.record) as DecisionRecord),
});

/** Bytes of a row that still wait. */
const WAITING = `iif(decision_sent = 0, length(intent) + ifnull(length(record), 0), 0) + iif(frame_sent = 0, ifnull(length(frame), 0), 0)`;

/** Rows dropped at once when a limit is passed. */
const DROP_STEP = 200;

/**
 * What a device has decided and observed and not yet handed on: one SQLite file in WAL mode, shared by the runtime,
 * which writes, and the uplink, which drains. A commit of the runtime is on the disk when it returns.
 */
export class Spool {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @throws {Error} when the file is no spool or another process holds it for more than 5 s. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.transaction(() => this.#db.exec(SCHEMA));
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  /** All or nothing. */
  transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  getMeta(name: string): string | null {
    const found = this.#sql('SELECT value FROM meta WHERE name = ?').get(name) as { value: string } | undefined;
    return found?.value ?? null;
  }

  setMeta(name: string, value: string): void {
    this.#sql('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value').run(name, value);
  }

  /** A boot id that no other boot of this device has: a counter, and chance in case the file was lost. */
  newBoot(chance: string): string {
    return this.transaction(() => {
      const count = Number(this.getMeta('boots') ?? '0') + 1;
      this.setMeta('boots', String(count));
      return `b${count}-${chance}`;
    });
  }

  /** @returns the row. @throws {Error} when the sequence or the frame (asset, run, index) is already there. */
  insertIntent(boot: string, sequence: number, intent: Intent, frame: string, at: number): number {
    const { lastInsertRowid } = this.#sql(
      'INSERT INTO decision (boot, sequence, asset, run, idx, at, intent, frame) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(boot, sequence, intent.asset, intent.run, intent.index, at, JSON.stringify(intent), frame);
    return Number(lastInsertRowid);
  }

  setRecord(row: number, record: string): void {
    this.#sql('UPDATE decision SET record = ? WHERE row = ?').run(record, row);
  }

  /** Intents whose result was lost with the process that held it, oldest first. */
  unfinished(): readonly StoredDecision[] {
    return (this.#sql('SELECT * FROM decision WHERE record IS NULL ORDER BY row').all() as unknown as Row[]).map(
      fromRow,
    );
  }

  find(asset: string, run: string, index: number): StoredDecision | null {
    const found = this.#sql('SELECT * FROM decision WHERE asset = ? AND run = ? AND idx = ?').get(asset, run, index);
    return found === undefined ? null : fromRow(found as unknown as Row);
  }

  /** The frames still kept of each asset, oldest first: what windows are rebuilt from after a restart. */
  kept(): readonly { readonly row: number; readonly asset: string; readonly frame: string | null }[] {
    return this.#sql('SELECT row, asset, frame FROM decision WHERE keep = 1 ORDER BY row').all() as unknown as {
      row: number;
      asset: string;
      frame: string | null;
    }[];
  }

  /** From now on the uplink may delete this row. */
  release(row: number): void {
    this.#sql('UPDATE decision SET keep = 0 WHERE row = ?').run(row);
  }

  /** @param replaces a newer message of the same name takes the place of one that still waits. */
  putMessage(topic: string, payload: string, at: number, replaces: string | null): void {
    if (replaces !== null) this.#sql('DELETE FROM message WHERE replaces = ?').run(replaces);
    this.#sql('INSERT INTO message (topic, replaces, payload, at) VALUES (?, ?, ?, ?)').run(
      topic,
      replaces,
      payload,
      at,
    );
  }

  messages(limit: number): readonly StoredMessage[] {
    return this.#sql('SELECT row, topic, payload FROM message ORDER BY row LIMIT ?').all(
      limit,
    ) as unknown as StoredMessage[];
  }

  /** The newest messages that wait for a topic, the oldest of them first. */
  newestMessages(topic: string, limit: number): readonly StoredMessage[] {
    const newest = this.#sql('SELECT row, topic, payload FROM message WHERE topic = ? ORDER BY row DESC LIMIT ?').all(
      topic,
      limit,
    ) as unknown as StoredMessage[];
    return newest.reverse();
  }

  deleteMessage(row: number): void {
    this.#sql('DELETE FROM message WHERE row = ?').run(row);
  }

  /**
   * The oldest decisions that wait: of one boot, consecutive, ending before the first that has no result yet.
   * @param upTo no row after this one; what a planned object began with must not grow.
   */
  decisionsToSend(limit: number, upTo = Number.MAX_SAFE_INTEGER): readonly DecisionToSend[] {
    const rows = this.#sql(
      'SELECT row, at, record FROM decision WHERE decision_sent = 0 AND row <= ? ORDER BY row LIMIT ?',
    ).all(upTo, limit) as unknown as { row: number; at: number; record: string | null }[];
    const out: DecisionToSend[] = [];
    for (const r of rows) {
      if (r.record === null) break;
      const record = JSON.parse(r.record) as DecisionRecord;
      const first = out[0]?.record;
      if (first !== undefined && (record.boot !== first.boot || record.sequence !== first.sequence + out.length)) break;
      out.push({ row: r.row, at: r.at, record });
    }
    return out;
  }

  /** Has the device started again since? */
  hasLaterBoot(boot: string): boolean {
    return (
      this.#sql(
        'SELECT 1 FROM decision WHERE boot <> ? AND row > (SELECT max(row) FROM decision WHERE boot = ?) LIMIT 1',
      ).get(boot, boot) !== undefined
    );
  }

  markDecisionsSent(rows: readonly number[]): void {
    for (const row of rows) this.#sql('UPDATE decision SET decision_sent = 1 WHERE row = ?').run(row);
  }

  /** The oldest frames that wait, of one run of one asset, as many as `limit` and `maxBytes` allow, at least one. */
  framesToSend(limit: number, maxBytes: number): readonly FrameToSend[] {
    const rows = this.#sql(
      `SELECT d.row, d.idx AS "index", d.frame, d.at FROM decision d,
         (SELECT asset, run FROM decision WHERE frame_sent = 0 ORDER BY row LIMIT 1) f
       WHERE d.frame_sent = 0 AND d.asset = f.asset AND d.run = f.run AND d.frame IS NOT NULL ORDER BY d.row LIMIT ?`,
    ).all(limit) as unknown as FrameToSend[];
    let bytes = 0;
    return rows.filter((r, i) => {
      bytes += r.frame.length;
      return i === 0 || bytes <= maxBytes;
    });
  }

  markFramesSent(rows: readonly number[]): void {
    for (const row of rows) this.#sql('UPDATE decision SET frame_sent = 1 WHERE row = ?').run(row);
  }

  /** Frames are not wanted in the lake: none waits. */
  skipFrames(): void {
    this.#sql('UPDATE decision SET frame_sent = 1 WHERE frame_sent = 0').run();
  }

  /** Deletes what was handed on and is no longer kept. */
  sweep(): void {
    this.#sql('DELETE FROM decision WHERE decision_sent = 1 AND frame_sent = 1 AND keep = 0').run();
  }

  /** What waits to be handed on. */
  pending(): { readonly pending: number; readonly bytes: number } {
    const decisions = this.#sql(
      `SELECT count(*) AS n, ifnull(sum(${WAITING}), 0) AS bytes FROM decision WHERE decision_sent = 0 OR frame_sent = 0`,
    ).get() as { n: number; bytes: number };
    const messages = this.#sql('SELECT count(*) AS n, ifnull(sum(length(payload)), 0) AS bytes FROM message').get() as {
      n: number;
      bytes: number;
    };
    return { pending: decisions.n + messages.n, bytes: decisions.bytes + messages.bytes };
  }

  #drop(what: keyof Dropped, statement: string, parameter: number): number {
    const changed = Number(this.#sql(statement).run(parameter).changes);
    if (changed > 0) this.setMeta(`dropped/${what}`, String(Number(this.getMeta(`dropped/${what}`) ?? '0') + changed));
    return changed;
  }

  /**
   * Keeps what waits within bytes and age. First frames go, oldest first: they are bulk, and the decision about each
   * keeps their digest. Then messages. Decisions go last; their gap shows in the sequence. All is counted.
   * @param before milliseconds since the epoch: what is older is dropped.
   */
  enforce(maxBytes: number, before: number): Dropped {
    return this.transaction(() => {
      const frames = 'UPDATE decision SET frame_sent = 1, frame = iif(keep = 1, frame, NULL) WHERE frame_sent = 0';
      const decisions = 'UPDATE decision SET decision_sent = 1 WHERE decision_sent = 0 AND record IS NOT NULL';
      let gone: Dropped = {
        frames: this.#drop('frames', `${frames} AND at < ?`, before),
        messages: this.#drop('messages', 'DELETE FROM message WHERE at < ?', before),
        decisions: this.#drop('decisions', `${decisions} AND at < ?`, before),
      };
      const oldest = (table: string, where: string) =>
        `AND row IN (SELECT row FROM ${table} WHERE ${where} ORDER BY row LIMIT ?)`;
      const steps: readonly (readonly [keyof Dropped, string])[] = [
        ['frames', `${frames} ${oldest('decision', 'frame_sent = 0')}`],
        ['messages', `DELETE FROM message WHERE 1 ${oldest('message', '1')}`],
        ['decisions', `${decisions} ${oldest('decision', 'decision_sent = 0 AND record IS NOT NULL')}`],
      ];
      for (const [what, statement] of steps)
        while (this.pending().bytes > maxBytes) {
          const count = this.#drop(what, statement, DROP_STEP);
          if (count === 0) break;
          gone = { ...gone, [what]: gone[what] + count };
        }
      this.sweep();
      return gone;
    });
  }

  /** What was ever dropped to stay within the limits. */
  dropped(): Dropped {
    const of = (what: string) => Number(this.getMeta(`dropped/${what}`) ?? '0');
    return { frames: of('frames'), messages: of('messages'), decisions: of('decisions') };
  }

  deleteMeta(name: string): void {
    this.#sql('DELETE FROM meta WHERE name = ?').run(name);
  }

  close(): void {
    this.#db.close();
  }
}
