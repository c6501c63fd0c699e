import { connect, type Socket } from 'node:net';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { ConnectorMachine } from '#core/contracts/device.ts';
import { onLines } from '../shared/line-socket.ts';

export interface LinkDeps {
  /** Asks the runtime; the answer is durable when it comes. Rejects with name ContractError when the frame is none. */
  readonly decide: (frame: unknown) => Promise<DecisionRecord>;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void;
}

const RETRY_MS = [250, 500, 1000, 2000, 5000];

const place = (frame: unknown): { run: string; index: number } => {
  const { run, index } = (frame ?? {}) as { run?: unknown; index?: unknown };
  return { run: typeof run === 'string' ? run : '', index: Number.isInteger(index) ? (index as number) : 0 };
};

/**
 * The line to one machine: frames come, verdicts go. Nothing is kept here: what has no answer the machine sends again
 * after a reconnect, so a frame that the runtime did not take ends the connection.
 */
export class MachineLink {
  readonly #machine: ConnectorMachine;
  readonly #deps: LinkDeps;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #closed = false;

  constructor(machine: ConnectorMachine, deps: LinkDeps) {
    this.#machine = machine;
    this.#deps = deps;
  }

  open(): void {
    const { host, port, asset } = this.#machine;
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    this.#socket = socket;
    let why = 'the machine ended the connection';
    socket.on('connect', () => this.#deps.log('info', 'connected', { asset }));
    socket.on('error', (error) => {
      why = error.message;
    });
    socket.on('close', () => {
      if (this.#closed) return;
      const wait = RETRY_MS[Math.min(this.#failures, RETRY_MS.length - 1)] as number;
      if (this.#failures < RETRY_MS.length) this.#deps.log('warn', 'disconnected', { asset, why, retryMs: wait });
      this.#failures += 1;
      this.#timer = setTimeout(() => this.open(), wait);
    });
    onLines(socket, (line) => this.#take(socket, line));
  }

  async #take(socket: Socket, line: string): Promise<void> {
    let frame: unknown = null;
    try {
      frame = JSON.parse(line);
    } catch {
      socket.destroy(new Error('the machine sent a line that is no JSON'));
      return;
    }
    try {
      const d = await this.#deps.decide(frame);
      this.#failures = 0;
      this.#answer(socket, { ack: { run: d.run, index: d.index }, id: d.id, verdict: d.verdict, value: d.value });
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== 'ContractError') {
        socket.destroy(new Error(message));
        return;
      }
      // Sending it again would not make it better: the machine must go on.
      this.#deps.log('error', 'refused a frame', { asset: this.#machine.asset, error: message });
      this.#answer(socket, { ack: place(frame), id: '', verdict: 'refused', value: null });
    }
  }

  #answer(socket: Socket, body: object): void {
    if (socket.writable) socket.write(`${JSON.stringify(body)}\n`);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.destroy();
  }
}
