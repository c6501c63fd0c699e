import type { BaselineFeature, BaselineSpec } from '../../contracts/baseline.ts';
import type { DriftWindow, FeatureSketch, WindowKey } from '../../contracts/drift.ts';
import { compareText } from '../../text/compare.ts';
import { CellFinder } from './cell-finder.ts';
import { cellOf, layoutOf } from './cells.ts';
import { HELD, UNITS } from './feature-sketch.ts';
import { JointDistance } from './joint.ts';

/** A row that a model saw. */
export interface SketchRow {
  /** Of its decision: rises within a boot. */
  readonly sequence: number;
  readonly asset: string;
  readonly sourceTime: string;
  /** Features in the baseline's order, without those of the joint distribution; names for categories, null for nothing. */
  readonly x: ArrayLike<number | string | null>;
}

/** What is known of an asset's rows in this window. */
interface Before {
  readonly value: Float64Array;
  readonly z: Float64Array;
  /** Rows in a row with the same value, this one included. */
  readonly run: Uint32Array;
}

const NONE = Number.NaN;
/** Stands for a value that is missing or not finite: it equals itself and follows nothing. */
const NO_VALUE = Number.NEGATIVE_INFINITY;

/**
 * Counts the rows of one window on the cells of a baseline: whole numbers in typed arrays, changed in place, because it
 * runs on the device between two answers. It begins with nothing before it, so that what it says depends on its own rows
 * only.
 */
export class WindowSketch {
  readonly #features: readonly BaselineFeature[];
  readonly #width: number;
  readonly #joint: JointDistance | null;
  /** Cells of feature i are counted from #first[i] on. */
  readonly #first: Int32Array;
  readonly #counts: Uint32Array;
  readonly #finder: CellFinder;
  /** 1 where a value may have a cell that its place among the edges does not tell. */
  readonly #isSpecial: Uint8Array;
  readonly #center: Float64Array;
  readonly #perScale: Float64Array;
  readonly #z: Float64Array;
  readonly #zz: Float64Array;
  readonly #lag: Float64Array;
  readonly #lagged: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #longest: Uint32Array;
  readonly #changes: Uint32Array;
  readonly #before = new Map<string, Before>();
  #rows = 0;
  #start = 0;
  #end = 0;
  #from = '';
  #to = '';

  constructor(baseline: Pick<BaselineSpec, 'features' | 'joint'>) {
    const { features, joint } = baseline;
    const width = features.length;
    const numbers = (): Float64Array => new Float64Array(width);
    this.#features = features;
    this.#joint = joint === null ? null : new JointDistance(joint);
    this.#width = width;
    this.#first = new Int32Array(width + 1);
    for (const [i, { cells }] of features.entries())
      this.#first[i + 1] = (this.#first[i] as number) + layoutOf(cells).count;
    this.#counts = new Uint32Array(this.#first[width] as number);
    this.#finder = new CellFinder(features.map(({ cells }) => (cells.kind === 'numeric' ? cells.edges : [])));
    const ofNumeric = (of: (cells: Extract<BaselineFeature['cells'], { kind: 'numeric' }>) => number): Float64Array =>
      Float64Array.from(features, ({ cells }) => (cells.kind === 'numeric' ? of(cells) : NONE));
    this.#isSpecial = Uint8Array.from(features, ({ cells }) =>
      cells.kind === 'numeric' && cells.atoms.length === 0 && cells.range === null ? 0 : 1,
    );
    this.#center = ofNumeric((c) => c.center);
    this.#perScale = ofNumeric((c) => UNITS / c.scale);
    this.#z = numbers();
    this.#zz = numbers();
    this.#lag = numbers();
    this.#lagged = numbers();
    this.#min = numbers();
    this.#max = numbers();
    this.#longest = new Uint32Array(width);
    this.#changes = new Uint32Array(width);
    this.reset();
  }

  /** Rows counted so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Bytes of its numbers, those of the baseline's cells included. */
  get bytes(): number {
    const of = [this.#first, this.#counts, this.#center, this.#perScale, this.#isSpecial];
    const sums = [this.#z, this.#zz, this.#lag, this.#lagged, this.#min, this.#max, this.#longest, this.#changes];
    const before = [...this.#before.values()].flatMap((b) => [b.value, b.z, b.run]);
    return [...of, ...sums, ...before].reduce((sum, array) => sum + array.byteLength, this.#finder.bytes);
  }

  /** Starts anew. */
  reset(): void {
    for (const sums of [this.#counts, this.#longest, this.#changes]) sums.fill(0);
    for (const sums of [this.#z, this.#zz, this.#lag, this.#lagged]) sums.fill(0);
    this.#min.fill(Number.POSITIVE_INFINITY);
    this.#max.fill(Number.NEGATIVE_INFINITY);
    this.#before.clear();
    this.#rows = 0;
    this.#start = 0;
    this.#end = 0;
    this.#from = '';
    this.#to = '';
  }

  /** @throws {RangeError} when the row has not as many features as the baseline. */
  add({ sequence, asset, sourceTime, x }: SketchRow): void {
    const joint = this.#joint;
    const given = this.#width - (joint === null ? 0 : 2);
    if (x.length !== given)
      throw new RangeError(
        `a row of ${asset} has ${x.length} features, the baseline ${given}: give those of its feature set`,
      );
    this.#start = this.#rows === 0 ? sequence : Math.min(this.#start, sequence);
    this.#end = Math.max(this.#end, sequence);
    if (this.#rows === 0 || sourceTime < this.#from) this.#from = sourceTime;
    if (this.#rows === 0 || sourceTime > this.#to) this.#to = sourceTime;
    this.#rows += 1;
    const before = this.#beforeOf(asset);
    for (let i = 0; i < given; i++) this.#count(i, x[i] as number | string | null, before);
    if (joint === null) return;
    joint.measure(x);
    this.#count(given, joint.t, before);
    this.#count(given + 1, joint.q, before);
  }

  #beforeOf(asset: string): Before {
    let before = this.#before.get(asset);
    if (before === undefined) {
      const value = new Float64Array(this.#width).fill(NONE);
      before = { value, z: new Float64Array(this.#width).fill(NONE), run: new Uint32Array(this.#width) };
      this.#before.set(asset, before);
    }
    return before;
  }

  #count(i: number, given: number | string | null, before: Before): void {
    const perScale = this.#perScale[i] as number;
    // Only numbers have a scale: a category is counted by its cell, and varies when that does.
    if (Number.isNaN(perScale) || typeof given !== 'number' || !Number.isFinite(given)) {
      const { cells } = this.#features[i] as BaselineFeature;
      const cell = cellOf(cells, given);
      this.#hit(i, cell);
      before.z[i] = NONE;
      this.#follow(i, cells.kind === 'category' ? cell : NO_VALUE, before);
      return;
    }
    // Not −0, which has other bits and is the same number.
    const value = given + 0;
    this.#hit(i, this.#cell(i, value));
    const rounded = Math.round((value - (this.#center[i] as number)) * perScale);
    const z = rounded > HELD ? HELD : rounded < -HELD ? -HELD : rounded;
    this.#z[i] = (this.#z[i] as number) + z;
    this.#zz[i] = (this.#zz[i] as number) + z * z;
    const last = before.z[i] as number;
    if (!Number.isNaN(last)) {
      this.#lag[i] = (this.#lag[i] as number) + z * last;
      this.#lagged[i] = (this.#lagged[i] as number) + 1;
    }
    before.z[i] = z;
    if (value < (this.#min[i] as number)) this.#min[i] = value;
    if (value > (this.#max[i] as number)) this.#max[i] = value;
    this.#follow(i, value, before);
  }

  #hit(i: number, cell: number): void {
    const at = (this.#first[i] as number) + cell;
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  #cell(i: number, value: number): number {
    if (this.#isSpecial[i] === 1) return cellOf((this.#features[i] as BaselineFeature).cells, value);
    return this.#finder.find(i, value);
  }

  #follow(i: number, value: number, before: Before): void {
    const last = before.value[i] as number;
    const run = value === last ? (before.run[i] as number) + 1 : 1;
    if (run === 1 && !Number.isNaN(last)) this.#changes[i] = (this.#changes[i] as number) + 1;
    before.value[i] = value;
    before.run[i] = run;
    if (run > (this.#longest[i] as number)) this.#longest[i] = run;
  }

  /** What it says of each feature, in the baseline's order. */
  sketches(): FeatureSketch[] {
    return this.#features.map(({ name, cells }, i) => {
      const counts = Array.from(this.#counts.subarray(this.#first[i] as number, this.#first[i + 1] as number));
      const n = cells.kind === 'numeric' ? counts.slice(0, -2).reduce((a, b) => a + b, 0) : 0;
      return {
        name,
        counts,
        n,
        z: this.#z[i] as number,
        zz: this.#zz[i] as number,
        lag: this.#lag[i] as number,
        lagged: this.#lagged[i] as number,
        min: n === 0 ? null : (this.#min[i] as number),
        max: n === 0 ? null : (this.#max[i] as number),
        longest: this.#longest[i] as number,
        changes: this.#changes[i] as number,
      };
    });
  }

  /** The window so far; null without rows. */
  window(
    of: Pick<WindowKey, 'site' | 'device' | 'boot'> & Pick<DriftWindow, 'modelLine' | 'packageDigest' | 'context'>,
  ): DriftWindow | null {
    if (this.#rows === 0) return null;
    return {
      schema: 'drift-window/1',
      ...of,
      windowStart: this.#start,
      windowEnd: this.#end,
      rows: this.#rows,
      from: this.#from,
      to: this.#to,
      assets: [...this.#before.keys()].sort(compareText),
      features: this.sketches(),
    };
  }
}
