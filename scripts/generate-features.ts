import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Feature } from '../core/features/engine/feature.ts';
import { featureTable, GOLDEN, goldenOf, registrySource, TABLE_BEGIN, TABLE_END } from './feature-files.ts';

/**
 * Makes what follows from the files of core/features: the registry, the table of docs/features.md and the golden bits.
 * Run it after any change of a feature: `npm run features`.
 */
const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, 'core/features');
const files = readdirSync(folder).filter((f) => f.endsWith('.ts'));
writeFileSync(path.join(folder, 'engine/registry.ts'), registrySource(files));

const { FEATURES } = (await import(pathToFileURL(path.join(folder, 'engine/registry.ts')).href)) as {
  FEATURES: Readonly<Record<string, Feature>>;
};
const page = path.join(root, 'docs/features.md');
const text = readFileSync(page, 'utf8');
const before = text.slice(0, text.indexOf(TABLE_BEGIN));
writeFileSync(page, `${before}${TABLE_BEGIN}\n${featureTable(FEATURES)}\n${text.slice(text.indexOf(TABLE_END))}`);

const golden = path.join(root, GOLDEN);
const known = existsSync(golden) ? JSON.parse(readFileSync(golden, 'utf8')) : {};
writeFileSync(golden, `${JSON.stringify(goldenOf(FEATURES, known), null, 2)}\n`);
console.log(`${files.length} features: registry, table and golden bits are current`);
