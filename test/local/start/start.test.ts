import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStart } from '../../../local/start/lock.ts';
import { HISTORY_START } from '../../../local/start/source.ts';

const MAIN = join(__dirname, '../../../local/start/main.ts');

interface Ended {
  readonly code: number | null;
  readonly text: string;
}
interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  said(what: RegExp): Promise<void>;
}

let dir: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-main-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await gone();
  rmSync(dir, { recursive: true, force: true });
});

/** Processes that name this test's state folder on their command line, in their environment, or as where they are. */
const ours = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8'), readlinkSync(`/proc/${pid}/cwd`)].some((t) =>
          t.includes(dir),
        );
      } catch {
        return false;
      }
    })
    .map(Number);

const gone = async (): Promise<void> => {
  while (ours().length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
};

const start = (...args: readonly string[]): Started =>
  run(process.execPath, '--disable-warning=ExperimentalWarning', MAIN, '--state-dir', dir, ...args);

const run = (command: string, ...args: readonly string[]): Started => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  let look = (): void => {};
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      look();
    });
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, text })));
  return {
    child,
    ended,
    said: (what) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (what.test(text)) resolve();
        };
        look();
        void ended.then(() => reject(new Error(`ended before it said ${what}:\n${text}`)));
      }),
  };
};

test('--help tells every option and starts nothing', async () => {
  expect(await start('--help').ended).toMatchObject({ code: 0, text: expect.stringContaining('--data DIR') });
  expect(existsSync(join(dir, 'lock'))).toBe(false);
});

test('a wrong argument is exit code 2 and says what is expected', async () => {
  const { code, text } = await start('--devices', 'x').ended;
  expect(code).toBe(2);
  expect(text).toContain('expects a whole number from 1 to 12');
});

test('data that no use case knows is refused before anything starts', async () => {
  writeFileSync(join(dir, 'holiday.jpg'), '');
  const { code, text } = await start('--once', '--data', dir).ended;
  expect(code).toBe(1);
  expect(text).toMatch(/no use case knows the files in .*holiday.jpg/);
  expect(existsSync(join(dir, 'lock'))).toBe(false);
});

test('a second start in the same folder is refused and names the first', async () => {
  writeFileSync(join(dir, 'lock'), JSON.stringify({ pid: process.pid, began: processStart(process.pid) }));
  const { code, text } = await start('--once').ended;
  expect(code).toBe(1);
  expect(text).toContain(`already runs here (process ${process.pid})`);
});

test('another seed over the same history is refused with the way out', async () => {
  const known = `seed 1 since ${HISTORY_START.slice(0, 10)}`;
  writeFileSync(join(dir, 'seeds.json'), JSON.stringify({ 'predictive-maintenance/plant-a': known }));
  const { code, text } = await start('--once', '--seed', '2').ended;
  expect(code).toBe(1);
  expect(text).toMatch(/use --seed 1, or begin anew with --fresh/);
});

test('--fresh removes what the plant made and nothing else', async () => {
  const known = `seed 1 since ${HISTORY_START.slice(0, 10)}`;
  writeFileSync(join(dir, 'seeds.json'), JSON.stringify({ 'predictive-maintenance/plant-a': known }));
  writeFileSync(join(dir, 'holiday.jpg'), '');
  await start('--fresh', '--once', '--data', dir).ended;
  expect(readdirSync(dir)).toEqual(['holiday.jpg']);
});

test('a port that is taken is told, and what had started is stopped', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  try {
    writeFileSync(
      join(dir, 'ports.json'),
      JSON.stringify({ aws: port, mqtt: port + 1, sagemaker: port + 2, greengrass: port + 3 }),
    );
    const { code, text } = await start('--once').ended;
    expect(code).toBe(1);
    expect(text).toMatch(new RegExp(`port ${port} .*is taken`));
    expect(text).toContain('end that process');
    expect(ours()).toEqual([]);
  } finally {
    server.close();
  }
}, 120_000);

test('Ctrl-C, sent twice as terminals do, stops all it started; killed outright, all ends too and the next start says so', async () => {
  const first = start();
  await first.said(/✓ local AWS/);
  first.child.kill('SIGINT');
  first.child.kill('SIGINT');
  expect(await first.ended).toMatchObject({ code: 130, text: expect.stringContaining('Stopped.') });
  expect(ours()).toEqual([]);

  const second = start();
  await second.said(/✓ local AWS/);
  expect(ours().length).toBeGreaterThan(1);
  second.child.kill('SIGKILL');
  await gone();

  const third = start();
  await third.said(/✓ local AWS/);
  third.child.kill('SIGINT');
  expect((await third.ended).text).toContain('the last start was cut off');
}, 180_000);

test('a service that dies is named with its log, and the rest is stopped', async () => {
  const started = start('--once');
  await started.said(/✓ local AWS/);
  const aws = ours().find((pid) => readFileSync(`/proc/${pid}/environ`, 'utf8').includes('MILLWRIGHT_AWS_STATE='));
  process.kill(aws as number, 'SIGKILL');
  const { code, text } = await started.ended;
  expect(code).toBe(1);
  expect(text).toMatch(/✗ aws ended although nobody stopped it\n.*start again.*\n {2}Logs: .*aws\.log/);
  await gone();
}, 120_000);

test.each([
  ['npm', (npm: number) => npm],
  [
    'the bootstrap',
    () => Number(ours().find((pid) => /^node\0scripts.start\.mjs/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')))),
  ],
])(
  'when %s is killed outright nothing runs on',
  async (_, who) => {
    const started = run('npm', '--prefix', join(__dirname, '../../..'), 'start', '--', '--state-dir', dir);
    await started.said(/✓ local AWS/);
    process.kill(who(started.child.pid as number), 'SIGKILL');
    await gone();
    expect(existsSync(join(dir, 'lock'))).toBe(false);
  },
  120_000,
);
