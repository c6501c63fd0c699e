// Writes docs/contracts: JSON Schema of every contract (for Python and other readers) and a catalogue page.
// With --check it writes nothing and fails when a file differs from what the code says.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contractFiles } from './contracts-pages.ts';

const OUT = fileURLToPath(new URL('../docs/contracts', import.meta.url));
const files = contractFiles();

if (process.argv.includes('--check')) {
  const stale = Object.entries(files).filter(
    ([name, text]) => !existsSync(join(OUT, name)) || readFileSync(join(OUT, name), 'utf8') !== text,
  );
  for (const [name] of stale)
    console.error(
      `docs/contracts/${name} is not what core/contracts says: run "npm run contracts" and commit the result`,
    );
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  mkdirSync(OUT, { recursive: true });
  for (const name of readdirSync(OUT)) if (!(name in files)) rmSync(join(OUT, name));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(OUT, name), text);
  console.log(`docs/contracts: ${Object.keys(files).length} files`);
}
