import type { QualityFinding, QualityMessage } from '../contracts/quality.ts';
import { lastWords } from './findings.ts';

/** Messages are metered by 5 kB, and the lite nucleus drops a connection that sends 10. */
export const MAX_MESSAGE_BYTES = 4900;

/** Of a value as JSON. */
export const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/**
 * Parts of a list, in its order, each as long as fits.
 * @param room bytes for the items of a part. @param size of an item in a part that has `before` already.
 * @throws {Error} when one item alone needs more.
 */
export const inParts = <T>(
  items: readonly T[],
  room: number,
  size: (item: T, before: readonly T[]) => number,
): readonly (readonly T[])[] => {
  const parts: T[][] = [];
  let left = 0;
  for (const item of items) {
    let needed = size(item, parts.at(-1) ?? []) + 1;
    if (needed > left) {
      needed = size(item, []) + 1;
      if (needed > room)
        throw new Error(`an item of ${needed} bytes does not fit into a message with room for ${room}`);
      parts.push([]);
      left = room;
    }
    (parts.at(-1) as T[]).push(item);
    left -= needed;
  }
  return parts;
};

/**
 * Messages of findings, each short enough for a device to send. Of a stretch only the last word goes.
 * @param sequence gives the next number of the boot.
 */
export const qualityMessages = (
  of: Pick<QualityMessage, 'site' | 'device' | 'boot' | 'at'>,
  findings: readonly QualityFinding[],
  sequence: () => number,
): readonly QualityMessage[] => {
  const empty: QualityMessage = { schema: 'quality/1', ...of, sequence: Number.MAX_SAFE_INTEGER, findings: [] };
  return inParts(lastWords(findings), MAX_MESSAGE_BYTES - bytesOf(empty), bytesOf).map((part) => ({
    ...empty,
    sequence: sequence(),
    findings: [...part],
  }));
};
