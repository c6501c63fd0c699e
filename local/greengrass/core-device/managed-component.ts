import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ComponentState } from '../device-api.ts';
import type { Nucleus } from '../ipc/start-ipc.ts';
import type { ProcessGuard } from './process-guard.ts';
import type { Lifecycle, Step } from './recipe.ts';

/** Errors in the same state after which a component is BROKEN (both nuclei), and the time after which they are forgotten. */
const MAX_ERRORS = 3;
const ERRORS_FORGOTTEN_MS = 3_600_000;
/** Classic sends SIGTERM and kills after this; lite leaves it to systemd's default. */
const STOP_MS = { classic: 5_000, lite: 90_000 } as const;
const LITE_RESTART_MS = 1_000;
const LITE_STEP_MS = 120_000;

export interface ManagedComponentOptions {
  readonly name: string;
  readonly version: string;
  readonly nucleus: Nucleus;
  readonly lifecycle: Lifecycle;
  readonly environment: Readonly<Record<string, string>>;
  readonly workDir: string;
  readonly logFile: string;
  /** Folder for the script files of nucleus lite. */
  readonly scriptDir: string;
  readonly guard: ProcessGuard;
  /** Whether the install step runs: classic always, lite once a version. */
  readonly install: boolean;
  readonly onState: (state: ComponentState, detail: string) => void;
}

type Outcome = { readonly ok: boolean; readonly detail: string; readonly ready: boolean };

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly readyFile: string | undefined;
  ended: boolean;
}

/** One component's life on the device: its steps, its processes, its states. */
export class ManagedComponent {
  readonly name: string;
  readonly version: string;
  private readonly options: ManagedComponentOptions;
  private current: ComponentState = 'NEW';
  private currentDetail = '';
  private readonly errors: { readonly state: ComponentState; readonly at: number }[] = [];
  private readonly running = new Set<Running>();
  private readonly waiters = new Set<() => void>();
  private stopping = false;
  private driving: Promise<void> | undefined;
  private reported: ((state: 'RUNNING' | 'ERRORED') => void) | undefined;
  private scripts = 0;

  constructor(options: ManagedComponentOptions) {
    this.options = options;
    this.name = options.name;
    this.version = options.version;
  }

  get state(): ComponentState {
    return this.current;
  }

  get detail(): string {
    return this.currentDetail;
  }

  /** Process groups alive now. */
  get pids(): number[] {
    return [...this.running].filter((r) => !r.ended).map((r) => r.child.pid as number);
  }

  /** Begins its life; resolves at once. */
  start(): void {
    this.stopping = false;
    this.driving ??= this.drive().catch((error: Error) => this.set('BROKEN', error.message));
  }

  /** A state the component tells of itself over IPC. */
  report(state: 'RUNNING' | 'ERRORED'): void {
    this.reported?.(state);
  }

  /** Resolves when it runs, has finished or is broken (or was stopped). */
  async settled(): Promise<ComponentState> {
    while (!['RUNNING', 'FINISHED', 'BROKEN'].includes(this.current) && !this.stopping)
      await new Promise<void>((resolve) => this.waiters.add(resolve));
    return this.current;
  }

  /** Ends it: shutdown step (classic), SIGTERM, SIGKILL. */
  async stop(): Promise<void> {
    if (this.driving === undefined) return;
    const alive = this.current !== 'BROKEN' && this.current !== 'FINISHED';
    this.stopping = true;
    if (alive) this.set('STOPPING', '');
    this.reported?.('ERRORED');
    await this.endProcesses(alive);
    await this.driving;
    this.driving = undefined;
    this.wake();
  }

  private wake(): void {
    for (const waiter of [...this.waiters]) waiter();
    this.waiters.clear();
  }

  private set(state: ComponentState, detail: string): void {
    if (this.stopping && state !== 'STOPPING') return;
    if (state === this.current && detail === this.currentDetail) return;
    this.current = state;
    this.currentDetail = detail;
    this.note(`state ${state}${detail === '' ? '' : `: ${detail}`}`);
    this.options.onState(state, detail);
    this.wake();
  }

  private note(line: string): void {
    const log = openSync(this.options.logFile, 'a');
    writeSync(log, `${new Date().toISOString()} [nucleus] ${this.name} ${this.version} ${line}\n`);
    closeSync(log);
  }

  private async drive(): Promise<void> {
    mkdirSync(this.options.workDir, { recursive: true });
    const { lifecycle, nucleus } = this.options;
    let installed = !this.options.install || lifecycle.install === undefined;
    this.set('NEW', '');
    while (!this.stopping) {
      if (!installed) {
        const outcome = await this.toEnd(lifecycle.install as Step, 'install');
        if (this.stopping) return;
        if (!outcome.ok) {
          // Lite has no second try for an install.
          if (nucleus === 'lite') return this.set('BROKEN', outcome.detail);
          if (await this.failed('NEW', outcome.detail)) return;
          continue;
        }
        installed = true;
      }
      this.set('INSTALLED', '');
      if (lifecycle.startup === undefined && lifecycle.run === undefined) return this.set('FINISHED', '');
      this.set('STARTING', '');
      const detail = lifecycle.startup === undefined ? await this.run() : await this.startup(lifecycle.startup);
      if (detail === undefined || this.stopping) return;
      if (await this.failed(this.current, detail)) return;
    }
  }

  /** Counts an error. @returns true when the component is broken. */
  private async failed(inState: ComponentState, detail: string): Promise<boolean> {
    const { lifecycle, nucleus } = this.options;
    const now = Date.now();
    this.errors.push({ state: inState, at: now });
    this.set('ERRORED', detail);
    if (lifecycle.recover !== undefined) await this.toEnd(lifecycle.recover, 'recover');
    await this.endProcesses(inState !== 'NEW');
    const recent = this.errors.filter(
      (e) => now - e.at < ERRORS_FORGOTTEN_MS && (nucleus === 'lite' || e.state === inState),
    );
    if (recent.length >= MAX_ERRORS) {
      this.set('BROKEN', `${detail} (${recent.length} times)`);
      return true;
    }
    if (nucleus === 'lite') await sleep(LITE_RESTART_MS);
    return this.stopping;
  }

  /** @returns undefined when it ended well, else what went wrong. */
  private async run(): Promise<string | undefined> {
    const step = this.options.lifecycle.run as Step;
    if (this.skipped(step)) {
      this.set('FINISHED', 'skipped');
      return undefined;
    }
    const process = this.spawn(step, 'run');
    const told = this.listen('ERRORED');
    this.set('RUNNING', '');
    const late = step.timeoutMs === undefined ? undefined : this.timeout(step.timeoutMs);
    const first = await Promise.race([process.exit, told.promise, ...(late === undefined ? [] : [late.promise])]);
    told.end();
    late?.end();
    if (first === 'told') return 'the component reported ERRORED';
    if (first === 'late') return `run took longer than ${step.timeoutMs} ms`;
    const outcome = this.outcomeOf(process, first, 'run');
    if (!outcome.ok) return outcome.detail;
    this.set('FINISHED', '');
    return undefined;
  }

  private async startup(step: Step): Promise<string | undefined> {
    const { nucleus } = this.options;
    if (this.skipped(step)) {
      this.set('RUNNING', 'skipped');
      return undefined;
    }
    const process = this.spawn(step, 'startup');
    const running = this.listen('RUNNING');
    const errored = this.listen('ERRORED');
    const late = this.timeout(step.timeoutMs ?? LITE_STEP_MS);
    try {
      let first = await Promise.race([process.exit, running.promise, errored.promise, late.promise]);
      late.end();
      if (first === 'late') {
        await this.endProcesses(false);
        return `startup took longer than ${step.timeoutMs ?? LITE_STEP_MS} ms`;
      }
      if (first === 'told' && running.heard()) {
        this.set('RUNNING', '');
        first = await Promise.race([process.exit, errored.promise]);
        if (first === 'told') return 'the component reported ERRORED';
        const outcome = this.outcomeOf(process, first as Awaited<Running['exit']>, 'startup');
        if (!outcome.ok) return outcome.detail;
      } else if (first === 'told') {
        return 'the component reported ERRORED';
      } else {
        const outcome = this.outcomeOf(process, first as Awaited<Running['exit']>, 'startup');
        if (!outcome.ok) return outcome.detail;
        // Type=notify: a script that is gone before anyone said ready counts as a protocol error of systemd.
        if (nucleus === 'lite' && !outcome.ready)
          return 'startup ended with exit code 0 before it was ready: after exec nobody tells systemd; report RUNNING over IPC or leave out exec and set -e';
        if (nucleus === 'classic') this.set('RUNNING', '');
      }
      // The unit is then inactive although it succeeded; a classic startup stays RUNNING.
      if (nucleus === 'lite') {
        this.set('FINISHED', '');
        return undefined;
      }
      const after = await Promise.race([errored.promise, this.stopped()]);
      return after === 'told' && !this.stopping ? 'the component reported ERRORED' : undefined;
    } finally {
      running.end();
      errored.end();
      late.end();
    }
  }

  private async stopped(): Promise<'stopped'> {
    while (!this.stopping) await new Promise<void>((resolve) => this.waiters.add(resolve));
    return 'stopped';
  }

  private readonly heardBy = new Map<'RUNNING' | 'ERRORED', Set<() => void>>();
  private listen(state: 'RUNNING' | 'ERRORED'): { promise: Promise<'told'>; heard: () => boolean; end: () => void } {
    const listeners = this.heardBy.get(state) ?? new Set();
    this.heardBy.set(state, listeners);
    this.reported = (told) => {
      for (const listener of [...(this.heardBy.get(told) ?? [])]) listener();
    };
    let heard = false;
    let resolveTold: (value: 'told') => void = () => {};
    const listener = (): void => {
      heard = true;
      resolveTold('told');
    };
    listeners.add(listener);
    return {
      promise: new Promise((resolve) => {
        resolveTold = resolve;
      }),
      heard: () => heard,
      end: () => listeners.delete(listener),
    };
  }

  private timeout(ms: number): { promise: Promise<'late'>; end: () => void } {
    let timer: NodeJS.Timeout | undefined;
    const promise = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), ms);
    });
    return { promise, end: () => clearTimeout(timer) };
  }

  /** Runs a step until it ends or its time is over. */
  private async toEnd(step: Step, stepName: string): Promise<Outcome> {
    if (this.skipped(step)) return { ok: true, ready: true, detail: 'skipped' };
    const process = this.spawn(step, stepName);
    const ms = step.timeoutMs ?? LITE_STEP_MS;
    const late = this.timeout(ms);
    const first = await Promise.race([process.exit, late.promise]);
    late.end();
    if (first === 'late') {
      await this.endProcess(process);
      return { ok: false, ready: false, detail: `${stepName} took longer than ${ms} ms` };
    }
    return this.outcomeOf(process, first, stepName);
  }

  private outcomeOf(process: Running, exit: Awaited<Running['exit']>, stepName: string): Outcome {
    const ready = process.readyFile === undefined || existsSync(process.readyFile);
    if (process.readyFile !== undefined) rmSync(process.readyFile, { force: true });
    if (exit.code === 0) return { ok: true, ready, detail: '' };
    const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
    return { ok: false, ready: false, detail: `${stepName} ended with ${how}` };
  }

  private skipped(step: Step): boolean {
    const [verb, what] = step.skipIf?.trim().split(/\s+/) ?? [];
    if (what === undefined) return false;
    if (verb === 'exists') return existsSync(what);
    if (verb !== 'onpath') return false;
    return (this.options.environment.PATH ?? '').split(delimiter).some((folder) => {
      try {
        accessSync(join(folder, what), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  }

  /**
   * Lite writes the script to a file and lets it end by telling systemd, without `set -e`: a command that fails before
   * the end goes unseen and the step succeeds. Classic hands the script to the shell, whose last command decides.
   */
  private command(step: Step, stepName: string): { args: string[]; readyFile: string | undefined } {
    if (this.options.nucleus === 'classic') return { args: ['-c', step.script], readyFile: undefined };
    mkdirSync(this.options.scriptDir, { recursive: true });
    const file = join(this.options.scriptDir, `ggl.${this.name}.${stepName}.sh`);
    const readyFile = `${file}.ready.${this.scripts++}`;
    writeFileSync(file, `#!/bin/sh\n${step.script}\n: > '${readyFile.replaceAll("'", "'\\''")}'\n`, { mode: 0o755 });
    return { args: [file], readyFile };
  }

  private spawn(step: Step, stepName: string): Running {
    const { environment, guard, lifecycle, logFile, workDir } = this.options;
    const { args, readyFile } = this.command(step, stepName);
    this.note(`${stepName}`);
    const log = openSync(logFile, 'a');
    // The shell waits for a word on fd 3, so that no process does anything before the guard knows its group.
    const child = spawn('/bin/sh', ['-c', 'read -r go <&3 || exit 125; exec 3<&-; exec /bin/sh "$@"', 'sh', ...args], {
      cwd: workDir,
      env: { ...environment, ...lifecycle.setenv, ...step.setenv },
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    closeSync(log);
    const exit = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('error', () => resolve({ code: 127, signal: null }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const process: Running = { child, exit, readyFile, ended: false };
    if (child.pid !== undefined) {
      const pid = child.pid;
      this.running.add(process);
      guard.add(pid);
      const gate = child.stdio[3] as Writable;
      gate.on('error', () => {});
      gate.end('go\n');
      void exit.then(() => {
        process.ended = true;
        this.running.delete(process);
        // What the step left behind in its group has no owner any more.
        killGroup(pid, 'SIGKILL');
        guard.remove(pid);
      });
    }
    return process;
  }

  private async endProcess(process: Running): Promise<void> {
    const pid = process.child.pid;
    if (pid === undefined || process.ended) return;
    killGroup(pid, 'SIGTERM');
    const gone = await Promise.race([process.exit, sleep(STOP_MS[this.options.nucleus], 'late', { ref: false })]);
    if (gone === 'late') killGroup(pid, 'SIGKILL');
    await process.exit;
  }

  private async endProcesses(shutdown: boolean): Promise<void> {
    const before = [...this.running];
    if (shutdown && this.options.lifecycle.shutdown !== undefined)
      await this.toEnd(this.options.lifecycle.shutdown, 'shutdown');
    await Promise.all(before.map((process) => this.endProcess(process)));
  }
}

const killGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};
