import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isAlive } from '../../shared/service.ts';

/**
 * A shell that only waits for its input to end and then kills every process group it was told of. Its input is a pipe
 * that the device alone holds, so it acts however the device ended, kill -9 included. It leaves when they are gone, or
 * after a second: a dead process that nobody collects still counts as one.
 */
const SCRIPT = `
trap '' TERM INT HUP
groups=""
while read -r verb group; do
  case $verb in
    add) groups="$groups $group" ;;
    del) rest=""; for g in $groups; do [ "$g" = "$group" ] || rest="$rest $g"; done; groups=$rest ;;
  esac
done
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
tries=0
for g in $groups; do
  while [ $tries -lt 20 ] && kill -s 0 -- "-$g" 2>/dev/null; do tries=$((tries + 1)); sleep 0.05; done
done
exit 0
`;

export interface ProcessGuard {
  readonly pid: number;
  add(group: number): void;
  remove(group: number): void;
  /** Lets the guard end; it kills what is still on its list. */
  close(): Promise<void>;
}

/** @throws {Error} when /bin/sh cannot be run. */
export const startGuard = async (): Promise<ProcessGuard> => {
  const child: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.stdin?.on('error', () => {});
  return {
    pid: child.pid as number,
    add: (group) => void child.stdin?.write(`add ${group}\n`),
    remove: (group) => void child.stdin?.write(`del ${group}\n`),
    close: async () => {
      child.stdin?.end();
      await exit;
    },
  };
};

/** True while a process runs; one that is dead but not yet collected by its parent does not. */
export const isRunning = (pid: number): boolean => {
  if (!isAlive(pid)) return false;
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    // No /proc on this system, or gone in between.
    return isAlive(pid);
  }
};
