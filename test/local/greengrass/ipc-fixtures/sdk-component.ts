import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const CLIENT = join(process.cwd(), 'test/local/greengrass/ipc-fixtures/sdk-client.mjs');

export interface Line {
  readonly id?: number;
  readonly connected?: boolean;
  readonly disconnected?: boolean;
  readonly answer?: unknown;
  readonly event?: unknown;
  readonly error?: string;
  readonly service?: unknown;
}

/** A child process that talks IPC with the official SDK, driven line by line. */
export class SdkComponent {
  readonly child: ChildProcess;
  private readonly lines: Line[] = [];
  private readonly waiting = new Set<() => void>();
  private nextId = 1;

  constructor(socketPath: string, token: string) {
    this.child = spawn(process.execPath, [CLIENT], {
      env: {
        PATH: process.env.PATH,
        AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: socketPath,
        SVCUID: token,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      for (const wake of [...this.waiting]) wake();
    });
  }

  /** First line that satisfies `wanted` and was not taken yet. */
  async line(wanted: (line: Line) => boolean, timeoutMs = 15_000): Promise<Line> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const at = this.lines.findIndex(wanted);
      if (at >= 0) return this.lines.splice(at, 1)[0] as Line;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no such line; have ${JSON.stringify(this.lines)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.waiting.add(wake);
      });
    }
  }

  connected(): Promise<Line> {
    return this.line((l) => l.connected !== undefined);
  }

  /** Sends without waiting for the answer. */
  send(operation: string, request: object, subscribe = false): number {
    const id = this.nextId++;
    this.child.stdin?.write(`${JSON.stringify({ id, operation, request, subscribe })}\n`);
    return id;
  }

  call(operation: string, request: object, subscribe = false): Promise<Line & { id: number }> {
    const id = this.send(operation, request, subscribe);
    return this.line((l) => l.id === id && l.event === undefined) as Promise<Line & { id: number }>;
  }

  async event(id: number): Promise<unknown> {
    return (await this.line((l) => l.id === id && l.event !== undefined)).event;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }
}
