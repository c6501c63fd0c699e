import type { PlantSignal } from '../../contracts/plant-model.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import { sameMeaning, unitOf } from '../../units/units.ts';
import type { FieldPath } from '../sections.ts';
import { resolveSignal } from '../signals-of.ts';
import type { Check } from './draft.ts';
import type { Mistake } from './signal.ts';

/** Features take values as they come, in the unit that the use case says: nothing converts on the way. */
const mismatches = (signal: PlantSignal, wanted: SignalDefinition): readonly Mistake[] => {
  const mistakes: Mistake[] = [];
  const say = (field: string, text: string): void => void mistakes.push({ path: [field], text });
  const numeric = signal.dataType === 'double' || signal.dataType === 'integer' || signal.dataType === 'boolean';
  if (wanted.kind === 'waveform' ? signal.dataType !== 'waveform' : !numeric)
    say('dataType', `it is a ${signal.dataType}, expected a ${wanted.kind}`);
  // Of a unit that is none, that is the mistake.
  if (unitOf(signal.unit) !== undefined && !sameMeaning(signal.unit, wanted.unit))
    say('unit', `it is "${signal.unit}", expected "${wanted.unit}"`);
  if (wanted.kind === 'waveform')
    for (const field of ['sampleRateHz', 'samples'] as const)
      if (signal[field] !== wanted[field]) say(field, `it is ${signal[field]}, expected ${wanted[field]}`);
  const normal = signal.engineeringRange;
  if (normal !== undefined && (normal[0] < wanted.range[0] || normal[1] > wanted.range[1]))
    say('engineeringRange', `${normal.join(' to ')} goes beyond ${wanted.range.join(' to ')}, outside of which is BAD`);
  return mistakes;
};

/** Assets of the class that a use case is for have its signals, as it expects them. */
export const useCases: Check = ({ plant, useCases: all, keys, whole, where }) =>
  plant.models.flatMap((model) =>
    all
      .filter((u) => u.assetClass === model.assetClass)
      .flatMap((useCase) =>
        useCase.signals.flatMap((wanted) => {
          const signal = model.signals.find((s) => s.name === wanted.name);
          const key = `${model.id}/${wanted.name}`;
          const by = `for use case "${useCase.id}"`;
          if (signal === undefined)
            return !whole || keys('model-signals').has(key)
              ? []
              : [
                  {
                    ...where('models', model.id, ['signals']),
                    message: `asset model "${model.id}" lacks the signal "${wanted.name}" ${by}: add it`,
                  },
                ];
          const problem = (name: string, { path, text }: Mistake) =>
            `signal "${name}": ${path.join('.')}: ${text} ${by}`;
          const ofModel = mismatches(signal, wanted);
          const own = plant.assets.filter((a) => a.model === model.id && a.signals.some((s) => s.name === signal.name));
          return [
            ...ofModel.map((m) => ({ ...where('model-signals', key, m.path), message: problem(key, m) })),
            ...own.flatMap((asset) => {
              const known = new Set(ofModel.map((m) => m.text));
              const name = `${asset.id}/${signal.name}`;
              const at = (path: FieldPath) => where('asset-signals', name, path);
              return mismatches(resolveSignal(signal, asset), wanted)
                .filter((m) => !known.has(m.text))
                .map((m) => ({ ...at(m.path), message: problem(name, m) }));
            }),
          ];
        }),
      ),
  );
