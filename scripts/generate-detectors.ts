import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { registrySource } from './detector-files.ts';

/** Writes the registry of detectors from the files of core/drift/detectors. Run it after adding or removing one: `npm run detectors`. */
const folder = path.join(import.meta.dirname, '../core/drift');
const files = readdirSync(path.join(folder, 'detectors')).filter((f) => f.endsWith('.ts'));
writeFileSync(path.join(folder, 'detectors-registry.ts'), registrySource(files));
console.log(`${files.length} detectors: the registry is current`);
