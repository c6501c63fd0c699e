/** One record of a CSV text and the line it begins at, counted from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Records of a CSV text (RFC 4180): fields between commas, quoted where they hold commas, quotes or line ends; `""` is a
 * quote. Line ends are LF or CRLF, empty lines are left out. A quote that is never closed takes the rest as its field, and
 * what follows a closing quote belongs to the field, so that a broken file breaks in its fields and not here.
 */
export const parseCsv = (text: string): readonly CsvRecord[] => {
  const records: CsvRecord[] = [];
  let fields: string[] = [];
  let field = '';
  let quoted = false;
  let line = 1;
  let begunAt = 1;
  const endRecord = (): void => {
    fields.push(field);
    if (fields.length > 1 || fields[0] !== '') records.push({ line: begunAt, fields });
    fields = [];
    field = '';
  };
  const chars = text.startsWith('\uFEFF') ? text.slice(1) : text;
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i] as string;
    if (c === '\n') line++;
    if (quoted) {
      if (c !== '"') field += c;
      else if (chars[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && field === '') quoted = true;
    else if (c === ',') {
      fields.push(field);
      field = '';
    } else if (c === '\n') {
      if (field.endsWith('\r')) field = field.slice(0, -1);
      endRecord();
      begunAt = line;
    } else field += c;
  }
  if (field !== '' || fields.length > 0) endRecord();
  return records;
};

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Rows of cells as CSV text (RFC 4180) with LF at the end of each line. */
export const writeCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
