import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { AnsweredFrame } from '../../plant/machines.ts';

/** What the line was told, by frame. */
export type Told = ReadonlyMap<string, Pick<AnsweredFrame, 'id' | 'verdict'>>;

export const frameKey = (f: { readonly asset: string; readonly run: string; readonly index: number }): string =>
  `${f.asset}/${f.run}/${f.index}`;

export interface Account {
  readonly told: number;
  readonly held: number;
  /** Told to the line, and no record of it; each is a fault. */
  readonly unrecorded: readonly string[];
  /** The record says something else than the line was told. */
  readonly different: readonly string[];
  /** A frame with more than one record. */
  readonly doubled: readonly string[];
  /** Recorded, not held, and the line was never told. */
  readonly untold: readonly string[];
}

/**
 * Holds what the line was told against the records, frame by frame: every decision is either told and recorded, or held.
 * @param records of the frames that were sent, from the lake.
 */
export const account = (told: Told, records: readonly DecisionRecord[]): Account => {
  const byFrame = new Map<string, DecisionRecord[]>();
  for (const r of records) byFrame.set(frameKey(r), [...(byFrame.get(frameKey(r)) ?? []), r]);
  const unrecorded: string[] = [];
  const different: string[] = [];
  for (const [frame, answer] of told) {
    const [record] = byFrame.get(frame) ?? [];
    if (record === undefined) unrecorded.push(frame);
    else if (record.id !== answer.id || record.verdict !== answer.verdict)
      different.push(
        `${frame}: the line was told ${answer.verdict} (${answer.id}), ${record.id} says ${record.verdict}`,
      );
  }
  return {
    told: told.size - unrecorded.length,
    held: records.filter((r) => r.verdict === 'held').length,
    unrecorded,
    different,
    doubled: [...byFrame].flatMap(([frame, found]) => (found.length > 1 ? [frame] : [])),
    untold: [...byFrame].flatMap(([frame, found]) =>
      !told.has(frame) && found.some((r) => r.verdict !== 'held') ? [frame] : [],
    ),
  };
};
