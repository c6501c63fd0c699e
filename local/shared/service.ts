import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** One running part of the local plant. */
export interface Service {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Ends the process and everything it started. Resolves when they are gone; a second call does nothing. */
  stop(): Promise<void>;
}

/** A part of the local plant did not start, or could not be started at all. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
}

/** What it takes to start one part of the local plant as a process of its own. */
export interface SpawnServiceOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly url: string;
  /** The folder whose `logs/<name>.log` takes the output. */
  readonly stateDir: string;
  readonly cwd?: string;
  /** The whole environment of the process; default: this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Resolves true once the service answers. May throw while it does not. */
  readonly healthy: (signal: AbortSignal) => Promise<boolean>;
  /** How long the service may take until it is healthy; default 60 s. */
  readonly startMs?: number;
  /** How long it may take to end by itself after SIGTERM; default 10 s. */
  readonly stopMs?: number;
}

const LAST_LINES = 15;
const POLL_MS = 100;

/**
 * Starts a process in a group of its own and waits until it is healthy.
 *
 * Its standard input is a pipe that only this process holds: when this process dies, however it dies, the pipe ends and
 * the service ends itself (`exitWithParent` in Node, the launcher's watcher in Python).
 * @throws ServiceError when the program is missing, ends early, or is not healthy in time; the message has the last log lines.
 */
export async function spawnService(options: SpawnServiceOptions): Promise<Service> {
  const { name, url } = options;
  const logs = join(options.stateDir, 'logs');
  mkdirSync(logs, { recursive: true });
  const logFile = join(logs, `${name}.log`);
  const log = openSync(logFile, 'w');
  let child: ChildProcess;
  try {
    child = spawn(options.command, [...options.args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      detached: true,
      stdio: ['pipe', log, log],
    });
  } finally {
    closeSync(log);
  }
  let ended: string | undefined;
  const exit = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = `could not be run: ${error.message}`;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended ??= signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      resolve();
    });
  });
  // What a service started ends with it, also when it was killed and could not see to that.
  void exit.then(() => child.pid !== undefined && killGroup(child.pid));
  child.stdin?.on('error', () => {});

  const stop = async (): Promise<void> => {
    const pid = child.pid;
    if (pid === undefined) return;
    child.ref();
    if (ended === undefined) {
      child.kill('SIGTERM');
      await within(exit, options.stopMs ?? 10_000);
    }
    killGroup(pid);
    await exit;
    child.stdin?.destroy();
  };

  const deadline = Date.now() + (options.startMs ?? 60_000);
  if (child.pid === undefined) await exit;
  while (true) {
    if (ended !== undefined) {
      if (child.pid !== undefined) killGroup(child.pid);
      throw new ServiceError(`${name} ${ended} before it was ready.${lastLines(logFile)}`);
    }
    if (await isHealthy(options.healthy)) break;
    if (Date.now() > deadline) {
      await stop();
      throw new ServiceError(
        `${name} did not answer at ${url} within ${Math.round((options.startMs ?? 60_000) / 1000)} s.${lastLines(logFile)}`,
      );
    }
    await within(exit, POLL_MS);
  }
  if (ended !== undefined) throw new ServiceError(`${name} ${ended} as soon as it was ready.${lastLines(logFile)}`);
  // A program that starts a service and forgets it may end; the service then ends too.
  child.unref();
  return { name, url, pid: child.pid as number, stop };
}

/** Ends this process when the one that started it through `spawnService` is gone. For Node services; call it once. */
export function exitWithParent(beforeExit: () => Promise<void> | void = () => {}): void {
  const end = async (): Promise<void> => {
    try {
      await beforeExit();
    } finally {
      process.exit(0);
    }
  };
  process.stdin.on('end', end).on('error', end).resume();
}

/** A TCP port on 127.0.0.1 that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/**
 * Refuses early when somebody already listens on a port of 127.0.0.1.
 * @throws ServiceError naming the port and who wanted it.
 */
export function assertPortFree(name: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ServiceError(
          error.code === 'EADDRINUSE'
            ? `${name} cannot start: port ${port} on 127.0.0.1 is taken by another process. Stop that process or choose another port.`
            : `${name} cannot listen on port ${port} of 127.0.0.1: ${error.message}.`,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}

/** True while a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function isHealthy(healthy: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
  try {
    return await healthy(AbortSignal.timeout(2_000));
  } catch {
    return false;
  }
}

/** Waits for a promise, at most for a time, and leaves no timer behind. */
async function within(promise: Promise<void>, ms: number): Promise<void> {
  const timer = new AbortController();
  await Promise.race([promise, sleep(ms, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function lastLines(logFile: string): string {
  if (!existsSync(logFile)) return '';
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LAST_LINES);
  return lines.join('').trim() === '' ? '' : ` Its last words:\n  ${lines.join('\n  ')}\nThe whole log: ${logFile}`;
}
