import type { AssetModel, PlantAsset } from '../../contracts/plant-model.ts';
import { didYouMean } from '../../text/nearest.ts';
import { sameDimension, unitOf } from '../../units/units.ts';
import type { Problem } from '../problem.ts';
import type { FieldPath } from '../sections.ts';
import { resolveSignal } from '../signals-of.ts';
import { type Check, type Draft, dangling } from './draft.ts';
import { signalMistakes } from './signal.ts';

const ofModel = (model: AssetModel, { where, suggest }: Draft): readonly Problem[] =>
  model.signals.flatMap((signal) => {
    const key = `${model.id}/${signal.name}`;
    return signalMistakes(signal, suggest).map(({ path, text }) => ({
      ...where('model-signals', key, path),
      message: `signal "${key}": ${path.join('.')}: ${text}`,
    }));
  });

const ofAsset = (asset: PlantAsset, model: AssetModel, draft: Draft): readonly Problem[] =>
  asset.signals.flatMap((own) => {
    const key = `${asset.id}/${own.name}`;
    const say = (path: FieldPath, text: string): Problem => ({
      ...draft.where('asset-signals', key, path),
      message: `signal "${key}": ${text}`,
    });
    const signal = model.signals.find((s) => s.name === own.name);
    if (signal === undefined) {
      if (!draft.whole || draft.keys('model-signals').has(`${model.id}/${own.name}`)) return [];
      const names = model.signals.map((s) => s.name);
      const meant = draft.suggest.name(model.id, own.name, names);
      const help = didYouMean(meant, `it has ${names.join(', ')}`);
      return [say(['name'], `the model "${model.id}" has no signal of this name; ${help}`)];
    }
    const problems: Problem[] = [];
    const unit = own.unit;
    if (unit !== undefined && unitOf(unit) && unitOf(signal.unit) && !sameDimension(unit, signal.unit))
      problems.push(say(['unit'], `unit: "${unit}" measures something else than "${signal.unit}" of the model`));
    const connection = own.connection === undefined ? undefined : dangling(draft, 'connections', own.connection);
    if (connection !== undefined) problems.push(say(['connection'], connection));
    // What is wrong with the model's own is said there.
    const known = new Set(signalMistakes(signal, draft.suggest).map((m) => m.text));
    for (const { path, text } of signalMistakes(resolveSignal(signal, asset), draft.suggest))
      if (!known.has(text)) problems.push(say(path, `${path.join('.')}: ${text}`));
    return problems;
  });

/** Signals of models make sense, and those of assets are signals of their models. */
export const signals: Check = (draft) => {
  const models = new Map(draft.plant.models.map((m) => [m.id, m]));
  return [
    ...draft.plant.models.flatMap((model) => ofModel(model, draft)),
    ...draft.plant.assets.flatMap((asset) => {
      const model = models.get(asset.model);
      return model === undefined ? [] : ofAsset(asset, model, draft);
    }),
  ];
};
