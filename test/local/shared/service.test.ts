import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertPortFree, freePort, isAlive, spawnService } from '../../../local/shared/service.ts';

jest.setTimeout(60_000);

const REPOSITORY = join(__dirname, '../../..');
const NODE = join(REPOSITORY, 'node_modules/.bin/node');
const SERVICE = join(REPOSITORY, 'local/shared/service.ts');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-service-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const script = (name: string, source: string): string => {
  const path = join(dir, `${name}.mts`);
  writeFileSync(path, source);
  return path;
};

const serviceOf = (path: string, more: { startMs?: number; healthy?: () => Promise<boolean> } = {}) =>
  spawnService({
    name: 'part',
    command: NODE,
    args: [path],
    url: 'http://127.0.0.1:1',
    stateDir: dir,
    healthy: async () => existsSync(join(dir, 'ready')),
    ...more,
  });

const ready = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify('READY')}, '');`;
const saysReady = () => ready.replace('READY', join(dir, 'ready'));

/** A zombie is dead, though its id is still there until its parent asks. */
const runs = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const gone = async (pid: number): Promise<boolean> => {
  for (let n = 0; n < 100 && runs(pid); n += 1) await sleep(100);
  return !runs(pid);
};

test('a service is there once it is healthy, and gone after stop', async () => {
  const service = await serviceOf(script('ok', `${saysReady()} setInterval(() => {}, 1000);`));
  expect(runs(service.pid)).toBe(true);
  await service.stop();
  expect(isAlive(service.pid)).toBe(false);
});

test('stop ends a service that ignores the signal, and the children it started', async () => {
  const path = script(
    'stubborn',
    `import { spawn } from 'node:child_process';
     const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
     process.on('SIGTERM', () => {});
     import { writeFileSync as write } from 'node:fs';
     write(${JSON.stringify(join(dir, 'child'))}, String(child.pid));
     ${saysReady()} setInterval(() => {}, 1000);`,
  );
  const service = await spawnService({
    name: 'part',
    command: NODE,
    args: [path],
    url: 'http://127.0.0.1:1',
    stateDir: dir,
    stopMs: 200,
    healthy: async () => existsSync(join(dir, 'ready')),
  });
  const child = Number(readFileSync(join(dir, 'child'), 'utf8'));
  await service.stop();
  expect(await gone(child)).toBe(true);
  expect(await gone(service.pid)).toBe(true);
});

test('a service that ends early is an error with its last words', async () => {
  const path = script('dies', "console.error('no such table: ledger'); process.exit(3);");
  await expect(serviceOf(path)).rejects.toThrow(
    /part ended with exit code 3 before it was ready[\s\S]*no such table: ledger[\s\S]*logs\/part\.log/,
  );
});

test('a service that is not healthy in time is ended and named', async () => {
  const path = script(
    'silent',
    `import { writeFileSync } from 'node:fs';
    writeFileSync(${JSON.stringify(join(dir, 'pid'))}, String(process.pid)); setInterval(() => {}, 1000);`,
  );
  await expect(serviceOf(path, { startMs: 1500, healthy: async () => false })).rejects.toThrow(
    'part did not answer at http://127.0.0.1:1 within 2 s',
  );
  expect(await gone(Number(readFileSync(join(dir, 'pid'), 'utf8')))).toBe(true);
});

test('a program that does not exist is an error', async () => {
  await expect(
    spawnService({
      name: 'part',
      command: join(dir, 'nothing'),
      args: [],
      url: '',
      stateDir: dir,
      healthy: async () => true,
    }),
  ).rejects.toThrow(/part could not be run: .*ENOENT/);
});

test('a Node service ends when the one who started it is killed', async () => {
  const part = script(
    'part',
    `import { exitWithParent } from ${JSON.stringify(SERVICE)};
     import { writeFileSync as write } from 'node:fs';
     exitWithParent(() => write(${JSON.stringify(join(dir, 'tidied'))}, ''));
     ${saysReady()} setInterval(() => {}, 1000);`,
  );
  const starter = script(
    'starter',
    `import { spawnService } from ${JSON.stringify(SERVICE)};
     import { existsSync } from 'node:fs';
     const service = await spawnService({ name: 'part', command: process.execPath, args: [${JSON.stringify(part)}], url: '',
       stateDir: ${JSON.stringify(dir)}, healthy: async () => existsSync(${JSON.stringify(join(dir, 'ready'))}) });
     console.log(service.pid);
     setInterval(() => {}, 1000);`,
  );
  const program = spawn(NODE, [starter], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const pid = await new Promise<number>((resolve) => program.stdout.once('data', (data) => resolve(Number(data))));
    expect(runs(pid)).toBe(true);
    program.kill('SIGKILL');
    expect(await gone(pid)).toBe(true);
    expect(existsSync(join(dir, 'tidied'))).toBe(true);
  } finally {
    program.kill('SIGKILL');
  }
});

test('a free port can be listened on, and is not free then', async () => {
  const port = await freePort();
  await assertPortFree('Something', port);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await expect(assertPortFree('Something', port)).rejects.toThrow(
      `Something cannot start: port ${port} on 127.0.0.1 is taken by another process.`,
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
