import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../..');
const ENVIRONMENT = join(ROOT, '.build/bench-venv');
const PYTHON = join(ENVIRONMENT, 'bin/python');
const LOCK = join(ROOT, 'bench/requirements.lock');
const STAMP = join(ENVIRONMENT, 'bench.stamp');

const run = (command: string, args: readonly string[]): void => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`"${command} ${args.join(' ')}" failed: ${stderr ?? error?.message}`);
};

/** The peers' own Python environment, made where it is missing or its lock has changed. */
const environment = (): string => {
  const lock = createHash('sha256').update(readFileSync(LOCK)).digest('hex');
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== lock) {
    const uv = join(ROOT, '.venv/bin/uv');
    run(uv, ['venv', '--quiet', '--clear', '--python', join(ROOT, '.venv/bin/python'), ENVIRONMENT]);
    run(uv, ['pip', 'install', '--quiet', '--python', PYTHON, '--require-hashes', '-r', LOCK]);
    writeFileSync(STAMP, lock);
  }
  return PYTHON;
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

/** Starts a script of `peers/`, which answers each line of JSON with one. */
export const startPeer = (script: string, args: readonly string[]): Peer => {
  const child: ChildProcess = spawn(environment(), [join(import.meta.dirname, 'peers', script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...ONE_THREAD },
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
