import type { BaselineSpec } from '../../contracts/baseline.ts';
import { type SketchRow, WindowSketch } from './window-sketch.ts';

/** A window of one context that rows are still counted in. */
export interface OpenWindow {
  readonly context: string;
  readonly sketch: WindowSketch;
}

/**
 * The windows that a device counts rows in: one for each context that one of its assets is in, so that no window has rows
 * of two. A window that every asset has left is complete, however few rows it has.
 */
export class OpenWindows {
  readonly #baseline: BaselineSpec;
  readonly #open = new Map<string, WindowSketch>();
  readonly #contextOf = new Map<string, string>();

  constructor(baseline: BaselineSpec) {
    this.#baseline = baseline;
  }

  add({ context, ...row }: SketchRow & { readonly context: string }): void {
    this.#contextOf.set(row.asset, context);
    let sketch = this.#open.get(context);
    if (sketch === undefined) {
      sketch = new WindowSketch(this.#baseline);
      this.#open.set(context, sketch);
    }
    sketch.add(row);
  }

  /** Windows of so many rows at least, and those that no asset is in any more. */
  complete(rows: number): readonly OpenWindow[] {
    const present = new Set(this.#contextOf.values());
    return this.all().filter(({ context, sketch }) => sketch.rows >= rows || !present.has(context));
  }

  all(): readonly OpenWindow[] {
    return [...this.#open].map(([context, sketch]) => ({ context, sketch }));
  }

  /** Begins a window anew; one whose context nobody is in is forgotten. */
  begin({ context, sketch }: OpenWindow): void {
    if ([...this.#contextOf.values()].includes(context)) sketch.reset();
    else this.#open.delete(context);
  }
}
