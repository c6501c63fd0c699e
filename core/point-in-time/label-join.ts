import { makePointInTimeJoin, type PointInTimeJoin } from './join.ts';
import type { Label } from './labels.ts';
import { joinableRows, type RunRows, type TrainingRow, trainingRow } from './run-rows.ts';

/**
 * Joins labels to the rows of runs that are given one after the other, in any order. It keeps the labels and a row for
 * each place, whatever the number of rows; nothing known after `knownAt` enters.
 */
export class LabelJoin {
  readonly #labels: readonly Label[];
  readonly #knownAt: number;
  readonly #entities = new Map<string, number>();
  readonly #byRun: boolean;
  readonly #join: PointInTimeJoin;
  readonly #kept = new Map<number, Omit<TrainingRow, 'label' | 'labelTime'>>();
  #pushed = 0;

  /** @param labels as known at `knownAt` (`labelsKnownAt`). @param maxAge milliseconds. */
  constructor(labels: readonly Label[], knownAt: string, maxAge?: number) {
    this.#labels = labels;
    this.#knownAt = Date.parse(knownAt);
    this.#byRun = labels.some((l) => l.run !== undefined);
    const asOf = labels.map((l) => Math.min(Date.parse(l.as_of ?? l.time), this.#knownAt));
    this.#join = makePointInTimeJoin(
      {
        entity: Int32Array.from(labels, (l) => {
          const name = this.#nameOf(l.asset, l.run ?? '');
          const number = this.#entities.get(name) ?? this.#entities.size;
          this.#entities.set(name, number);
          return number;
        }),
        time: Float64Array.from(labels, (l) => Date.parse(l.time)),
        asOf: Float64Array.from(asOf),
      },
      maxAge,
    );
  }

  #nameOf(asset: string, run: string): string {
    return this.#byRun ? `${asset}/${run}` : asset;
  }

  /** Is there a label that a row of this run could be joined to? */
  wants(asset: string, run: string): boolean {
    return this.#entities.has(this.#nameOf(asset, run));
  }

  /** Takes all versions of the rows of a run. */
  take(run: RunRows): void {
    const entity = this.#entities.get(this.#nameOf(run.asset, run.run));
    if (entity === undefined) return;
    const rows = joinableRows(run, entity, this.#knownAt);
    for (const place of this.#join.push(rows)) {
      const at = rows.at[this.#join.rowAt(place) - this.#pushed] as number;
      this.#kept.set(place, trainingRow(run, at, '', 0));
    }
    this.#pushed += rows.at.length;
  }

  /** Labels with their rows, in the order of the labels; those without a row are left out. */
  rows(): readonly TrainingRow[] {
    const found = this.#join.result();
    return this.#labels.flatMap((label, i) => {
      const row = this.#kept.get(found[i] as number);
      return row === undefined ? [] : [{ ...row, labelTime: label.time, label: label.label }];
    });
  }
}
