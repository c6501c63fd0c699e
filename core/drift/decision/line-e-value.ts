import type { Detector } from '../detector.ts';
import { ESr } from '../detectors/e-sr.ts';

/** Losses of one unit of an asset. */
export interface AssetLoss {
  readonly asset: string;
  readonly loss: number;
}

/**
 * e-detector of a model line: half of what all outcomes say together, and half of what each asset says alone, so that one
 * machine that changed is not hidden by many that did not. The j-th asset that appears weighs 1 / (2 j (j + 1)). The
 * weights add up to less than one and are fixed before the asset's first outcome, so the bound of {@link ESr} holds for
 * the whole, in outcomes of the line. A plain sum over assets would hold it too, but would grow with the fleet.
 */
export class LineEValue implements Detector<AssetLoss, LineEValue> {
  readonly #fresh: ESr;
  readonly #pooled: ESr;
  /** In order of first appearance. */
  readonly #assets: ReadonlyMap<string, ESr>;
  readonly value: number;

  private constructor(fresh: ESr, pooled: ESr, assets: ReadonlyMap<string, ESr>) {
    this.#fresh = fresh;
    this.#pooled = pooled;
    this.#assets = assets;
    let value = pooled.value / 2;
    let j = 0;
    for (const detector of assets.values()) {
      j += 1;
      value += detector.value / (2 * j * (j + 1));
    }
    this.value = value;
  }

  /** @param mean largest mean loss that is still as it should be, in (0, 1). @throws {RangeError} when it is not. */
  static start(mean: number): LineEValue {
    const fresh = ESr.start({ mean });
    return new LineEValue(fresh, fresh, new Map());
  }

  /** The asset with the most evidence of a larger loss; null before the first outcome. */
  get worstAsset(): string | null {
    let worst: readonly [string, number] | null = null;
    for (const [asset, { value }] of this.#assets) if (worst === null || value > worst[1]) worst = [asset, value];
    return worst?.[0] ?? null;
  }

  update({ asset, loss }: AssetLoss): LineEValue {
    const assets = new Map(this.#assets);
    assets.set(asset, (assets.get(asset) ?? this.#fresh).update(loss));
    return new LineEValue(this.#fresh, this.#pooled.update(loss), assets);
  }

  reset(): LineEValue {
    return new LineEValue(this.#fresh, this.#fresh, new Map());
  }

  toJSON(): unknown {
    return { pooled: this.#pooled.toJSON(), assets: [...this.#assets].map(([asset, d]) => [asset, d.toJSON()]) };
  }
}
