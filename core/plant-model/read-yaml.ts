import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { PlantFile, Problem } from './problem.ts';
import { type FieldPath, NESTED, type RawEntry, type Section } from './sections.ts';

const SCHEMA = 'plant-model/1';
/** Sections that stand at the top of a YAML file; the others lie within these. */
const TOP: readonly Section[] = ['enterprise', 'places', 'connections', 'hierarchies', 'models', 'assets'];

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lines of a document: of a field its key's; of one that is not there, that of what it should be in. */
const linesOf = (document: Document, lines: LineCounter) => {
  const lineOf = (node: unknown): number | undefined =>
    isNode(node) && node.range ? Math.max(1, lines.linePos(node.range[0]).line) : undefined;
  return (path: FieldPath): number => {
    let node: Node | null | undefined = document.contents;
    let line = lineOf(node) ?? 1;
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(document);
      if (isMap(node)) {
        const pair = node.items.find((p) => isScalar(p.key) && String(p.key.value) === String(step));
        if (pair === undefined) return line;
        line = lineOf(pair.key) ?? line;
        node = pair.value as Node | null;
      } else if (isSeq(node)) {
        const item = node.items[Number(step)];
        if (item === undefined) return line;
        line = lineOf(item) ?? line;
        node = item as Node;
      } else return line;
    }
    return line;
  };
};

/** Lists of a value that should be one; a text when it is none. */
const listOf = (value: unknown): readonly unknown[] | string =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : 'a list is expected here: "- id: …"';

/**
 * Entries of a YAML or JSON file (JSON is YAML): `schema`, and any of the sections. What is wrong is a problem, the rest
 * is taken.
 */
export const readYaml = ({ path: file, text }: PlantFile): { entries: RawEntry[]; problems: Problem[] } => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core', logLevel: 'silent' });
  const entries: RawEntry[] = [];
  const problems: Problem[] = [];
  const say = (line: number, message: string): void => void problems.push({ file, line, message });
  // The parser counts a line beyond the last where the text ends in a line end.
  const last = text.split('\n').length;
  // What the parser says after its first error mostly follows from it.
  for (const error of document.errors.slice(0, 1))
    say(Math.min(Math.max(1, lines.linePos(error.pos[0]).line), last), `not YAML: ${error.message}`);
  if (problems.length > 0) return { entries, problems };
  const lineAt = linesOf(document, lines);
  const where = (base: FieldPath) => (path: FieldPath) => ({ file, line: Math.min(lineAt([...base, ...path]), last) });

  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    say(1, `not YAML that can be read: ${(error as Error).message}`);
    return { entries, problems };
  }
  if (!isFields(root)) {
    say(1, `expected "schema: ${SCHEMA}" and sections (${TOP.join(', ')})`);
    return { entries, problems };
  }
  if (root['schema'] !== SCHEMA)
    say(lineAt(['schema']), `schema is ${JSON.stringify(root['schema']) ?? 'missing'}: write "schema: ${SCHEMA}"`);

  const add = (section: Section, value: unknown, at: FieldPath, owner?: { field: string; id: unknown }): void => {
    if (!isFields(value)) {
      say(where(at)([]).line, 'fields are expected here: "name: value"');
      return;
    }
    const nested = Object.hasOwn(NESTED, section) ? NESTED[section as keyof typeof NESTED] : undefined;
    const own = Object.fromEntries(Object.entries(value).filter(([field]) => field !== nested?.field));
    if (owner !== undefined && Object.hasOwn(value, owner.field))
      say(where(at)([owner.field]).line, `"${owner.field}" is where this lies: leave it out`);
    entries.push({
      section,
      value: owner === undefined ? own : { ...own, [owner.field]: owner.id },
      where: where(at),
      ...(owner === undefined ? {} : { within: owner.field }),
    });
    if (nested === undefined) return;
    const list = listOf(value[nested.field]);
    if (typeof list === 'string') say(where(at)([nested.field]).line, list);
    else
      for (const [i, part] of list.entries())
        add(nested.section, part, [...at, nested.field, i], { field: nested.owner, id: own['id'] });
  };
  for (const [name, value] of Object.entries(root)) {
    if (name === 'schema') continue;
    const section = TOP.find((s) => s === name);
    if (section === undefined) say(lineAt([name]), `"${name}" is no section; there are ${TOP.join(', ')}`);
    else if (section === 'enterprise') add(section, value, [name]);
    else {
      const list = listOf(value);
      if (typeof list === 'string') say(lineAt([name]), list);
      else for (const [i, item] of list.entries()) add(section, item, [name, i]);
    }
  }
  return { entries, problems };
};
