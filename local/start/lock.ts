import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './errors.ts';

interface Holder {
  readonly pid: number;
  /** When the process began, in its own kernel's unit; tells a process from a later one with the same id. */
  readonly began: string | null;
}

/** When a process began; null when it does not exist or the system does not say. */
export const processStart = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
};

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const holds = ({ pid, began }: Holder): boolean => exists(pid) && (began === null || began === processStart(pid));

const read = (file: string): Holder | null => {
  try {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as Holder;
    return Number.isInteger(holder.pid) ? holder : null;
  } catch {
    return null;
  }
};

export interface Lock {
  /** True when an earlier start ended without releasing it: it was killed, or the machine went down. */
  readonly wasStale: boolean;
  release(): void;
}

/**
 * One start at a time in a state folder.
 * @throws {StartError} naming the process that holds it.
 */
export const takeLock = (stateDir: string): Lock => {
  mkdirSync(stateDir, { recursive: true });
  const file = join(stateDir, 'lock');
  const own = JSON.stringify({ pid: process.pid, began: processStart(process.pid) });
  let wasStale = false;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(file, own, { flag: 'wx' });
      return {
        wasStale,
        release: () => {
          if (existsSync(file) && readFileSync(file, 'utf8') === own) rmSync(file, { force: true });
        },
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = read(file);
    if (holder !== null && holds(holder))
      throw new StartError(
        `the local plant already runs here (process ${holder.pid})`,
        'use it: "npx millwright status"; or stop it with Ctrl-C in its terminal first',
      );
    wasStale = true;
    rmSync(file, { force: true });
  }
  throw new StartError('another start took the lock at the same moment', 'start again');
};
