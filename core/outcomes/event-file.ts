import { type PlantEvent, ReportedEvent } from '../contracts/plant-event.ts';
import { parseCsv } from '../text/csv.ts';

export interface BadRow {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

export interface EventFile {
  readonly events: readonly PlantEvent[];
  readonly bad: readonly BadRow[];
}

interface Row {
  readonly line: number;
  readonly text: string;
  readonly value: () => unknown;
}

const FORMATS = '.csv, .json or .jsonl';
const DETAIL = 'detail.';

/** A CSV row as an event: an empty cell is no field, `index` is a number, columns `detail.<name>` are texts of its detail. */
const eventOfCells = (header: readonly string[], cells: readonly string[]): unknown => {
  if (cells.length !== header.length)
    throw new Error(`${header.length} cells expected as in the heading, ${cells.length} found`);
  const event: Record<string, unknown> = { schema: 'plant-event/1', run: null, index: null };
  const detail: Record<string, string> = {};
  for (const [i, name] of header.entries()) {
    const cell = (cells[i] as string).trim();
    if (cell === '') continue;
    if (name.startsWith(DETAIL)) detail[name.slice(DETAIL.length)] = cell;
    else event[name] = name === 'index' ? Number(cell) : cell;
  }
  return { ...event, detail };
};

const rowsOf = (name: string, text: string): readonly Row[] => {
  if (name.endsWith('.csv')) {
    const [heading, ...records] = parseCsv(text);
    const header = (heading?.fields ?? []).map((h) => h.trim());
    return records.map(({ line, fields }) => ({
      line,
      text: fields.join(','),
      value: () => eventOfCells(header, fields),
    }));
  }
  if (name.endsWith('.json') && text.trimStart().startsWith('[')) {
    const all: unknown = JSON.parse(text);
    return (all as readonly unknown[]).map((value, i) => ({
      line: i + 1,
      text: JSON.stringify(value),
      value: () => value,
    }));
  }
  return text.split('\n').flatMap((line, i) => {
    const value = (): unknown => JSON.parse(line);
    return line.trim() === '' ? [] : [{ line: i + 1, text: line, value }];
  });
};

/**
 * Plant events of a file: CSV with the field names of the contract as heading, a JSON array, or one JSON document a line.
 * A row that is no event is bad, with its line (of a JSON array: its place) and the reason; the others are taken.
 * @param name of the file; its ending says the format.
 */
export const parseEventFile = (name: string, text: string): EventFile => {
  const whole = (reason: string): EventFile => ({ events: [], bad: [{ line: 1, reason, text: text.slice(0, 1000) }] });
  if (!/\.(csv|jsonl?)$/.test(name))
    return whole(`${name} is no file of events: expected a name that ends in ${FORMATS}`);
  let rows: readonly Row[];
  try {
    rows = rowsOf(name, text);
  } catch (error) {
    return whole(`not JSON: ${(error as Error).message}`);
  }
  if (rows.length === 0) return whole('there is no event in it');
  const events: PlantEvent[] = [];
  const bad: BadRow[] = [];
  for (const { line, text: row, value } of rows) {
    try {
      const parsed = ReportedEvent.safeParse(value());
      if (parsed.success) events.push(parsed.data);
      else
        bad.push({
          line,
          reason: parsed.error.issues.map((i) => `${i.path.join('.') || '(whole)'}: ${i.message}`).join('; '),
          text: row.slice(0, 1000),
        });
    } catch (error) {
      bad.push({ line, reason: (error as Error).message, text: row.slice(0, 1000) });
    }
  }
  return { events, bad };
};
