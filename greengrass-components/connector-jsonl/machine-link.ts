import { connect, type Socket } from 'node:net';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { ConnectorMachine } from '#core/contracts/device.ts';
import { onLines } from '../shared/line-socket.ts';

export interface LinkDeps {
  /** Asks the runtime; the answer is durable when it comes. Rejects with name ContractError when the frame is none. */
  readonly decide: (frame: unknown) => Promise<DecisionRecord>;
  /**
   * Takes values that come one by one; resolves when they are kept. Rejects with name ContractError when they never will
   * be. @param tell the decision about each frame that they completed.
   */
  readonly read: (reading: unknown, tell: (decision: DecisionRecord) => void) => Promise<void>;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, detail?: Record<string, unknown>) => void;
}

const RETRY_MS = [250, 500, 1000, 2000, 5000];

const place = (frame: unknown): { run: string; index: number } => {
  const { run, index } = (frame ?? {}) as { run?: unknown; index?: unknown };
  return { run: typeof run === 'string' ? run : '', index: Number.isInteger(index) ? (index as number) : 0 };
};

const isReading = (document: unknown): boolean => (document as { schema?: unknown } | null)?.schema === 'reading/1';

/** Which reading is meant, as it named itself. */
const nameOf = (reading: unknown): { session: unknown; n: unknown } => {
  const { session = '', n = 0 } = reading as { session?: unknown; n?: unknown };
  return { session, n };
};

/**
 * The line to one machine: frames, or values one by one, come; verdicts go. Nothing is kept here: what has no answer the machine sends again
 * after a reconnect, so what could not be taken ends the connection.
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
    let document: unknown = null;
    try {
      document = JSON.parse(line);
    } catch {
      socket.destroy(new Error('the machine sent a line that is no JSON'));
      return;
    }
    const verdictOf = (d: DecisionRecord) =>
      this.#answer(socket, { ack: { run: d.run, index: d.index }, id: d.id, verdict: d.verdict, value: d.value });
    try {
      if (isReading(document)) {
        await this.#deps.read(document, verdictOf);
        this.#answer(socket, { ack: nameOf(document) });
      } else verdictOf(await this.#deps.decide(document));
      this.#failures = 0;
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== 'ContractError') {
        socket.destroy(new Error(message));
        return;
      }
      // Sending it again would not make it better: the machine must go on.
      this.#deps.log('error', 'refused what the machine sent', { asset: this.#machine.asset, error: message });
      if (isReading(document)) this.#answer(socket, { ack: nameOf(document), refused: message });
      else this.#answer(socket, { ack: place(document), id: '', verdict: 'refused', value: null });
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
