import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
  it('refuses a platform that has no packaged Node 24, and says where it runs', () => {
    const { status, stderr } = run("s.checkPlatform('darwin', 'arm64')");
    expect(status).toBe(1);
    expect(stderr).toMatch(/does not run on darwin-arm64.*linux-x64 and linux-arm64 only.*Linux, in WSL 2.*container/);
  });
  it('takes the platforms that package.json has a Node 24 for', () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    for (const name of Object.keys(optionalDependencies).filter((n) => /^node-\w+-\w+$/.test(n))) {
      const [, platform, arch] = name.split('-');
      expect(run(`s.checkPlatform('${platform}', '${arch}') ?? 'fine'`).stdout.trim()).toBe('"fine"');
    }
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

describe('an install', () => {
  let home: string;
  const script = (path: string, text: string): void => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  };
  /** Sets up a project whose npm and Python only write down that they were called. */
  const setUp = (npm: string) => {
    script(
      join(home, 'bin/npm'),
      `echo npm >> "${home}/calls"\nmkdir -p node_modules/.bin; touch node_modules/.bin/node\n${npm}`,
    );
    script(
      join(home, 'bin/python3'),
      `case "$2" in venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python; cp "$0" .venv/bin/uv;; import*) echo 3.11.0;; esac`,
    );
    return spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `import * as s from './scripts/setup.mjs'; await s.main(() => (s.setUp(), 0));`],
      { cwd: home, encoding: 'utf8', env: { PATH: `${join(home, 'bin')}:/usr/bin:/bin` } },
    );
  };
  const calls = (): number =>
    Number(spawnSync('wc', ['-l', join(home, 'calls')], { encoding: 'utf8' }).stdout.split(' ')[0]);

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'mw setup-'));
    for (const folder of ['bin', 'scripts', 'training', '.build/setup'])
      mkdirSync(join(home, folder), { recursive: true });
    cpSync(join(ROOT, 'scripts/setup.mjs'), join(home, 'scripts/setup.mjs'));
    for (const file of ['package.json', 'package-lock.json', 'training/requirements.lock'])
      writeFileSync(join(home, file), '{}');
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('that is whole is not done again', () => {
    expect(setUp('').status).toBe(0);
    expect(setUp('').status).toBe(0);
    expect(calls()).toBe(1);
  });
  it('that was cut off is done anew, also where an earlier one was whole', () => {
    setUp('');
    writeFileSync(join(home, 'package-lock.json'), '{"newer":1}');
    const { status, stderr } = setUp('exit 7');
    expect(status).toBe(1);
    expect(stderr).toMatch(/npm ci failed \(exit 7\).*done anew/);
    writeFileSync(join(home, 'package-lock.json'), '{}');
    expect(setUp('').status).toBe(0);
    expect(calls()).toBe(3);
  });
  it('is refused while another one runs, and not by the lock of one that is gone', () => {
    const lock = join(home, '.build/setup/lock');
    writeFileSync(lock, String(process.pid));
    const { status, stderr } = setUp('');
    expect(status).toBe(1);
    expect(stderr).toContain(`Process ${process.pid} is installing packages here`);
    writeFileSync(lock, String(spawnSync('true').pid));
    expect(setUp('').status).toBe(0);
    expect(existsSync(lock)).toBe(false);
  });
});
