import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { QuarantineClass, type QuarantineLine } from '#core/contracts/quarantine.ts';
import { classOf, type QuarantineSource } from '#core/lake/quarantine.ts';
import { readQuarantinedMessages } from '../shared/quarantine-messages.ts';
import { MAX_UNPACKED_BYTES, unpackLines } from '../shared/unpack.ts';
import { utf8Lines } from '../shared/utf8.ts';

const BadLine = z.looseObject({
  line: z.int().nonnegative(),
  reason: z.string(),
  class: QuarantineClass.optional(),
  text: z.string().default(''),
});

/** A bad line with the number it had in its object. */
export interface AsideLine extends z.infer<typeof QuarantineLine> {
  /** From 1; 0 is the object as a whole; null for what was no line. */
  readonly line: number | null;
}

const TEXT_LENGTH = 500;
const GZIP = [0x1f, 0x8b];

/** Lines of an object, packed or not; what devices sent may unpack to more than a function holds. */
const linesOf = (bytes: Uint8Array, maxBytes: number): ReturnType<typeof unpackLines> =>
  bytes[0] === GZIP[0] && bytes[1] === GZIP[1]
    ? unpackLines(bytes, maxBytes, 'look at the object itself')
    : { ok: true, lines: utf8Lines(bytes) };

/**
 * What is in a quarantine object, one entry a bad record; one that cannot be unpacked is one entry.
 * @param maxBytes limit of what it may unpack to. @throws {Error} when it is none.
 */
export const readAside = (
  from: QuarantineSource,
  key: string,
  bytes: Uint8Array,
  maxBytes = MAX_UNPACKED_BYTES,
): AsideLine[] => {
  if (from === 'messages')
    return readQuarantinedMessages(bytes, key).map((m) => ({
      line: null,
      class: m.class,
      reason: m.reason,
      place: m.topic ?? 'no topic',
      text: Buffer.from(m.bytes, 'base64').toString('utf8').slice(0, TEXT_LENGTH),
    }));
  const unpacked = linesOf(bytes, maxBytes);
  if (!unpacked.ok)
    return [{ line: 0, class: 'container', reason: unpacked.reason, place: 'the whole object', text: '' }];
  const lines = unpacked.lines.map((l) => l.text);
  // An object of decisions is put aside whole: its first line is the header.
  if (from === 'decisions')
    return lines.slice(Math.min(1, lines.length - 1)).map((text, i) => ({
      line: i + 2,
      class: 'unproved' as const,
      reason: 'the object could not be proved; the log of record-decisions says why',
      place: `line ${i + 2}`,
      text: text.slice(0, TEXT_LENGTH),
    }));
  return lines.map((text, i) => {
    const bad = parseAs(BadLine, JSON.parse(text), `line ${i + 1} of ${key}`);
    return {
      line: bad.line,
      class: bad.class ?? classOf(bad.line, bad.reason),
      reason: bad.reason,
      place: bad.line === 0 ? 'the whole object' : `line ${bad.line}`,
      text: bad.text.slice(0, TEXT_LENGTH),
    };
  });
};
