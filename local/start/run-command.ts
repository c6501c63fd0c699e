import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { explainStartError, StartError } from './errors.ts';

export interface CommandOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
  readonly advice?: string;
}

const LAST_LINES = 12;
const END_WITH_PARENT = new URL('../shared/end-with-parent.ts', import.meta.url).href;

/**
 * Runs a Node program to its end, its output in `logs/<name>.log`, and returns its standard output.
 * @throws {StartError} with its last lines when it fails, or why its log could not be written: it is ended then.
 */
export const runCommand = (options: CommandOptions): Promise<string> =>
  new Promise((resolve, reject) => {
    const logs = join(options.stateDir, 'logs');
    mkdirSync(logs, { recursive: true });
    const file = join(logs, `${options.name}.log`);
    const log = createWriteStream(file);
    const child = spawn(options.command, ['--import', END_WITH_PARENT, ...options.args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      // Its input stays open while this process lives: killed outright, it ends the group as Ctrl-C does.
      stdio: ['pipe', 'pipe', 'pipe'],
      // Its own group: Ctrl-C reaches this process first, which then ends the group whole.
      detached: true,
    });
    child.stdin.on('error', () => {});
    let out = '';
    const last: string[] = [];
    const stop = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It ended in the meantime.
      }
    };
    options.signal.addEventListener('abort', stop, { once: true });
    const take = (text: string): void => {
      log.write(text);
      for (const line of text.split('\n')) {
        if (line.trim() === '') continue;
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        options.onLine?.(line);
      }
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      take(text);
    });
    child.stderr.setEncoding('utf8').on('data', take);
    let logFailure: StartError | null = null;
    log.on('error', (error) => {
      const { message, advice } = explainStartError(error);
      logFailure ??= new StartError(`the log of ${options.name}: ${message}`, advice, file);
      stop();
    });
    /** Whoever is told to read the log finds it whole. */
    const afterLog = (settle: () => void): void => {
      options.signal.removeEventListener('abort', stop);
      if (log.closed) settle();
      else log.once('close', settle).end();
    };
    child.on('error', (error) =>
      afterLog(() =>
        reject(
          new StartError(`${options.name} could not be run: ${error.message}`, options.advice ?? 'run "npm ci"', file),
        ),
      ),
    );
    child.on('close', (code, signal) =>
      afterLog(() => {
        if (options.signal.aborted && code !== 0) return reject(options.signal.reason);
        if (logFailure !== null) return reject(logFailure);
        if (code === 0) return resolve(out);
        reject(
          new StartError(
            `${options.name} ended with ${code === null ? signal : `exit code ${code}`}:\n    ${last.join('\n    ')}`,
            options.advice ?? 'read the log, mend what it says, start again',
            file,
          ),
        );
      }),
    );
  });
