import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');

/** Runs an expression with the exports of scripts/setup.mjs, as the bootstrap scripts do. */
const run = (expression: string, env: Record<string, string> = {}) =>
  spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import * as s from './scripts/setup.mjs'; await s.main(async () => { console.log(JSON.stringify(${expression})); return 0; });`,
    ],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...env } },
  );

describe('the bootstrap', () => {
  it('refuses a Node that is too old, with what to install', () => {
    const { status, stderr } = run("s.checkNode('18.19.0')");
    expect(status).toBe(1);
    expect(stderr).toMatch(/Node 18\.19\.0 is too old: Millwright needs Node 20 or newer/);
    expect(stderr).not.toMatch(/at .*setup\.mjs/);
  });
  it('takes a Node that is new enough', () => {
    expect(run("s.checkNode('20.0.0') ?? 'fine'").stdout.trim()).toBe('"fine"');
  });
  it('refuses when there is no Python, and names what it tried', () => {
    const { status, stderr } = run("s.findPython(['python-of-nowhere'])");
    expect(status).toBe(1);
    expect(stderr).toMatch(/No Python 3\.10 or newer was found \(tried python-of-nowhere\).*MILLWRIGHT_PYTHON/);
  });
  it('finds the Python that MILLWRIGHT_PYTHON names', () => {
    const python = join(ROOT, '.venv/bin/python');
    expect(JSON.parse(run('s.findPython()', { MILLWRIGHT_PYTHON: python }).stdout)).toMatchObject({ command: python });
  });
  it('refuses to begin on a full disk', () => {
    const { status, stderr } = run('s.checkDisk(3, 0.4)');
    expect(status).toBe(1);
    expect(stderr).toMatch(/Only 0\.4 GiB are free .* 3 GiB are needed/);
  });
});
