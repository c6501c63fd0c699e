import type { z } from 'zod';
import { didYouMean, nearestOf } from '../text/nearest.ts';
import { columnFields, KEYS } from './columns.ts';
import type { Problem } from './problem.ts';
import { CALLED, type FieldPath, NESTED, type RawEntry, type Section, valueAt } from './sections.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What names an entry in its section, `asset/signal` of one that has an owner; undefined when a name is missing. */
export const keyOf = (section: Section, value: unknown): string | undefined => {
  const names = KEYS[section].map((key) => (value as Fields)[key]);
  return names.every((name) => typeof name === 'string' && name !== '') ? names.join('/') : undefined;
};

/** What an entry is called in a message: `asset "spindle-101"`. */
export const called = ({ section, value }: Pick<RawEntry, 'section' | 'value'>): string => {
  const key = keyOf(section, value);
  return key === undefined ? CALLED[section] : `${CALLED[section]} "${key}"`;
};

const fieldsOf = (section: Section): readonly string[] => [
  ...columnFields(section),
  ...(Object.hasOwn(NESTED, section) ? [NESTED[section as keyof typeof NESTED].field] : []),
];

const meantBy = (section: Section, path: FieldPath, field: string): string | undefined =>
  path.length > 0 ? undefined : nearestOf(field, fieldsOf(section));

const unknownField = (section: Section, path: FieldPath, field: string): string => {
  if (path.length > 0) return `there is no field "${field}" in ${path.join('.')}`;
  const meant = meantBy(section, path, field);
  return `there is no field "${field}"; ${didYouMean(meant, `there are ${fieldsOf(section).join(', ')}`)}`;
};

/**
 * Issues of a contract as problems: which entry, which field, what was expected. A field that is missing because its name
 * is misspelt is one mistake.
 */
export const explainIssues = (entry: RawEntry, issues: readonly z.core.$ZodIssue[]): readonly Problem[] => {
  const say = (at: FieldPath, text: string): Problem => ({ ...entry.where(at), message: `${called(entry)}: ${text}` });
  const misspelt = new Set(
    issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => meantBy(entry.section, issue.path as FieldPath, key))
        : [],
    ),
  );
  return issues.flatMap((issue) => {
    const path = issue.path as FieldPath;
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => say([...path, key], unknownField(entry.section, path, key)));
    const value = valueAt(entry.value, path);
    const expected = issue.message.replace(/^Invalid (?:input|option): /, '').replace(/, received .*$/, '');
    if (value === undefined && path.length > 0)
      return path.length === 1 && misspelt.has(String(path[0]))
        ? []
        : [say(path, `"${path.join('.')}" is missing, ${expected}`)];
    const text = `${path.join('.')}: ${expected}, it is ${JSON.stringify(value)?.slice(0, 80)}`;
    const unquoted = typeof value === 'number' && expected === 'expected string';
    return [say(path, unquoted ? `${text}; write it in quotes` : text)];
  });
};
