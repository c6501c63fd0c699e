import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contractFiles } from '../../scripts/contracts-pages.ts';

const OUT = join(__dirname, '..', '..', 'docs', 'contracts');

describe('docs/contracts', () => {
  it('is what core/contracts says', () => {
    const published = Object.fromEntries(readdirSync(OUT).map((name) => [name, readFileSync(join(OUT, name), 'utf8')]));
    expect(published).toEqual(contractFiles());
  });
});
