import { weighedLoss } from '../../outcomes/selection.ts';
import type { Detector } from '../detector.ts';
import { ESr } from '../detectors/e-sr.ts';

/** Losses of one unit of an asset. */
export interface AssetLoss {
  readonly asset: string;
  readonly loss: number;
  /** Share by which it counts, in (0, 1]; absent: 1. Of units that are seldom looked at, those that are count more. */
  readonly weight?: number;
}

/**
 * e-detector of a model line: half of what all outcomes say together, and half of what each asset says alone, so that one
 * machine that changed is not hidden by many that did not. The j-th asset that appears weighs 1 / (2 j (j + 1)). The
 * weights add up to less than one and are fixed before the asset's first outcome, so the bound of {@link ESr} holds for
 * the whole, in outcomes of the line. A plain sum over assets would hold it too, but would grow with the fleet.
 */
export class LineEValue implements Detector<AssetLoss, LineEValue> {
  readonly #mean: number;
  readonly #fresh: ESr;
  readonly #pooled: ESr;
  /** In order of first appearance. */
  readonly #assets: ReadonlyMap<string, ESr>;
  readonly value: number;

  private constructor(mean: number, fresh: ESr, pooled: ESr, assets: ReadonlyMap<string, ESr>) {
    this.#mean = mean;
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
    return new LineEValue(mean, fresh, fresh, new Map());
  }

  /** The asset with the most evidence of a larger loss; null before the first outcome. */
  get worstAsset(): string | null {
    let worst: readonly [string, number] | null = null;
    for (const [asset, { value }] of this.#assets) if (worst === null || value > worst[1]) worst = [asset, value];
    return worst?.[0] ?? null;
  }

  /** @throws {RangeError} when the loss is outside [0, 1], or the weight outside (0, 1]. */
  update({ asset, loss, weight = 1 }: AssetLoss): LineEValue {
    if (!(weight > 0 && weight <= 1)) throw new RangeError(`line e-value: expected a weight in (0, 1], got ${weight}`);
    const weighed = weight === 1 || !(loss >= 0 && loss <= 1) ? loss : weighedLoss(loss, weight, this.#mean);
    const assets = new Map(this.#assets);
    assets.set(asset, (assets.get(asset) ?? this.#fresh).update(weighed));
    return new LineEValue(this.#mean, this.#fresh, this.#pooled.update(weighed), assets);
  }

  reset(): LineEValue {
    return new LineEValue(this.#mean, this.#fresh, this.#fresh, new Map());
  }

  toJSON(): unknown {
    return { pooled: this.#pooled.toJSON(), assets: [...this.#assets].map(([asset, d]) => [asset, d.toJSON()]) };
  }
}
