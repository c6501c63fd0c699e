import { z } from 'zod';
import { CATALOGUE, type CatalogueEntry } from '#core/contracts/catalogue.ts';
import { LAKE_TABLES } from '#core/contracts/lake-tables.ts';

type JsonSchema = { [key: string]: unknown };

/** JSON Schema (draft 2020-12) of one contract, as its input is written. */
export const jsonSchemaOf = (entry: CatalogueEntry): JsonSchema => ({
  ...z.toJSONSchema(entry.schema, { io: 'input', unrepresentable: 'any' }),
  title: entry.name,
  description: entry.says,
});

const typeOf = (schema: JsonSchema): string => {
  if (schema['const'] !== undefined) return `\`${JSON.stringify(schema['const'])}\``;
  if (Array.isArray(schema['enum'])) return schema['enum'].map((v) => `\`${v}\``).join(', ');
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as JsonSchema[]).map(typeOf).join(' or ');
  if (schema['type'] === 'array') return `list of ${typeOf((schema['items'] ?? {}) as JsonSchema)}`;
  return String(schema['type'] ?? 'any');
};

const page = (entries: readonly CatalogueEntry[]): string => {
  const lines = [
    '# Contracts',
    '',
    'Generated from `core/contracts` by `npm run contracts`; do not edit. Each contract has its JSON Schema beside this page.',
    '',
  ];
  for (const kind of ['message', 'record', 'manifest', 'event', 'config'] as const) {
    lines.push(`## ${kind[0]?.toUpperCase()}${kind.slice(1)}s`, '');
    for (const entry of entries.filter((e) => e.kind === kind)) {
      const schema = jsonSchemaOf(entry);
      const required = new Set((schema['required'] as string[] | undefined) ?? []);
      lines.push(
        `### \`${entry.name}\``,
        '',
        `${entry.says} [JSON Schema](${entry.name}.schema.json)`,
        '',
        '| field | type | required | meaning |',
        '|---|---|---|---|',
      );
      for (const [name, field] of Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>))
        lines.push(
          `| \`${name}\` | ${typeOf(field).replaceAll('|', '\\|')} | ${required.has(name) ? 'yes' : 'no'} | ${field['description'] ?? ''} |`,
        );
      lines.push('');
    }
  }
  return `${lines.join('\n').trimEnd()}\n`;
};

/** Every generated file of docs/contracts by name. */
export const contractFiles = (): Record<string, string> => ({
  ...Object.fromEntries(
    CATALOGUE.map((e) => [`${e.name}.schema.json`, `${JSON.stringify(jsonSchemaOf(e), null, 2)}\n`]),
  ),
  'lake-tables.json': `${JSON.stringify(LAKE_TABLES, null, 2)}\n`,
  'README.md': page(CATALOGUE),
});
