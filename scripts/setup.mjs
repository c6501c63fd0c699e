// Plain JavaScript that even a Node far too old can load, so as to say so: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs, { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
export const NODE = join(ROOT, 'node_modules', '.bin', 'node');
export const PYTHON = join(ROOT, '.venv', 'bin', 'python');
const STAMPS = join(ROOT, '.build', 'setup');

/** A reason to stop that a person can act on: printed without a stack. */
export class SetupError extends Error {}

/** @returns {string} the digest of files, so that a changed lock means a new install. */
const digestOf = (files) => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(ROOT, file)));
  return hash.digest('hex');
};

const isStamped = (name, digest) => {
  const file = join(STAMPS, name);
  return existsSync(file) && readFileSync(file, 'utf8') === digest;
};

/** Before an install: a stamp of an earlier one would vouch for what an install that is cut off leaves. */
const unstamp = (name) => rmSync(join(STAMPS, name), { force: true });

const stamp = (name, digest) => {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), digest);
};

/** Refuses a Node that cannot run the installer. Throws SetupError. */
export const checkNode = (version = process.versions.node) => {
  if (Number(version.split('.')[0]) < 20)
    throw new SetupError(
      `Node ${version} is too old: Millwright needs Node 20 or newer to set itself up. Install it from your distribution or nodejs.org, then run the command again.`,
    );
};

/** Platforms that the packages of Node 24 are there for (optionalDependencies of package.json). */
const PLATFORMS = ['linux-x64', 'linux-arm64'];

/** Refuses a platform that npm has no Node 24 for, before anything is installed. Throws SetupError. */
export const checkPlatform = (platform = process.platform, arch = process.arch) => {
  if (!PLATFORMS.includes(`${platform}-${arch}`))
    throw new SetupError(
      `Millwright does not run on ${platform}-${arch}: it brings its own Node 24, and that is packaged for ${PLATFORMS.join(' and ')} only. Run it on Linux, in WSL 2 (Windows) or in a Linux container or virtual machine (macOS, Windows).`,
    );
};

/**
 * Finds a Python >= 3.10. `MILLWRIGHT_PYTHON` names one explicitly.
 * @returns {{command: string, version: string}} Throws SetupError when there is none.
 */
export const findPython = (
  candidates = process.env.MILLWRIGHT_PYTHON
    ? [process.env.MILLWRIGHT_PYTHON]
    : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'],
) => {
  const seen = [];
  for (const command of candidates) {
    const run = spawnSync(command, ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'], {
      encoding: 'utf8',
    });
    if (run.status !== 0) continue;
    const version = run.stdout.trim();
    const [major, minor] = version.split('.').map(Number);
    if (major === 3 && minor >= 10) return { command, version };
    seen.push(`${command} is ${version}`);
  }
  throw new SetupError(
    `No Python 3.10 or newer was found (${seen.length > 0 ? seen.join(', ') : `tried ${candidates.join(', ')}`}). Install one, or set MILLWRIGHT_PYTHON to its path, then run the command again.`,
  );
};

/** Refuses to begin what a full disk would leave half-done. Throws SetupError. */
export const checkDisk = (
  needGiB,
  freeGiB = (() => {
    const s = fs.statfsSync(ROOT);
    return (s.bavail * s.bsize) / 2 ** 30;
  })(),
) => {
  if (freeGiB < needGiB)
    throw new SetupError(
      `Only ${freeGiB.toFixed(1)} GiB are free on the disk of ${ROOT}; ${needGiB} GiB are needed. Free some space, then run the command again.`,
    );
};

const run = (what, command, args, options = {}) => {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (result.error) throw new SetupError(`${what} could not start: ${result.error.message}.`);
  if (result.status !== 0)
    throw new SetupError(
      `${what} failed (exit ${result.status ?? result.signal}); its own message is above. Check that the package registries can be reached, then run the command again: what was half-installed is done anew.`,
    );
};

const timed = (say, what, action) => {
  const start = Date.now();
  say(`  … ${what}`);
  action();
  say(`  ✓ ${what}  ${((Date.now() - start) / 1000).toFixed(1)} s`);
};

const exists = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** Runs an action while nobody else installs into this folder. Throws SetupError naming who does. */
const alone = (action) => {
  const file = join(STAMPS, 'lock');
  mkdirSync(STAMPS, { recursive: true });
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (holder > 0 && holder !== process.pid && exists(holder))
    throw new SetupError(
      `Process ${holder} is installing packages here. Wait for its end, then run the command again; if it is none of Millwright's, delete ${file}.`,
    );
  writeFileSync(file, String(process.pid));
  try {
    action();
  } finally {
    rmSync(file, { force: true });
  }
};

/**
 * Installs what is missing inside the project, and only that: node_modules by npm ci, .venv by uv.
 * A stamp is written last, so that an install that was cut off is done anew.
 * @param {(line: string) => void} say
 */
export const setUp = (say = console.log) => {
  checkNode();
  checkPlatform();
  const npmDigest = digestOf(['package-lock.json', 'package.json']);
  const needNpm = !isStamped('npm', npmDigest) || !existsSync(NODE);
  const pythonDigest = digestOf(['training/requirements.lock']);
  const needPython = !isStamped('python', pythonDigest) || !existsSync(PYTHON);
  if (!needNpm && !needPython) return;
  const python = findPython();
  checkDisk(3);
  alone(() => install(say, python, needNpm ? npmDigest : null, needPython ? pythonDigest : null));
};

const install = (say, python, npmDigest, pythonDigest) => {
  if (npmDigest !== null)
    timed(say, 'installing Node packages (npm ci)', () => {
      unstamp('npm');
      run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
        shell: process.platform === 'win32',
      });
      if (!existsSync(NODE))
        throw new SetupError(
          `npm ci finished, but Node 24 is not in node_modules: optional packages were left out. Run "npm config get omit" and remove "optional", then run the command again.`,
        );
      stamp('npm', npmDigest);
    });
  if (pythonDigest !== null)
    timed(say, `installing Python packages (${python.command} ${python.version})`, () => {
      unstamp('python');
      rmSync(join(ROOT, '.venv'), { recursive: true, force: true });
      run('python -m venv', python.command, ['-m', 'venv', '.venv']);
      run('pip install uv', PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'uv==0.13.9']);
      run('uv pip install', join(ROOT, '.venv', 'bin', 'uv'), [
        'pip',
        'install',
        '--quiet',
        '--python',
        PYTHON,
        '--require-hashes',
        '-r',
        'training/requirements.lock',
      ]);
      stamp('python', pythonDigest);
    });
};

/**
 * Who waits for this process: its parent and, where npm put a shell in between, npm. When one of them is gone, killed
 * outright and unable to pass that on, nobody is left to stop what was started here.
 */
const waiters = () => {
  if (process.env.npm_lifecycle_event === undefined) return [];
  try {
    const [, name, parent] = /\((.*)\) \S+ (\d+)/s.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8')) ?? [];
    return /^(ba|da)?sh$/.test(name ?? '') ? [process.ppid, Number(parent)] : [process.ppid];
  } catch {
    // No /proc on this system.
    return [process.ppid];
  }
};

/**
 * Runs a script of the project on its own Node 24 and ends with its exit code; signals go on to it. It is told by
 * MILLWRIGHT_STARTER who started it, so that it can end when that is gone.
 */
export const onNode24 = async (script, args, env = {}) => {
  const { spawn } = await import('node:child_process');
  const child = spawn(NODE, ['--disable-warning=ExperimentalWarning', join(ROOT, script), ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...env,
      MILLWRIGHT_STARTER: String(process.pid),
      PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}`,
    },
  });
  const waiting = waiters();
  const watch = setInterval(() => {
    if (!waiting.every(exists)) child.kill('SIGTERM');
  }, 500);
  watch.unref();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1))));
};

/** Main of a bootstrap script: set-up errors are one message and exit code 1. */
export const main = async (action) => {
  try {
    process.exitCode = await action();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n✗ ${error.message}`);
    process.exitCode = 1;
  }
};
