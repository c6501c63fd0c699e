import type { AssetModel, PlantAsset } from '../../contracts/plant-model.ts';
import type { Problem, Where } from '../problem.ts';
import { resolveSignal } from '../signals-of.ts';
import type { Check, Draft } from './draft.ts';

/** One line a signal of an asset: where its address was written, at the asset or, by its model, with the asset. */
const ofAsset = (asset: PlantAsset, model: AssetModel, draft: Draft, taken: Map<string, string>): readonly Problem[] =>
  model.signals.flatMap((signal): readonly Problem[] => {
    const own = asset.signals.find((s) => s.name === signal.name);
    const { address, connection } = resolveSignal(signal, asset);
    const pattern = own?.address ?? signal.address;
    if (address === undefined || pattern === undefined) return [];
    const name = `${asset.id}/${signal.name}`;
    const where = (): Where =>
      own?.address === undefined ? draft.where('assets', asset.id) : draft.where('asset-signals', name, ['address']);
    const say = (text: string): readonly Problem[] => [{ ...where(), message: `signal "${name}": ${text}` }];
    // An asset whose model has addresses may not be connected yet; an address of its own is one of something.
    if (connection === undefined)
      return own?.address === undefined
        ? []
        : say(`it has the address "${address}" and no connection: name one at the signal or at its asset`);
    if (pattern.includes('{serial}') && asset.serial === undefined)
      return say(`its address "${pattern}" names the serial number: add "serial" to asset "${asset.id}"`);
    const place = `${connection} ${address}`;
    const before = taken.get(place);
    if (before !== undefined)
      return say(`"${address}" of connection "${connection}" is signal "${before}" already: mend one of the two`);
    taken.set(place, name);
    return [];
  });

/** A native address of a connection is one signal. */
export const addresses: Check = (draft) => {
  const models = new Map(draft.plant.models.map((m) => [m.id, m]));
  const taken = new Map<string, string>();
  return draft.plant.assets.flatMap((asset) => {
    const model = models.get(asset.model);
    return model === undefined ? [] : ofAsset(asset, model, draft, taken);
  });
};
