import { styleText } from 'node:util';

export interface Screen {
  readonly isTTY: boolean;
  readonly colour: boolean;
  write(text: string): void;
}

export interface Told {
  readonly step: string;
  readonly seconds: number;
  readonly figure: string;
}

type Style = 'green' | 'red' | 'dim' | 'bold' | 'yellow';
const NAME = 26;
const FIGURE = 58;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Tells a pass: one line a step with what, the figure that matters, and how long; progress of long ones in between. */
export class Teller {
  readonly told: Told[] = [];
  private readonly screen: Screen;
  private readonly clock: () => number;
  private readonly quietMs: number;
  private lastProgress = 0;
  private pending = '';

  constructor(screen: Screen, clock: () => number = () => performance.now(), quietMs = 15_000) {
    this.screen = screen;
    this.clock = clock;
    this.quietMs = quietMs;
  }

  paint(style: Style, text: string): string {
    return this.screen.colour ? styleText(style, text, { validateStream: false }) : text;
  }

  line(text = ''): void {
    this.erase();
    this.screen.write(`${text}\n`);
  }

  /** Something short-lived about what goes on: replaced in a terminal, at most every 15 s a line elsewhere. */
  progress(text: string): void {
    if (this.screen.isTTY) {
      this.erase();
      this.pending = `  … ${text}`.slice(0, 100);
      this.screen.write(this.pending);
      return;
    }
    if (this.clock() - this.lastProgress < this.quietMs) return;
    this.lastProgress = this.clock();
    this.screen.write(`  … ${text}\n`);
  }

  /** A part of a step that took a while. */
  part(name: string, ms: number, figure = ''): void {
    this.line(this.paint('dim', `      ${name.padEnd(NAME - 4)} ${figure.padEnd(FIGURE)} ${seconds(ms).padStart(8)}`));
  }

  /** Something that happened within a step. */
  happened(name: string, what: string): void {
    this.line(this.paint('dim', `      ${name.padEnd(NAME - 4)} ${what}`));
  }

  /** Runs a step; `action` returns the figure that matters. A failure is marked and thrown on. */
  async step<T>(name: string, action: () => Promise<readonly [string, T]>): Promise<T> {
    const from = this.clock();
    this.lastProgress = from;
    if (this.screen.isTTY) this.progress(name);
    try {
      const [figure, value] = await action();
      const ms = this.clock() - from;
      this.told.push({ step: name, seconds: ms / 1000, figure });
      this.line(
        `  ${this.paint('green', '✓')} ${name.padEnd(NAME)} ${figure.padEnd(FIGURE)} ${this.paint('dim', seconds(ms).padStart(8))}`,
      );
      return value;
    } catch (error) {
      this.line(
        `  ${this.paint('red', '✗')} ${name.padEnd(NAME)} ${''.padEnd(FIGURE)} ${seconds(this.clock() - from).padStart(8)}`,
      );
      throw error;
    }
  }

  private erase(): void {
    if (this.pending === '') return;
    this.screen.write(`\r${' '.repeat(this.pending.length)}\r`);
    this.pending = '';
  }
}
