import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packTarGz } from '../../../local/sagemaker/tar.ts';

const python = join(__dirname, '../../../.venv/bin/python');
const home = mkdtempSync(join(tmpdir(), 'mw-tar-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const write = (folder: string, files: Readonly<Record<string, string>>): string => {
  for (const [name, text] of Object.entries(files)) {
    const path = join(home, folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return join(home, folder);
};

const files = {
  'a.txt': 'a',
  'empty.txt': '',
  'folder/grüße.txt': 'x'.repeat(1024),
  // 90 to 110 characters: around the length where the plain header ends and where a record's length gains a digit.
  ...Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`long/${'n'.repeat(85 + i)}`, `${i}`])),
};

describe('packing a folder', () => {
  test('gives an archive that Python reads with every file and its bytes', async () => {
    const target = join(home, 'one.tar.gz');
    await packTarGz(write('one', files), target);
    const script =
      'import json,sys,tarfile\nt=tarfile.open(sys.argv[1])\nprint(json.dumps({m.name: t.extractfile(m).read().decode() for m in t}))';
    expect(JSON.parse(execFileSync(python, ['-c', script, target], { encoding: 'utf8' }))).toEqual(files);
  });

  test('gives the same bytes for the same files, whenever they were written', async () => {
    const [first, second] = [join(home, 'first.tar.gz'), join(home, 'second.tar.gz')];
    await packTarGz(write('two', files), first);
    const other = write('three', files);
    utimesSync(join(other, 'a.txt'), 1, 1);
    await packTarGz(other, second);
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  });

  test('names a folder that is not there', async () => {
    await expect(packTarGz(join(home, 'absent'), join(home, 'x.tar.gz'))).rejects.toThrow('absent');
  });
});
