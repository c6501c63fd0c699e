import { parseCsv, writeCsv } from '../text/csv.ts';
import { nearestOf } from '../text/nearest.ts';
import { COLUMNS, type Column, KEYS } from './columns.ts';
import type { PlantFile, Problem } from './problem.ts';
import { isSection, type RawEntry, SECTIONS, type Section, valueAt } from './sections.ts';

/** Section of a CSV file by its name: `assets.csv`, `assets.line-2.csv`. */
const sectionOf = (file: string): Section | undefined => {
  const [section = ''] = file.slice(file.lastIndexOf('/') + 1).split('.');
  return isSection(section) ? section : undefined;
};

const numberOf = (cell: string): number | string => {
  const value = Number(cell);
  // What is no number stays as it is: its contract says what was expected.
  return cell.trim() === '' || !Number.isFinite(value) ? cell : value;
};

const parseCell = ({ kind }: Column, cell: string): unknown => {
  if (kind === 'text') return cell;
  if (kind === 'list') return cell.split(/\s+/);
  if (kind === 'number') return numberOf(cell);
  const bounds = cell.split('..');
  return bounds.length === 2 ? bounds.map((b) => numberOf(b.trim())) : cell;
};

const cellOf = ({ kind }: Column, value: unknown): string => {
  if (kind === 'range') return (value as readonly number[]).join('..');
  return kind === 'list' ? (value as readonly string[]).join(' ') : String(value);
};

type Fields = Record<string, unknown>;

/** Entries of a CSV file with a heading; an empty cell is a field that is not there. */
export const readCsv = ({ path: file, text }: PlantFile): { entries: RawEntry[]; problems: Problem[] } => {
  const problems: Problem[] = [];
  const say = (line: number, message: string): void => void problems.push({ file, line, message });
  const section = sectionOf(file);
  if (section === undefined) {
    say(1, `expected the name of a section before ".csv": ${Object.keys(SECTIONS).join(', ')}`);
    return { entries: [], problems };
  }
  const [heading, ...records] = parseCsv(text);
  const names = (heading?.fields ?? []).map((name) => name.trim());
  const known = COLUMNS[section];
  const columns = names.map((name) => known.find((c) => c.name === name));
  const line = heading?.line ?? 1;
  for (const [i, name] of names.entries()) {
    if (columns[i] === undefined) {
      const meant = nearestOf(
        name,
        known.map((c) => c.name),
      );
      say(line, `${section} have no column "${name}"${meant === undefined ? '' : `; did you mean "${meant}"?`}`);
    }
    if (names.indexOf(name) < i) say(line, `the column "${name}" is there twice`);
  }
  for (const key of KEYS[section]) if (!names.includes(key)) say(line, `the column "${key}" is missing`);
  if (problems.length > 0) return { entries: [], problems };

  const entries: RawEntry[] = [];
  for (const { line: at, fields: cells } of records) {
    if (cells.length !== names.length) {
      say(at, `${names.length} cells are expected as in the heading, ${cells.length} are there`);
      continue;
    }
    const value: Fields = {};
    for (const [i, column] of columns.entries()) {
      const cell = (cells[i] as string).trim();
      if (column === undefined || cell === '') continue;
      const steps = column.name.split('.');
      let into = value;
      for (const step of steps.slice(0, -1)) {
        into[step] ??= {};
        into = into[step] as Fields;
      }
      into[steps.at(-1) as string] = parseCell(column, cell);
    }
    entries.push({ section, value, where: () => ({ file, line: at }) });
  }
  return { entries, problems };
};

/** The CSV text of entries of one section: the columns that any of them has, in the order of `COLUMNS`. */
export const csvOf = (section: Section, items: readonly object[]): string => {
  const rows = items.map((item) =>
    COLUMNS[section].map((column) => {
      const value = valueAt(item, column.name.split('.'));
      return value === undefined || (Array.isArray(value) && value.length === 0) ? '' : cellOf(column, value);
    }),
  );
  const used = COLUMNS[section].flatMap((column, i) =>
    KEYS[section].includes(column.name) || rows.some((row) => row[i] !== '') ? [i] : [],
  );
  const heading = used.map((i) => COLUMNS[section][i]?.name as string);
  return writeCsv([heading, ...rows.map((row) => used.map((i) => row[i] as string))]);
};
