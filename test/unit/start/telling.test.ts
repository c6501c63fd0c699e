import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { DecisionRecord } from '../../../core/contracts/decision.ts';
import type { LiveRun, UseCaseDefinition } from '../../../core/contracts/source.ts';
import { isRunning } from '../../../local/greengrass/core-device/process-guard.ts';
import type { Machines } from '../../../local/plant/machines.ts';
import { StartError } from '../../../local/start/errors.ts';
import { stagesOf } from '../../../local/start/follow.ts';
import { playThrough } from '../../../local/start/play-through.ts';
import { assertOneDigest, readDecisions, rulErrors } from '../../../local/start/proof.ts';
import { runCommand } from '../../../local/start/run-command.ts';
import {
  chooseDefinition,
  dataReader,
  discoverDefinitions,
  openSource,
  sameMachines,
} from '../../../local/start/source.ts';
import { Teller } from '../../../local/start/teller.ts';
import { pause, until, untilRegistered } from '../../../local/start/wait.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-start-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const screen = (isTTY: boolean) => {
  let text = '';
  return {
    isTTY,
    colour: false,
    write: (more: string) => {
      text += more;
    },
    text: () => text,
  };
};

describe('the teller', () => {
  test('is one line a step: what, the figure, how long', async () => {
    const out = screen(false);
    let now = 0;
    const teller = new Teller(out, () => now);
    await teller.step('stacks', async () => {
      now = 2500;
      return ['7 stacks', null];
    });
    expect(out.text()).toMatch(/^ {2}✓ stacks +7 stacks +2\.5 s\n$/);
    expect(teller.told).toEqual([{ step: 'stacks', seconds: 2.5, figure: '7 stacks' }]);
  });

  test('marks a step that failed and throws its error on', async () => {
    const out = screen(false);
    const teller = new Teller(out, () => 0);
    await expect(teller.step('stacks', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(out.text()).toContain('✗ stacks');
  });

  test('replaces progress in a terminal and is sparing with it elsewhere', () => {
    const terminal = screen(true);
    const inTerminal = new Teller(terminal, () => 0);
    inTerminal.progress('one');
    inTerminal.progress('two');
    inTerminal.line('done');
    expect(terminal.text().split('\n')).toHaveLength(2);
    const file = screen(false);
    let now = 20_000;
    const inFile = new Teller(file, () => now, 15_000);
    inFile.progress('one');
    now += 1000;
    inFile.progress('two');
    expect(file.text()).toBe('  … one\n');
  });
});

test('stages of an execution: parts of a map count once, what runs has no end', () => {
  const entered = (name: string, at: number): HistoryEvent =>
    ({ timestamp: new Date(at), stateEnteredEventDetails: { name } }) as HistoryEvent;
  const exited = (name: string, at: number): HistoryEvent =>
    ({ timestamp: new Date(at), stateExitedEventDetails: { name } }) as HistoryEvent;
  expect(
    stagesOf([
      entered('Map', 1),
      entered('Item', 2),
      entered('Item', 3),
      exited('Item', 4),
      exited('Map', 5),
      entered('Train', 5),
    ]),
  ).toEqual([
    { name: 'Map', from: 1, to: 5 },
    { name: 'Item', from: 2, to: 4 },
    { name: 'Train', from: 5, to: null },
  ]);
});

describe('waiting', () => {
  const signal = new AbortController().signal;

  test('ends with the answer', async () => {
    let n = 0;
    expect(
      await until(async () => (++n === 3 ? n : null), {
        signal,
        everyMs: 1,
        seconds: 5,
        late: () => new StartError('', ''),
      }),
    ).toBe(3);
  });

  test('that is too long tells why', async () => {
    const late = () => new StartError('nothing began', 'look');
    await expect(until(async () => null, { signal, everyMs: 1, seconds: 0, late })).rejects.toThrow('nothing began');
  });

  test('for records says what is missing, and where what failed is kept', async () => {
    const never = untilRegistered({ signal, stateDir: dir }, async () => false, {
      by: 'register-upload',
      seconds: 0,
      late: () => '3 of 4 runs were registered',
    });
    await expect(never).rejects.toMatchObject({
      message: '3 of 4 runs were registered within 0 s',
      advice: expect.stringContaining('failures of register-upload'),
    });
  });

  test('ends at once when the start is stopped', async () => {
    const abort = new AbortController();
    const waiting = pause(60_000, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(pause(1, abort.signal)).rejects.toThrow('stopped');
  });
});

describe('commands', () => {
  const base = { name: 'probe', command: process.execPath, cwd: '/', signal: new AbortController().signal };

  test('give their standard output', async () => {
    expect(await runCommand({ ...base, stateDir: dir, args: ['-e', 'console.log(1); console.error(2)'] })).toBe('1\n');
  });

  test('that fail are told with their last words and log', async () => {
    const failing = runCommand({ ...base, stateDir: dir, args: ['-e', 'console.error("bad day"); process.exit(3)'] });
    await expect(failing).rejects.toMatchObject({
      message: expect.stringMatching(/exit code 3:\n {4}bad day/),
      log: join(dir, 'logs', 'probe.log'),
    });
  });

  test('that cannot be run are told', async () => {
    const failing = runCommand({ ...base, stateDir: dir, command: join(dir, 'absent'), args: [] });
    await expect(failing).rejects.toThrow(/could not be run/);
  });

  (existsSync('/dev/full') ? test : test.skip)(
    'end, and name the full disk, when their log cannot be written',
    async () => {
      mkdirSync(join(dir, 'logs'));
      symlinkSync('/dev/full', join(dir, 'logs', 'probe.log'));
      const args = ['-e', 'console.log("up"); setInterval(() => {}, 1000)'];
      await expect(runCommand({ ...base, stateDir: dir, args })).rejects.toMatchObject({
        message: expect.stringContaining('the disk is full: '),
        log: join(dir, 'logs', 'probe.log'),
      });
    },
  );

  test('that fail have their whole log on the disk when that is told', async () => {
    const args = ['-e', 'process.stdout.write("x".repeat(3e6) + "end", () => process.exit(3))'];
    await expect(runCommand({ ...base, stateDir: dir, args })).rejects.toThrow(/exit code 3/);
    expect(readFileSync(join(dir, 'logs', 'probe.log'), 'utf8')).toHaveLength(3e6 + 3);
  });

  test('end when the start is stopped', async () => {
    const abort = new AbortController();
    const running = runCommand({
      ...base,
      signal: abort.signal,
      stateDir: dir,
      args: ['-e', 'console.log("up"); setInterval(() => {}, 1000)'],
      onLine: () => abort.abort(new Error('stopped')),
    });
    await expect(running).rejects.toThrow('stopped');
  });

  test('end with all they started when the start is killed outright', async () => {
    const inner = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      console.log(process.pid + ' ' + child.pid); setInterval(() => {}, 1000)`;
    const outer = `import { runCommand } from ${JSON.stringify(join(__dirname, '../../../local/start/run-command.ts'))};
      await runCommand({ name: 'probe', command: process.execPath, cwd: '/', stateDir: ${JSON.stringify(dir)},
        signal: new AbortController().signal, args: ['-e', ${JSON.stringify(inner)}], onLine: console.log });`;
    const start = spawn(process.execPath, ['--input-type=module-typescript', '-e', outer], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(start.stdout, 'data')) as [Buffer];
    const pids = String(line).trim().split(' ').map(Number);
    start.kill('SIGKILL');
    for (const pid of pids) while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pids).toHaveLength(2);
  });
});

describe('which machines to play', () => {
  const definitions = [
    { useCase: { id: 'simulated' }, needsData: false },
    { useCase: { id: 'recorded' }, needsData: true, recognises: (files: readonly string[]) => files.includes('a.txt') },
  ] as unknown as UseCaseDefinition[];

  test('are the simulated ones without data, else those of the definition that knows the files', () => {
    writeFileSync(join(dir, 'a.txt'), '');
    expect(chooseDefinition(definitions, null).useCase.id).toBe('simulated');
    expect(chooseDefinition(definitions, dir).useCase.id).toBe('recorded');
  });

  test('files that nobody knows, and no folder, are refused by name', () => {
    expect(() => chooseDefinition(definitions, dir)).toThrow(/no use case knows the files in .*it is empty/);
    expect(() => chooseDefinition(definitions, join(dir, 'absent'))).toThrow(/there is no such folder/);
    expect(() => chooseDefinition([], null)).toThrow(/no use case brings simulated machines/);
  });

  test('recorded files are read plain or unpacked, and an absent one is named', () => {
    writeFileSync(join(dir, 'a.txt'), 'plain');
    writeFileSync(join(dir, 'b.txt.gz'), gzipSync('packed'));
    const read = dataReader(dir);
    expect(Buffer.from(read('a.txt')).toString()).toBe('plain');
    expect(Buffer.from(read('b.txt')).toString()).toBe('packed');
    expect(() => read('c.txt')).toThrow(/neither c.txt nor c.txt.gz/);
  });

  test('a file that is cut off is refused by name, and so is a file in place of the folder', () => {
    const packed = gzipSync('packed');
    writeFileSync(join(dir, 'b.txt.gz'), packed.subarray(0, packed.length - 9));
    expect(() => dataReader(dir)('b.txt')).toThrow(/b\.txt\.gz cannot be unpacked: unexpected end of file/);
    expect(() => chooseDefinition([], join(dir, 'b.txt.gz'))).toThrow(/this is a file, not a folder/);
  });

  describe('opened', () => {
    const run = (asset: string): LiveRun => ({ asset, run: 'r', frames: [], remainingAtEnd: null });
    const opened = (history: readonly string[], live: readonly string[], data: string | null = dir) =>
      openSource(
        {
          useCase: { id: 'x' },
          source: () => ({
            name: 'x',
            history: () => history.map((asset) => ({ ...run(asset), events: [] })),
            live: () => [live.map(run)],
          }),
        } as unknown as UseCaseDefinition,
        { site: 's', seed: 7, data },
      );

    test('are known by their seed and first instant, or by all their frames', () => {
      expect(opened(['a'], ['b'], null).identity).toBe('seed 7 since 2000-01-01');
      expect(opened(['a'], ['b']).identity).toBe(opened(['a'], ['b']).identity);
      expect(opened(['a'], ['b']).identity).not.toBe(opened(['a'], ['c']).identity);
    });

    test('come again by the same seed or files, and by neither where their times are others', () => {
      expect(sameMachines(opened(['a'], ['b'], null).identity)).toMatch(/^use --seed 7, or begin anew with --fresh/);
      expect(sameMachines(opened(['a'], ['b']).identity)).toMatch(/^give the same files, or begin anew with --fresh/);
      for (const earlier of ['seed 7', 'seed 7 since 1999-01-01'])
        expect(sameMachines(earlier)).toMatch(/^begin anew with --fresh/);
    });

    test('without history or without machines are refused', () => {
      expect(() => opened([], ['b'])).toThrow(/holds no history to learn from/);
      expect(() => opened(['a'], [])).toThrow(/holds no machines to replay/);
    });

    test('that cannot be read are refused with their folder', async () => {
      const turbofans = (await discoverDefinitions(join(__dirname, '../../..'))).find((d) => d.needsData);
      const files = { 'train_FD001.txt': '1 1 hello', 'test_FD001.txt': '', 'RUL_FD001.txt': '' };
      const options = { site: 'plant-a', seed: 1, data: dir };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
      expect(() => openSource(turbofans as UseCaseDefinition, options)).toThrow(
        `${dir}: train_FD001.txt line 1: expected 26 numbers`,
      );
      const engine = `1 1 ${Array(24).fill('0').join(' ')}\n`;
      for (const name of ['train_FD001.txt', 'test_FD001.txt']) writeFileSync(join(dir, name), engine);
      expect(() => openSource(turbofans as UseCaseDefinition, options)).toThrow(/RUL_FD001.txt: expected 1 numbers/);
      writeFileSync(join(dir, 'RUL_FD001.txt'), '112\n');
      expect(openSource(turbofans as UseCaseDefinition, options).identity).toMatch(/^data [0-9a-f]{12}$/);
    });
  });

  test('every use case of the repository is found', async () => {
    const found = await discoverDefinitions(join(__dirname, '../../..'));
    expect(found.map((d) => d.useCase.id)).toEqual(expect.arrayContaining(['predictive-maintenance', 'turbofan-life']));
  });
});

describe('proofs', () => {
  const PACKAGE = `sha256:${'a'.repeat(64)}`;

  test('one digest everywhere, or every place that differs is named', () => {
    expect(() => assertOneDigest(PACKAGE, [{ where: 'the report', digest: PACKAGE }])).not.toThrow();
    expect(() =>
      assertOneDigest(PACKAGE, [
        { where: 'the report', digest: null },
        { where: 'the decision', digest: 'sha256:b' },
      ]),
    ).toThrow(/the report says nothing; the decision says sha256:b/);
  });

  test('RMSE is of the last frame of each run, in both conventions; what the model did not decide is named', () => {
    const runs = [
      { asset: 'e1', run: 'r', frames: [{ index: 1 }, { index: 2 }], remainingAtEnd: 100 },
      { asset: 'e2', run: 'r', frames: [{ index: 1 }], remainingAtEnd: 145 },
      { asset: 'e3', run: 'r', frames: [{ index: 1 }], remainingAtEnd: 50 },
      { asset: 'e4', run: 'r', frames: [{ index: 1 }], remainingAtEnd: null },
    ] as unknown as LiveRun[];
    const decided = (asset: string, index: number, value: number | null, run = 'r-l3') =>
      ({ asset, run, index, value, packageDigest: PACKAGE }) as DecisionRecord;
    const errors = rulErrors(
      runs,
      3,
      [
        decided('e1', 1, 0),
        decided('e1', 2, 97),
        decided('e2', 1, 125),
        decided('e3', 1, null),
        decided('e3', 1, 1, 'r-l2'),
      ],
      125,
    );
    expect(errors).toMatchObject({ assets: 2, missing: ['e3'] });
    expect(errors.capped).toBeCloseTo(Math.sqrt(9 / 2));
    expect(errors.uncapped).toBeCloseTo(Math.sqrt((9 + 400) / 2));
  });

  test('a decision that is none is told by its place', () => {
    expect(() => readDecisions('{"h":1}\n{"schema":"x"}\n', 'k')).toThrow(/decision 1 of k/);
  });
});

describe('a play of the machines', () => {
  const runs = [[{ frames: [{}, {}, {}] }], [{ frames: [{}] }]] as never as readonly (readonly LiveRun[])[];
  const machinesOf = (play: () => Promise<void>, paces: number[] = []): Machines =>
    ({ stats: () => [{ answered: 7 }], setPace: (ms: number) => void paces.push(ms), play }) as never;

  test('is as fast as devices answer, and ends when all is answered', async () => {
    const { signal } = new AbortController();
    const teller = new Teller(screen(false), () => 0);
    const paces: number[] = [];
    const played = machinesOf(async () => {}, paces);
    expect(await playThrough({ teller, signal }, played, 1, { runs, what: 'wear' })).toBe(4);
    expect(paces).toEqual([0]);
  });

  test('ends at once when the start is stopped', async () => {
    const abort = new AbortController();
    const teller = new Teller(screen(false), () => 0);
    const stuck = machinesOf(() => new Promise<void>(() => {}));
    const playing = playThrough({ teller, signal: abort.signal }, stuck, 1, { runs, what: 'wear' });
    abort.abort(new Error('stopped'));
    await expect(playing).rejects.toThrow('stopped');
  });
});
