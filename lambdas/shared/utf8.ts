const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NEWLINE = 0x0a;

/** What is said of bytes that are text of another encoding, or damaged: JSON is UTF-8 (RFC 8259, 8.1). */
export const NOT_UTF8 = 'not JSON: its bytes are not UTF-8';

/** Text of bytes; null where they are not UTF-8. No byte is replaced or left out. */
export const utf8 = (bytes: Uint8Array): string | null => {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
};

/** A line, from 1; where its bytes are not UTF-8, `text` only resembles it. */
export interface Line {
  readonly line: number;
  readonly text: string;
  readonly isUtf8: boolean;
}

/** Lines of bytes that are not empty, each decoded for itself: one that is not UTF-8 leaves the others as they are. */
export const utf8Lines = (bytes: Uint8Array): Line[] => {
  const lines: Line[] = [];
  let from = 0;
  for (let line = 1; from <= bytes.length; line++) {
    const end = bytes.indexOf(NEWLINE, from);
    const to = end < 0 ? bytes.length : end;
    if (to > from) {
      const text = utf8(bytes.subarray(from, to));
      lines.push({
        line,
        text: text ?? Buffer.from(bytes.subarray(from, to)).toString('utf8'),
        isUtf8: text !== null,
      });
    }
    from = to + 1;
  }
  return lines;
};
