import { type ChildProcess, fork } from 'node:child_process';
import type { BenchResult } from '#core/contracts/device.ts';
import type { Variant } from '#core/contracts/model-package.ts';
import type { ModelPort } from '#core/inference/model-port.ts';

export type ChildRequest = { readonly id: number } & (
  | { readonly op: 'load'; readonly path: string }
  | { readonly op: 'run'; readonly x: readonly number[] }
  | { readonly op: 'bench'; readonly rows: readonly (readonly number[])[]; readonly count: number }
);

export interface ChildAnswer {
  readonly id: number;
  readonly value?: number;
  readonly bench?: Omit<BenchResult, 'variant'>;
  readonly error?: string;
}

interface Waiting {
  readonly resolve: (answer: ChildAnswer) => void;
  readonly reject: (error: Error) => void;
}

type Body<T> = T extends ChildRequest ? Omit<T, 'id'> : never;

/** A model loaded in a child process of its own. */
export class ModelRunner implements ModelPort {
  readonly variant: Variant['name'];
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  #gone = false;
  #onGone: () => void = () => {};

  private constructor(variant: Variant['name'], script: string) {
    this.variant = variant;
    this.#child = fork(script, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: ChildAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error !== undefined) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer);
    });
    const gone = () => {
      if (this.#gone) return;
      this.#gone = true;
      for (const w of this.#waiting.values()) w.reject(new Error('the process of the model ended'));
      this.#waiting.clear();
      this.#onGone();
    };
    this.#child.on('exit', gone);
    this.#child.on('error', gone);
  }

  /**
   * Starts a process and loads a model into it.
   * @param script built inference child.
   * @throws {Error} when the file is no model, or loading takes longer than 30 s.
   */
  static async load(script: string, variant: Variant['name'], path: string): Promise<ModelRunner> {
    const runner = new ModelRunner(variant, script);
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.race([
        runner.#ask({ op: 'load', path }),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error('the model did not load within 30 s')), 30_000);
        }),
      ]);
      return runner;
    } catch (error) {
      runner.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @param then called once when the process ends without having been closed. */
  onCrash(then: () => void): void {
    if (this.#gone) then();
    else this.#onGone = then;
  }

  #ask(body: Body<ChildRequest>): Promise<ChildAnswer> {
    if (this.#gone) return Promise.reject(new Error('the process of the model ended'));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, ...body }, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        reject(new Error('the process of the model ended'));
      });
    });
  }

  async run(x: readonly number[]): Promise<number> {
    return (await this.#ask({ op: 'run', x })).value ?? Number.NaN;
  }

  async bench(rows: readonly (readonly number[])[], count: number): Promise<BenchResult> {
    const { bench } = await this.#ask({ op: 'bench', rows, count });
    if (bench === undefined) throw new Error('the process of the model gave no measurement');
    return { variant: this.variant, ...bench };
  }

  close(): void {
    this.#onGone = () => {};
    this.#child.kill('SIGKILL');
  }
}
