import { spawnSync } from 'node:child_process';
import path from 'node:path';

const root = path.join(__dirname, '../..');

it('the committed kernel of spectra is what the compiler makes of its source', () => {
  const { stderr, status } = spawnSync('node', ['scripts/build-kernel.ts', '--check'], { cwd: root, encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
}, 60_000);
