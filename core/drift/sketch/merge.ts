import type { DriftWindow, WindowKey } from '../../contracts/drift.ts';
import { canonicalJson } from '../../lineage/canonical-json.ts';
import { compareText } from '../../text/compare.ts';
import type { Sketch } from '../detector.ts';
import { addSketches } from './feature-sketch.ts';

/** What windows say together: as one window, with the names of those it is made of. */
export interface MergedWindow
  extends Pick<
    DriftWindow,
    'rows' | 'modelLine' | 'packageDigest' | 'context' | 'from' | 'to' | 'assets' | 'features'
  > {
  readonly windows: readonly WindowKey[];
}

/** One name has two contents: somebody else wrote one of them. */
export class WindowConflict extends Error {
  constructor(key: string) {
    super(
      `window ${key} came with two contents: a device sends a window again as it was; keep both and look who wrote them`,
    );
    this.name = 'WindowConflict';
  }
}

const keyOf = ({ site, device, boot, windowStart }: WindowKey): WindowKey => ({ site, device, boot, windowStart });
const nameOf = ({ site, device, boot, windowStart }: WindowKey): string =>
  `${site}/${device}/${boot}/${String(windowStart).padStart(16, '0')}`;

/** A set of whole windows by their names: whatever comes twice counts once, and in whatever order, it has the same bytes. */
export class WindowSet implements Sketch<DriftWindow, WindowSet> {
  readonly #windows: ReadonlyMap<string, DriftWindow>;

  private constructor(windows: ReadonlyMap<string, DriftWindow>) {
    this.#windows = windows;
  }

  /** @throws {WindowConflict} when two of one name say different things. */
  static of(windows: Iterable<DriftWindow>): WindowSet {
    const named = new Map<string, DriftWindow>();
    for (const window of windows) {
      const name = nameOf(window);
      const known = named.get(name);
      if (known === undefined) named.set(name, window);
      else if (known !== window && canonicalJson(known) !== canonicalJson(window)) throw new WindowConflict(name);
    }
    return new WindowSet(new Map([...named].sort(([a], [b]) => compareText(a, b))));
  }

  update(window: DriftWindow): WindowSet {
    return WindowSet.of([...this.#windows.values(), window]);
  }

  merge(other: WindowSet): WindowSet {
    return WindowSet.of([...this.#windows.values(), ...other.#windows.values()]);
  }

  reset(): WindowSet {
    return WindowSet.of([]);
  }

  /** The windows by their names. */
  toJSON(): readonly DriftWindow[] {
    return [...this.#windows.values()];
  }

  /**
   * What they say together.
   * @throws {RangeError} when there is none, they are of several model lines, packages or contexts, or on other cells.
   */
  total(): MergedWindow {
    const [first, ...others] = this.#windows.values();
    if (first === undefined) throw new RangeError('no window to merge: expected one at least');
    for (const what of ['modelLine', 'packageDigest', 'context'] as const)
      for (const other of others)
        if (other[what] !== first[what])
          throw new RangeError(`windows of ${what} ${first[what]} and ${other[what]} are not merged: group them first`);
    const all = [first, ...others];
    return {
      windows: all.map(keyOf),
      rows: all.reduce((sum, w) => sum + w.rows, 0),
      modelLine: first.modelLine,
      packageDigest: first.packageDigest,
      context: first.context,
      from: all.reduce((least, w) => (w.from < least ? w.from : least), first.from),
      to: all.reduce((most, w) => (w.to > most ? w.to : most), first.to),
      assets: [...new Set(all.flatMap((w) => w.assets))].sort(compareText),
      features: sumOf(all),
    };
  }
}

const sumOf = (windows: readonly DriftWindow[]): DriftWindow['features'] => {
  const [first, ...others] = windows.map((w) => w.features);
  return (first ?? []).map((sketch, i) =>
    others.reduce((sum, features) => {
      const more = features[i];
      if (more === undefined || features.length !== first?.length)
        throw new RangeError(
          `windows of ${first?.length} and of ${features.length} features are not merged: give windows of one baseline`,
        );
      return addSketches(sum, more);
    }, sketch),
  );
};
