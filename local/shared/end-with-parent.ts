import { isMainThread } from 'node:worker_threads';

/**
 * For `node --import`: a program that was started in a group of its own, its standard input a pipe that only its
 * starter holds, ends with all of its group when the starter is gone, however that ended. The program may know nothing
 * of it; it must not read its standard input.
 */
const endGroup = (): void => {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Not the group's leader: a program that a leader started, which ends by itself.
    process.exit(1);
  }
};

if (isMainThread) {
  process.stdin.on('end', endGroup).on('error', endGroup).resume();
  // Waiting for the end keeps no program from ending.
  (process.stdin as { unref?: () => void }).unref?.();
}
