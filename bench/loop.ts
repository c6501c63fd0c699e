import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOCAL_PLANT_DIR } from '#core/contracts/local-plant.ts';
import type { Report } from './report.ts';
import { medianOf } from './statistics.ts';
import { costFigures, storyFigures } from './story.ts';
import { environmentOf } from './templates.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface SuiteOptions {
  readonly report: Report;
  readonly tests: boolean;
  readonly keep: boolean;
  /** Only the story and its cost, in this checkout. */
  readonly storyOnly: boolean;
  /** Seconds between two decisions of a device, for the cost of fleets. */
  readonly every: number;
}

const seconds = (from: number): number => (performance.now() - from) / 1000;

/** Runs a command and calls `onLine` for each line it prints. @throws {Error} with its last lines when it fails. */
const run = async (
  command: string,
  args: readonly string[],
  o: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly onLine?: (line: string) => void },
): Promise<number> => {
  const from = performance.now();
  const child: ChildProcess = spawn(command, args, { cwd: o.cwd, env: o.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let rest = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        o.onLine?.(line);
      }
    });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} failed (${code}):\n${lines.slice(-30).join('\n')}`);
  return seconds(from);
};

const sizeOf = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
    : statSync(path).size;

/** The straight pass, timed: from a clean clone with empty caches. */
const pass = async (
  clone: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly total: number; readonly firstDecision: number | null; readonly deviceStart: number | null }> => {
  const from = performance.now();
  let firstDecision: number | null = null;
  let deviceStart: number | null = null;
  const total = await run('npm', ['start', '--', '--once'], {
    cwd: clone,
    env,
    onLine: (line) => {
      if (/✓ decision of the model/.test(line)) firstDecision ??= seconds(from);
      const started = /device start to first decision.*?([\d.]+) s$/.exec(line);
      if (started !== null) deviceStart = Number(started[1]);
    },
  });
  return { total, firstDecision, deviceStart };
};

const bundles = (clone: string, report: Report): void => {
  const lambdas = join(clone, '.build/lambdas');
  const sizes = readdirSync(lambdas).map((name) => [name, sizeOf(join(lambdas, name, 'index.mjs')) / 2 ** 20] as const);
  const [largest, size] = sizes.reduce((a, b) => (b[1] > a[1] ? b : a));
  report.figure({ name: `largest Lambda bundle (${largest})`, value: size, unit: 'MiB', goal: 3 });
  const components = join(clone, '.build/components');
  for (const name of readdirSync(components)) {
    const zip = readdirSync(join(components, name)).find((f) => f.endsWith('linux-x64.zip'));
    if (zip !== undefined)
      report.figure({
        name: `component ${name}`,
        value: sizeOf(join(components, name, zip)) / 2 ** 20,
        unit: 'MiB',
        goal: name === 'runtime' ? 25 : 6,
      });
  }
};

/** Time for a Lambda's module to load in a fresh process, against a process that loads nothing. */
const coldStarts = (clone: string, cdkOut: string, report: Report): void => {
  const node = join(clone, 'node_modules/.bin/node');
  const time = (code: string, settings: Readonly<Record<string, string>> = {}): number => {
    const env = { PATH: process.env['PATH'], AWS_REGION: 'us-east-1', ...settings };
    return medianOf(
      Array.from({ length: 7 }, () => {
        const from = performance.now();
        const { status, stderr } = spawnSync(node, ['--input-type=module', '-e', code], { env, encoding: 'utf8' });
        // A module that dies at once would be the fastest of all.
        if (status !== 0)
          throw new Error(
            `a cold start failed: ${stderr.split('\n').filter((l) => /Error/.test(l) && l.length < 400)[0] ?? stderr.slice(-400)}`,
          );
        return performance.now() - from;
      }),
    );
  };
  const empty = time('');
  const names = readdirSync(join(clone, '.build/lambdas'));
  const times = names.map(
    (name) =>
      [
        name,
        time(
          `await import(${JSON.stringify(join(clone, '.build/lambdas', name, 'index.mjs'))})`,
          environmentOf(cdkOut, name),
        ),
      ] as const,
  );
  const [slowest, ms] = times.reduce((a, b) => (b[1] > a[1] ? b : a));
  const peer = { name: 'an empty process', value: empty };
  report.figure({
    name: 'Lambda cold start, median of all',
    value: medianOf(times.map((t) => t[1])),
    unit: 'ms',
    goal: 300,
    peer,
  });
  report.figure({ name: `Lambda cold start, slowest (${slowest})`, value: ms, unit: 'ms', goal: 600, peer });
};

const story = async ({ report, keep, every }: SuiteOptions): Promise<void> => {
  const stateDir = mkdtempSync(join(tmpdir(), 'mw-bench-'));
  try {
    report.note('npm start, its story, then a minute of work and a minute of silence');
    await costFigures({ root: ROOT, stateDir, env: process.env, every }, report);
    storyFigures(stateDir, report);
  } finally {
    if (keep) report.note(`kept ${stateDir}`);
    else rmSync(stateDir, { recursive: true, force: true });
  }
};

/** Suite `loop`: what a newcomer and a platform team wait for. */
export const loop = async (options: SuiteOptions): Promise<void> => {
  if (options.storyOnly) return story(options);
  const { report, tests, keep, every } = options;
  const dir = mkdtempSync(join(tmpdir(), 'mw-bench-'));
  const clone = join(dir, 'millwright');
  const env = {
    ...process.env,
    npm_config_cache: join(dir, 'npm-cache'),
    UV_CACHE_DIR: join(dir, 'uv-cache'),
    PIP_CACHE_DIR: join(dir, 'pip-cache'),
  };
  try {
    report.note('clean clone, empty caches: npm start -- --once');
    await run('git', ['clone', '--quiet', '--no-hardlinks', ROOT, clone], { cwd: dir });
    const first = await pass(clone, env);
    if (first.firstDecision !== null)
      report.figure({ name: 'clean clone to first decision', value: first.firstDecision / 60, unit: 'min', goal: 6 });
    report.figure({ name: 'clean clone, pass and story', value: first.total / 60, unit: 'min', goal: null });
    const stateDir = join(clone, LOCAL_PLANT_DIR);
    storyFigures(stateDir, report);
    report.note('again: npm start -- --once');
    const second = await pass(clone, env);
    report.figure({
      name: 'second run',
      value: second.total / 60,
      unit: 'min',
      goal: 3,
      peer: { name: 'the first', value: first.total / 60 },
    });
    if (second.deviceStart !== null)
      report.figure({ name: 'device start to first decision', value: second.deviceStart, unit: 's', goal: 10 });
    report.note('npm start, a minute of work and a minute of silence');
    await costFigures({ root: clone, stateDir, env, every }, report);
    const node = join(clone, 'node_modules/.bin/node');
    const empty = await run(node, ['-e', "await import('aws-cdk-lib')"], { cwd: clone, env });
    const synth = await run(node, ['bin/app.ts'], { cwd: clone, env: { ...env, CDK_OUTDIR: join(dir, 'cdk.out') } });
    report.figure({
      name: 'synthesis of all stacks',
      value: synth,
      unit: 's',
      goal: 15,
      peer: { name: 'loading aws-cdk-lib', value: empty },
    });
    bundles(clone, report);
    coldStarts(clone, join(dir, 'cdk.out'), report);
    if (tests) {
      report.note('npm test');
      report.figure({
        name: 'npm test',
        value: (await run('npm', ['test'], { cwd: clone, env })) / 60,
        unit: 'min',
        goal: 12,
      });
    }
  } finally {
    if (keep) report.note(`kept ${dir}`);
    else rmSync(dir, { recursive: true, force: true });
  }
};
