import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOCAL_PLANT_DIR } from '#core/contracts/local-plant.ts';
import { parseStartArgs, type StartOptions, USAGE } from './args.ts';
import { explainStartError, StartError } from './errors.ts';
import { type Lock, takeLock } from './lock.ts';
import { Pass } from './pass.ts';
import { awaitLeftovers } from './plant.ts';
import { Teller } from './teller.ts';
import { pause } from './wait.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const INTERRUPTED = 130;
const LOOK_MS = 1000;

class Interrupted extends Error {}

/** What the plant itself puts into its folder, and nothing else: a folder may be given that holds more. */
const OURS =
  /^(aws|sagemaker|greengrass|logs|devices|credentials|cdk\.out|lap|lived-until|[a-z-]+\.stamp|tmp-bad-package|(ports|machine-ports|seeds|devices|plant|story|last-seen|faults)\.json)$/;

const forget = (stateDir: string): void => {
  for (const name of readdirSync(stateDir))
    if (OURS.test(name)) rmSync(join(stateDir, name), { recursive: true, force: true });
};

const tellError = (teller: Teller, error: unknown, stateDir: string): void => {
  const told = explainStartError(error);
  teller.line();
  teller.line(`${teller.paint('red', '✗')} ${told.message}`);
  teller.line(`  What to do: ${told.advice}.`);
  const log = told.log ?? join(stateDir, 'logs');
  if (existsSync(log)) teller.line(`  Logs: ${log}`);
};

const tellSummary = (teller: Teller, pass: Pass): void => {
  teller.line();
  teller.line(teller.paint('bold', 'Summary'));
  const total = teller.told.reduce((sum, t) => sum + t.seconds, 0);
  const rows = [...pass.summary, ['steps', `${teller.told.length}, together ${total.toFixed(0)} s`] as const];
  const room = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) teller.line(`  ${teller.paint('dim', name.padEnd(room))}  ${value}`);
};

const tellCommands = (teller: Teller, pass: Pass, stateDir: string): void => {
  const id = pass.sampleDecision ?? '<decision>';
  teller.line();
  teller.line(`${teller.paint('bold', 'The plant is up.')} Try, in another terminal:`);
  // The commands look in the default folder unless they are told of another.
  if (stateDir !== join(ROOT, LOCAL_PLANT_DIR)) teller.line(`  export MILLWRIGHT_PLANT_DIR=${stateDir}`);
  for (const [command, says] of [
    ['npx millwright status', 'the plant at a glance'],
    ['npx millwright devices', 'what each device serves'],
    [`npx millwright explain ${id}`, 'why this decision'],
    [`npx millwright lineage ${id}`, 'back to the raw data'],
    ['npx millwright alerts', 'what operators are asked to act on'],
    ['npx millwright lines', 'how each model line is judged'],
    ['npx millwright drift', 'what the inputs of each device are'],
    ['npx millwright retrain --wait', 'a new model'],
  ] as const)
    teller.line(`  ${command.padEnd(62)} ${teller.paint('dim', says)}`);
  teller.line('Ctrl-C stops everything; the next "npm start" goes on from here.');
};

/** Looks after what was started, each second, until the signal. @throws {StartError} when something ended for good. */
const lookAfter = async (pass: Pass, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await pass.look();
    await pause(LOOK_MS, signal).catch(() => {});
  }
};

const stayUp = async (teller: Teller, pass: Pass, signal: AbortSignal): Promise<void> => {
  for (;;) {
    await pause(2000, signal);
    const stats = pass.machineStats();
    teller.progress(
      stats
        .map((m) =>
          `${m.machine} ${m.answered} answered, last ${m.lastAnswer?.verdict ?? '–'} ${m.lastAnswer?.value?.toFixed(0) ?? ''}`.trim(),
        )
        .join(' · '),
    );
  }
};

const run = async (options: StartOptions, stateDir: string): Promise<number> => {
  const abort = new AbortController();
  const teller = new Teller({
    isTTY: process.stdout.isTTY === true,
    colour: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    write: (text) => void process.stdout.write(text),
  });
  let lock: Lock;
  try {
    lock = takeLock(stateDir);
  } catch (error) {
    tellError(teller, error, stateDir);
    return 1;
  }
  let signals = 0;
  const interrupt = (): void => {
    signals++;
    if (signals === 1) abort.abort(new Interrupted('stopped'));
  };
  // A terminal sends Ctrl-C to the whole group and npm passes it on: more than one is usual and means one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  // Whoever read this is gone (`| head`): nobody is told any more, so the plant stops as by Ctrl-C.
  process.stdout.on('error', interrupt);
  // Who started this was killed outright: then nobody is left who could stop it.
  const starter = process.env['MILLWRIGHT_STARTER'];
  if (starter === String(process.ppid))
    setInterval(() => {
      if (starter !== String(process.ppid)) interrupt();
    }, 500).unref();
  const pass = new Pass({
    root: ROOT,
    stateDir,
    options,
    teller,
    signal: abort.signal,
    now: () => new Date().toISOString(),
    wasCut: lock.wasStale,
  });
  let code = 0;
  const looking = lookAfter(pass, abort.signal).catch((error: unknown) => abort.abort(error));
  try {
    if (lock.wasStale) teller.line('  the last start was cut off; going on from what it left');
    const left = await awaitLeftovers(stateDir);
    if (left > 0) teller.line(`  found ${left} processes of an earlier start; they have ended`);
    if (options.fresh) forget(stateDir);
    const what = options.data === null ? 'simulated machines' : `machines replayed from ${options.data}`;
    const devices = `${options.devices} device${options.devices === 1 ? '' : 's'}`;
    teller.line(`${teller.paint('bold', 'Millwright')}  local plant, ${what}, ${devices}`);
    await pass.run();
    tellSummary(teller, pass);
    if (!options.once) {
      tellCommands(teller, pass, stateDir);
      await stayUp(teller, pass, abort.signal);
    }
  } catch (error) {
    // What fails because a service died is told as that: the next look finds it.
    if (!abort.signal.aborted && !(error instanceof StartError)) await pause(2 * LOOK_MS, abort.signal).catch(() => {});
    if (abort.signal.reason instanceof Interrupted) code = INTERRUPTED;
    else {
      code = 1;
      tellError(teller, abort.signal.aborted ? abort.signal.reason : error, stateDir);
    }
  }
  teller.progress('stopping');
  // A device that is just coming back comes back first, and is then stopped.
  abort.abort(new Interrupted('stopped'));
  await looking;
  await pass.stop();
  lock.release();
  teller.line(
    code === INTERRUPTED ? 'Stopped.' : code === 0 ? teller.paint('green', '✓ done') : 'Stopped what was started.',
  );
  return code;
};

const main = async (): Promise<number> => {
  let options: StartOptions;
  try {
    options = parseStartArgs(process.argv.slice(2));
  } catch (error) {
    const told = explainStartError(error);
    process.stderr.write(`✗ ${told.message}\n  ${told.advice}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const stateDir = resolve(options.stateDir ?? join(ROOT, LOCAL_PLANT_DIR));
  return run({ ...options, data: options.data === null ? null : resolve(options.data) }, stateDir);
};

process.exit(await main());
