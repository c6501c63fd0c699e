import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One living process, as /proc tells it. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Processes of this machine, and the way to end one at once. */
export interface ProcessTable {
  list(): readonly Process[];
  kill(pid: number): void;
}

const read = (pid: number): Process | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses of its own.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return null;
    return {
      pid,
      parent: Number(parent),
      args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1),
      cwd: readlinkSync(`/proc/${pid}/cwd`),
    };
  } catch {
    // It ended while it was read, or it is of somebody else.
    return null;
  }
};

/** The processes of this machine that belong to whoever runs this. */
export const machineProcesses: ProcessTable = {
  list: () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => read(Number(name)) ?? []),
  kill: (pid) => process.kill(pid, 'SIGKILL'),
};

/** Everything that a process started, and what that started. */
export const descendantsOf = (processes: readonly Process[], pid: number): readonly Process[] => {
  const found: Process[] = [];
  const look = (parent: number): void => {
    for (const p of processes.filter((x) => x.parent === parent)) {
      found.push(p);
      look(p.pid);
    }
  };
  look(pid);
  return found;
};
