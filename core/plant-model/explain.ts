import type { z } from 'zod';
import { nearestOf } from '../text/nearest.ts';
import { COLUMNS, KEYS } from './columns.ts';
import type { Problem } from './problem.ts';
import { CALLED, type FieldPath, NESTED, type RawEntry, type Section } from './sections.ts';

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
  ...new Set(COLUMNS[section].map((c) => c.name.split('.')[0] as string)),
  ...(Object.hasOwn(NESTED, section) ? [NESTED[section as keyof typeof NESTED].field] : []),
];

const valueAt = (value: unknown, path: FieldPath): unknown => {
  let at = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? (at as Fields)[step] : undefined;
  return at;
};

const unknownField = (section: Section, path: FieldPath, field: string): string => {
  if (path.length > 0) return `there is no field "${field}" in ${path.join('.')}`;
  const meant = nearestOf(field, fieldsOf(section));
  return meant === undefined
    ? `there is no field "${field}"; there are ${fieldsOf(section).join(', ')}`
    : `there is no field "${field}"; did you mean "${meant}"?`;
};

/** One issue of a contract as problems: which entry, which field, what was expected. */
export const explainIssue = (entry: RawEntry, issue: z.core.$ZodIssue): readonly Problem[] => {
  const path = issue.path as FieldPath;
  const say = (at: FieldPath, text: string): Problem => ({ ...entry.where(at), message: `${called(entry)}: ${text}` });
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => say([...path, key], unknownField(entry.section, path, key)));
  const value = valueAt(entry.value, path);
  const expected = issue.message.replace(/^Invalid (?:input|option): /, '').replace(/, received .*$/, '');
  const text =
    value === undefined && path.length > 0
      ? `"${path.join('.')}" is missing, ${expected}`
      : `${path.join('.')}: ${expected}, it is ${JSON.stringify(value)?.slice(0, 80)}`;
  return [
    say(path, typeof value === 'number' && expected === 'expected string' ? `${text}; write it in quotes` : text),
  ];
};
