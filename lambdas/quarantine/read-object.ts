import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { QuarantineClass, type QuarantineLine } from '#core/contracts/quarantine.ts';
import { classOf, type QuarantineSource } from '#core/lake/quarantine.ts';
import { readQuarantinedMessages } from '../shared/quarantine-messages.ts';

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

const unpack = (bytes: Uint8Array): string =>
  Buffer.from(bytes[0] === GZIP[0] && bytes[1] === GZIP[1] ? gunzipSync(bytes) : bytes).toString('utf8');

/** What is in a quarantine object, one entry a bad record. @throws {Error} when it is none. */
export const readAside = (from: QuarantineSource, key: string, bytes: Uint8Array): AsideLine[] => {
  if (from === 'messages')
    return readQuarantinedMessages(bytes, key).map((m) => ({
      line: null,
      class: m.class,
      reason: m.reason,
      place: m.topic ?? 'no topic',
      text: Buffer.from(m.bytes, 'base64').toString('utf8').slice(0, TEXT_LENGTH),
    }));
  const lines = unpack(bytes)
    .split('\n')
    .filter((line) => line !== '');
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
