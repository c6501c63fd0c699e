import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Stands between the stand-in and a job's program, as process 1 of a container does: leads the job's process group,
 * passes SIGTERM on, ends with the program's code, and kills the whole group when the stand-in is gone (its end of the
 * standard input closes, also at `kill -9`).
 *
 * `node guard.ts <program> <argument>…`
 */
const [program = '', ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

process.stdin.resume();
process.stdin.on('close', () => process.kill(-process.pid, 'SIGKILL'));
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => {
  process.stderr.write(`cannot run ${program}: ${error.message}\n`);
  // What a shell says of a program that is not there.
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
