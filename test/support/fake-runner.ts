import type { Runner } from '../../greengrass-components/runtime/runtime-deps.ts';

/** A model in no process of its own: a test says what it answers, and when it crashes. */
export abstract class FakeRunner implements Runner {
  readonly variant: 'fp32' | 'int8';
  closed = false;
  #crash: () => void = () => {};

  constructor(variant: 'fp32' | 'int8') {
    this.variant = variant;
  }

  abstract run(x: readonly number[]): Promise<number>;
  /** Milliseconds. */
  protected abstract p99(): number;

  async bench() {
    return { variant: this.variant, p50Ms: 0.1, p99Ms: this.p99(), residentMiB: 50, runs: 10 };
  }
  onCrash(then: () => void): void {
    this.#crash = then;
  }
  crash(): void {
    this.#crash();
  }
  close(): void {
    this.closed = true;
  }
}
