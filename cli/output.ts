import { styleText } from 'node:util';

/** Where a command writes: text for people, or one JSON document with `--json`. */
export interface Output {
  readonly json: boolean;
  readonly colour: boolean;
  write(text: string): void;
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export const paint = (out: Output, style: Style, text: string): string =>
  out.colour ? styleText(style, text, { validateStream: false }) : text;

export const say = (out: Output, text = ''): void => out.write(`${text}\n`);

/** One answer: the document with `--json`, else what `human` writes. */
export const answer = (out: Output, document: unknown, human: () => void): void => {
  if (out.json) out.write(`${JSON.stringify(document, null, 2)}\n`);
  else human();
};

export interface Column<T> {
  readonly title: string;
  readonly of: (row: T) => string;
  readonly align?: 'right';
  readonly style?: (row: T) => Style | null;
}

const cut = (text: string, width: number): string =>
  text.length <= width ? text : width <= 1 ? '…' : `${text.slice(0, width - 1)}…`;

/** Columns of a screen: tables are cut to it, sentences broken. */
const WIDTH = 100;

/**
 * Aligned columns with a heading; the widest column is cut until a line fits `width`.
 * @param empty what to say when there are no rows.
 */
export const table = <T>(
  out: Output,
  rows: readonly T[],
  columns: readonly Column<T>[],
  empty: string,
  width = WIDTH,
): void => {
  if (rows.length === 0) {
    say(out, empty);
    return;
  }
  const cells = rows.map((row) => columns.map((c) => c.of(row)));
  const widths = columns.map((c, i) => Math.max(c.title.length, ...cells.map((line) => (line[i] as string).length)));
  const total = () => widths.reduce((a, b) => a + b, 0) + 2 * (widths.length - 1);
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] as number) <= 8) break;
    widths[widest] = Math.max(8, (widths[widest] as number) - (total() - width));
  }
  const place = (text: string, i: number): string => {
    const room = widths[i] as number;
    const short = cut(text, room);
    return columns[i]?.align === 'right' ? short.padStart(room) : short.padEnd(room);
  };
  const heading = columns.map((c, i) => paint(out, 'dim', place(c.title, i))).join('  ');
  say(out, heading.trimEnd());
  for (const [r, line] of cells.entries())
    say(
      out,
      line
        .map((text, i) => {
          const style = columns[i]?.style?.(rows[r] as T) ?? null;
          return style === null ? place(text, i) : paint(out, style, place(text, i));
        })
        .join('  ')
        .trimEnd(),
    );
};

/** Text in lines of at most `width` characters, broken between words where that is possible; a quoted command stays whole. */
export const wrapped = (text: string, width: number): string[] => {
  const lines: string[] = [];
  const words = (text.match(/"[^"\s]+(?: [^"\s]+)*"\S*|\S+/g) ?? []).flatMap((word) =>
    word.length <= width ? [word] : (word.match(new RegExp(`\\S{1,${width}}`, 'g')) ?? []),
  );
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
};

/** Lines of `name  value`, names aligned; further lines of a value stand below its first. Sentences are broken to fit. */
export const facts = (out: Output, pairs: readonly (readonly [string, ...string[]])[]): void => {
  const room = Math.max(...pairs.map(([name]) => name.length));
  // What has no space is an id or a key: whole, it can be copied.
  const lines = (value: string) => (value.includes(' ') ? wrapped(value, WIDTH - room - 4) : [value]);
  for (const [name, ...values] of pairs)
    for (const [i, value] of values.flatMap(lines).entries())
      say(out, `  ${paint(out, 'dim', (i === 0 ? name : '').padEnd(room))}  ${value}`);
};

/** A sentence, broken to fit; its further lines are indented by `indent` more than the first. */
export const sentence = (out: Output, text: string, before = '', indent = 2): void => {
  const [first = '', ...more] = wrapped(text, WIDTH - before.length - indent);
  say(out, `${before}${first}`);
  for (const line of more) say(out, `${before}${' '.repeat(indent)}${line}`);
};

/** A verdict in colour and why, in a line or more. */
export const headline = (out: Output, style: Style, word: string, why: string): void => {
  const [first = '', ...more] = wrapped(why, WIDTH - word.length - 2);
  say(out, `${paint(out, style, word)}  ${first}`);
  for (const line of wrapped(more.join(' '), WIDTH - 2)) say(out, `  ${line}`);
};

/** First twelve hex digits of a digest: enough to tell packages apart on one screen. */
export const short = (digest: string | null | undefined): string =>
  digest === null || digest === undefined ? '–' : digest.replace('sha256:', '').slice(0, 12);

/** `1 device`, `2 devices`. */
export const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** A number with few digits; a dash when there is none. */
export const figure = (value: number | null | undefined, digits = 2): string =>
  value === null || value === undefined ? '–' : value.toFixed(digits);

/** How long ago, in the largest unit that fits. */
export const ago = (then: string, now: string): string => {
  const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(then)) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
};
