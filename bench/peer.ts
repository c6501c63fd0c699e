import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..');

/** Environments of peers, each locked by a file of its own: some cannot live with others. */
const ENVIRONMENTS = {
  features: { folder: 'bench-venv', lock: 'requirements.lock' },
  drift: { folder: 'bench-drift-venv', lock: 'requirements-drift.lock' },
  nannyml: { folder: 'bench-nannyml-venv', lock: 'requirements-nannyml.lock' },
} as const;
type EnvironmentName = keyof typeof ENVIRONMENTS;

const run = (command: string, args: readonly string[]): void => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`"${command} ${args.join(' ')}" failed: ${stderr ?? error?.message}`);
};

/** A Python environment of peers, made where it is missing or its lock has changed. */
const environment = (name: EnvironmentName): string => {
  const folder = join(ROOT, '.build', ENVIRONMENTS[name].folder);
  const file = join(ROOT, 'bench', ENVIRONMENTS[name].lock);
  const python = join(folder, 'bin/python');
  const stamp = join(folder, 'bench.stamp');
  const lock = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    const uv = join(ROOT, '.venv/bin/uv');
    run(uv, ['venv', '--quiet', '--clear', '--python', join(ROOT, '.venv/bin/python'), folder]);
    run(uv, ['pip', 'install', '--quiet', '--python', python, '--require-hashes', '-r', file]);
    writeFileSync(stamp, lock);
  }
  return python;
};

/** No library of a peer may use more than one thread. */
const ONE_THREAD = Object.fromEntries(
  ['OMP', 'OPENBLAS', 'MKL', 'NUMEXPR', 'NUMBA'].map((name) => [`${name}_NUM_THREADS`, '1']),
);

export interface Peer {
  /** Sends one request, a line of JSON, and gives the answer. */
  ask<T>(request: object): Promise<T>;
  close(): void;
}

/**
 * Starts a script that answers each line of JSON with one.
 * @param script below bench/. @param name the environment it needs.
 */
export const startPeer = (name: EnvironmentName, script: string, args: readonly string[] = []): Peer => {
  const child: ChildProcess = spawn(environment(name), [join(import.meta.dirname, script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...ONE_THREAD, PYTHONPATH: import.meta.dirname },
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    async ask<T>(request: object) {
      child.stdin?.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`the peer ${script} ended; what it said is above`);
      return JSON.parse(value) as T;
    },
    close: () => child.stdin?.end(),
  };
};
