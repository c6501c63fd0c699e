import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DetectorDefinition } from '../core/drift/detector.ts';
import { pageWithTable, registrySource } from './detector-files.ts';

/**
 * Writes the registry of detectors and the table of docs/detectors.md from the files of core/drift/detectors. Run it after
 * any change of what a detector says or takes: `npm run detectors`.
 */
const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, 'core/drift');
const files = readdirSync(path.join(folder, 'detectors')).filter((f) => f.endsWith('.ts'));
const registry = path.join(folder, 'detectors-registry.ts');
writeFileSync(registry, registrySource(files));

const { DETECTORS } = (await import(pathToFileURL(registry).href)) as {
  DETECTORS: Readonly<Record<string, DetectorDefinition>>;
};
const page = path.join(root, 'docs/detectors.md');
writeFileSync(page, pageWithTable(readFileSync(page, 'utf8'), DETECTORS));
console.log(`${files.length} detectors: registry and table are current`);
