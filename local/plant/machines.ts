import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import type { Frame } from '#core/contracts/frame.ts';
import type { LiveRun } from '#core/contracts/source.ts';
import { lapMoved, moveFrame, moveRuns } from './lives.ts';

/** How many frames a machine keeps in flight before it waits for answers. */
export const MAX_IN_FLIGHT = 8;

/** For a frame whose time is not there yet: clocks are set, so a machine looks again. */
const LONGEST_WAIT_MS = 60_000;

/** What the connector answers to one frame. */
export const MachineAnswer = z.object({
  ack: z.object({ run: z.string(), index: z.int() }),
  id: z.string(),
  verdict: z.string(),
  value: z.number().nullable(),
});
export type MachineAnswer = z.infer<typeof MachineAnswer>;

/** One machine and the runs it lives through, in order. */
export interface Lane {
  readonly machine: string;
  readonly runs: readonly LiveRun[];
  /** Port to take if it is free, so that a restart needs no new wiring; else any. */
  readonly port?: number;
}

export interface AnsweredFrame extends MachineAnswer {
  readonly machine: string;
  readonly asset: string;
  readonly lap: number;
  /** From the first time that the frame was sent to its answer. */
  readonly latencyMs: number;
}

export interface MachineStats {
  readonly machine: string;
  readonly port: number;
  readonly connected: boolean;
  readonly sent: number;
  readonly answered: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly lastAnswer: MachineAnswer | null;
}

export interface MachinesOptions {
  /** Milliseconds between two frames of one machine; 0 = as fast as answers come. */
  readonly paceMs: number;
  readonly onAnswer?: (answer: AnsweredFrame) => void;
  /** A monotonic clock in milliseconds. */
  readonly clock?: () => number;
  /** Newest source time of earlier starts, ms since 1970: what these machines live through comes after it. */
  readonly livedUntil?: number | null;
  /** Called before a machine begins a run with the newest source time of all machines, ms since 1970. */
  readonly onLived?: (until: number) => void;
  /** The present, ms since 1970: a frame waits until its source time is over. */
  readonly now?: () => number;
}

export interface Machines {
  readonly endpoints: readonly { readonly machine: string; readonly host: string; readonly port: number }[];
  /**
   * Starts every lane from its first frame, forgetting frames still in flight. Runs are renamed by `lap`, so that a frame
   * is never mistaken for one of an earlier lap, and moved by {@link moved}, so that no source time goes back. With `repeat`
   * a lane begins anew when it is through, in a part of its own and after what it lived through. With `runs` the machines,
   * in their order, live through these instead of their own.
   * @returns resolves when every frame of every lane is answered; never with `repeat`.
   */
  play(
    lap: number,
    options?: { readonly repeat?: boolean; readonly runs?: readonly (readonly LiveRun[])[] },
  ): Promise<void>;
  /** By how much a lap that begins at this moment is later than its runs say, ms; of their own runs where none are given. */
  moved(runs?: readonly (readonly LiveRun[])[]): number;
  /** Lets no machine begin another frame. @returns resolves when all that was sent is answered. */
  rest(): Promise<void>;
  /** Latencies are those since the pace was last set. */
  setPace(paceMs: number): void;
  stats(): readonly MachineStats[];
  close(): Promise<void>;
}

/** Name of a run in a lap and its repetitions; the slug of the contract allows 48 characters. */
export const lapRun = (run: string, lap: number, round: number): string =>
  `${run}-l${lap}${round === 0 ? '' : `r${round}`}`;

/** Name of the machine at a lane: its asset, or a test stand that many assets pass over. */
export const laneName = (runs: readonly LiveRun[], number: number): string => {
  const assets = new Set(runs.map((r) => r.asset));
  return assets.size === 1 ? [...assets].join() : `stand-${number}`;
};

const quantile = (sorted: readonly number[], q: number): number | null =>
  sorted.length === 0 ? null : (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? null);

const keyOf = (run: string, index: number): string => `${run}#${index}`;

const readAnswer = (line: string): MachineAnswer | null => {
  try {
    return MachineAnswer.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
};

class Machine {
  readonly name: string;
  port = 0;
  sent = 0;
  answered = 0;
  lastAnswer: MachineAnswer | null = null;
  readonly verdicts: Record<string, number> = {};

  private readonly wantedPort: number;
  private readonly ownRuns: readonly LiveRun[];
  private runs: readonly LiveRun[];
  private readonly options: Required<MachinesOptions>;
  private readonly server: Server;
  private readonly latencies: number[] = [];
  private readonly inFlight = new Map<string, { readonly frame: Frame; readonly firstSent: number }>();
  private socket: Socket | null = null;
  private frames: Iterator<Frame> | null = null;
  /** The next frame while its time is not there yet. */
  private ahead: Frame | null = null;
  private lap = 0;
  private exhausted = true;
  private timer: NodeJS.Timeout | null = null;
  private notBefore = 0;
  private paceMs: number;
  private done: () => void = () => {};

  constructor(lane: Lane, options: Required<MachinesOptions>) {
    this.name = lane.machine;
    this.ownRuns = lane.runs;
    this.runs = lane.runs;
    this.wantedPort = lane.port ?? 0;
    this.options = options;
    this.paceMs = options.paceMs;
    this.server = createServer((socket) => this.accept(socket));
  }

  async listen(): Promise<void> {
    const take = (port: number): Promise<void> =>
      new Promise((resolve, reject) => {
        this.server.once('error', reject);
        this.server.listen(port, '127.0.0.1', () => {
          this.server.removeListener('error', reject);
          resolve();
        });
      });
    try {
      await take(this.wantedPort);
    } catch (error) {
      if (this.wantedPort === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await take(0);
    }
    const address = this.server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connected(): boolean {
    return this.socket !== null;
  }

  latency(q: number): number | null {
    return quantile(
      this.latencies.toSorted((a, b) => a - b),
      q,
    );
  }

  play(lap: number, repeat: boolean, moved: number, runs: readonly LiveRun[] = this.ownRuns): Promise<void> {
    this.lap = lap;
    this.runs = runs;
    this.inFlight.clear();
    this.ahead = null;
    this.frames = this.framesOf(lap, repeat, moved);
    this.exhausted = false;
    return new Promise((resolve) => {
      this.done = resolve;
      this.pump();
    });
  }

  rest(): Promise<void> {
    this.exhausted = true;
    return new Promise((resolve) => {
      this.done = resolve;
      if (this.inFlight.size === 0) resolve();
    });
  }

  setPace(paceMs: number): void {
    this.paceMs = paceMs;
    this.notBefore = 0;
    this.latencies.length = 0;
    this.pump();
  }

  async close(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.frames = null;
    this.socket?.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private *framesOf(lap: number, repeat: boolean, moved: number): Iterator<Frame> {
    let lived: number | null = null;
    for (let round = 0; round === 0 || (repeat && lived !== null); round++)
      for (const { run, moved: by, until } of moveRuns(this.runs, moved, lived)) {
        lived = until;
        this.options.onLived(until);
        for (const frame of run.frames) yield { ...moveFrame(frame, by), run: lapRun(run.run, lap, round) };
      }
  }

  private accept(socket: Socket): void {
    // The newest connection wins: the old one is a connector that died without a goodbye.
    this.socket?.destroy();
    this.socket = socket;
    socket.setNoDelay(true);
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.receive(line);
      this.pump();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.socket === socket) this.socket = null;
    });
    for (const { frame } of this.inFlight.values()) this.write(frame);
    this.pump();
  }

  private receive(line: string): void {
    if (line.trim() === '') return;
    const answer = readAnswer(line);
    if (answer === null) {
      // Not our protocol: close, so that the connector starts afresh and gets its frames again.
      this.socket?.destroy();
      this.socket = null;
      return;
    }
    const { ack, verdict } = answer;
    const waiting = this.inFlight.get(keyOf(ack.run, ack.index));
    if (waiting === undefined) return;
    this.inFlight.delete(keyOf(ack.run, ack.index));
    this.answered++;
    this.verdicts[verdict] = (this.verdicts[verdict] ?? 0) + 1;
    this.lastAnswer = answer;
    const latencyMs = this.options.clock() - waiting.firstSent;
    this.latencies.push(latencyMs);
    if (this.latencies.length > 2000) this.latencies.splice(0, 1000);
    this.options.onAnswer({
      ...answer,
      machine: this.name,
      asset: waiting.frame.asset,
      lap: this.lap,
      latencyMs,
    });
    if (this.exhausted && this.inFlight.size === 0) this.done();
  }

  private write(frame: Frame): void {
    this.socket?.write(`${JSON.stringify(frame)}\n`);
  }

  private pumpIn(ms: number): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.pump();
    }, ms);
  }

  private pump(): void {
    while (this.socket !== null && this.frames !== null && !this.exhausted && this.inFlight.size < MAX_IN_FLIGHT) {
      const now = this.options.clock();
      if (this.notBefore > now) {
        this.pumpIn(this.notBefore - now);
        return;
      }
      const frame: Frame | undefined = this.ahead ?? this.frames.next().value;
      if (frame === undefined) {
        this.exhausted = true;
        if (this.inFlight.size === 0) this.done();
        return;
      }
      const early = Date.parse(frame.sourceTime) - this.options.now();
      this.ahead = early > 0 ? frame : null;
      if (early > 0) {
        this.pumpIn(Math.min(early, LONGEST_WAIT_MS));
        return;
      }
      this.notBefore = now + this.paceMs;
      this.inFlight.set(keyOf(frame.run, frame.index), { frame, firstSent: now });
      this.sent++;
      this.write(frame);
    }
  }
}

/**
 * Serves machines, each on a free TCP port of 127.0.0.1: newline-delimited JSON, frames out, answers in. A machine keeps
 * at most 8 frames without an answer and sends those again after a reconnect; a frame is idempotent by asset, run, index.
 * @throws {Error} when a port cannot be opened.
 */
export const startMachines = async (lanes: readonly Lane[], options: MachinesOptions): Promise<Machines> => {
  let lived = options.livedUntil ?? null;
  const whole = {
    onAnswer: () => {},
    clock: () => performance.now(),
    now: () => Date.now(),
    livedUntil: null,
    ...options,
    onLived(until: number) {
      lived = Math.max(lived ?? until, until);
      options.onLived?.(lived);
    },
  };
  const moved = (runs: readonly (readonly LiveRun[])[] = lanes.map((l) => l.runs)): number => lapMoved(runs, lived);
  const machines = lanes.map((lane) => new Machine(lane, whole));
  await Promise.all(machines.map((m) => m.listen()));
  return {
    endpoints: machines.map((m) => ({ machine: m.name, host: '127.0.0.1', port: m.port })),
    async play(lap, { repeat = false, runs } = {}) {
      const by = moved(runs);
      await Promise.all(machines.map((m, i) => m.play(lap, repeat, by, runs?.[i])));
    },
    moved,
    async rest() {
      await Promise.all(machines.map((m) => m.rest()));
    },
    setPace(paceMs) {
      for (const m of machines) m.setPace(paceMs);
    },
    stats: () =>
      machines.map((m) => ({
        machine: m.name,
        port: m.port,
        connected: m.connected,
        sent: m.sent,
        answered: m.answered,
        verdicts: { ...m.verdicts },
        latencyP50Ms: m.latency(0.5),
        latencyP99Ms: m.latency(0.99),
        lastAnswer: m.lastAnswer,
      })),
    async close() {
      await Promise.all(machines.map((m) => m.close()));
    },
  };
};
