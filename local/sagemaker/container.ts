import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export type ContainerEnd = { readonly exitCode: number; readonly why: 'exit' | 'stopped' | 'timeout' };

/** Processes of jobs, so that the server can end them all. */
export interface ContainerHost {
  /**
   * Runs a job's program to its end, in a process group of its own.
   *
   * Stopping and running out of time send SIGTERM to the program, and SIGKILL to its whole group when it is still there
   * after the grace time: SageMaker's contract (120 s in AWS).
   */
  run(container: {
    readonly command: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly logFile: string;
    readonly onLine: (line: string) => void;
    readonly maxRuntimeMs: number;
    readonly stop: AbortSignal;
  }): Promise<ContainerEnd>;
  /** Kills every process group at once. */
  killAll(): void;
}

const PIPES_MS = 2_000;
// setTimeout takes 31 bits; a longer one would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const makeContainerHost = (graceMs: number): ContainerHost => {
  const groups = new Set<number>();
  const killGroup = (pid: number): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // already gone
    }
  };
  return {
    run: async ({ command, cwd, env, logFile, onLine, maxRuntimeMs, stop }) => {
      const guard = spawn(process.execPath, [join(import.meta.dirname, 'guard.ts'), ...command], {
        cwd,
        env,
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const pid = guard.pid;
      if (pid !== undefined) groups.add(pid);
      const log = createWriteStream(logFile);
      log.on('error', () => {
        // A full disk costs the log, not the job.
      });
      const readers = [guard.stdout, guard.stderr].map((stream) => {
        const reader = createInterface({ input: stream });
        reader.on('line', (line) => {
          log.write(`${line}\n`);
          onLine(line);
        });
        return new Promise<void>((done) => reader.once('close', done));
      });
      const closed = Promise.all(readers);
      guard.stdin.on('error', () => {
        // the guard is gone; its exit says why
      });

      let why: ContainerEnd['why'] = 'exit';
      let killTimer: NodeJS.Timeout | undefined;
      const end = (cause: 'stopped' | 'timeout'): void => {
        if (why !== 'exit' || pid === undefined) return;
        why = cause;
        guard.kill('SIGTERM');
        killTimer = setTimeout(() => killGroup(pid), graceMs);
      };
      const onStop = (): void => end('stopped');
      if (stop.aborted) onStop();
      stop.addEventListener('abort', onStop, { once: true });
      const runtimeTimer = setTimeout(() => end('timeout'), Math.min(maxRuntimeMs, LONGEST_TIMER_MS));
      try {
        const exitCode = await new Promise<number>((resolve, reject) => {
          guard.on('error', reject);
          guard.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
        });
        // What the program left behind would hold the pipes open, and may not outlive its container.
        if (pid !== undefined) killGroup(pid);
        // One that left the group may still hold the pipes: what it says now is nobody's.
        await Promise.race([closed, sleep(PIPES_MS)]);
        return { exitCode, why };
      } finally {
        clearTimeout(runtimeTimer);
        clearTimeout(killTimer);
        stop.removeEventListener('abort', onStop);
        if (pid !== undefined) {
          killGroup(pid);
          groups.delete(pid);
        }
        log.end();
        await finished(log).catch(() => {});
        for (const stream of [guard.stdin, guard.stdout, guard.stderr]) stream.destroy();
      }
    },
    killAll: () => {
      for (const pid of groups) killGroup(pid);
    },
  };
};
