import type { AssetModel, PlantAsset, PlantSignal } from '../contracts/plant-model.ts';
import { rec20Of } from '../units/units.ts';

/** A signal of one asset, with what its model says and what the asset says otherwise. */
export interface ResolvedSignal extends PlantSignal {
  readonly asset: string;
  readonly connection?: string | undefined;
}

/** A pattern of a native address with the names of the asset in it. */
const addressOf = (pattern: string, asset: PlantAsset): string =>
  pattern.replaceAll('{asset}', asset.id).replaceAll('{serial}', asset.serial ?? '');

/** One signal of a model as an asset of it has it. */
export const resolveSignal = (signal: PlantSignal, asset: PlantAsset, owner?: string): ResolvedSignal => {
  const own = asset.signals.find((s) => s.name === signal.name);
  const merged = { ...signal, ...own };
  // A unit of its own has a common code of its own.
  if (own?.unit !== undefined && own.rec20 === undefined) delete merged.rec20;
  const rec20 = merged.rec20 ?? rec20Of(merged.unit);
  const connection = own?.connection ?? asset.connection;
  return {
    ...merged,
    asset: asset.id,
    ...(rec20 === undefined ? {} : { rec20 }),
    ...(merged.owner === undefined && owner !== undefined ? { owner } : {}),
    ...(connection === undefined ? {} : { connection }),
    ...(merged.address === undefined ? {} : { address: addressOf(merged.address, asset) }),
  };
};

/** The signals of an asset, in the order of its model. */
export const signalsOf = (model: AssetModel, asset: PlantAsset): readonly ResolvedSignal[] =>
  model.signals.map((signal) => resolveSignal(signal, asset, model.owner));
