import type { FeatureDefinition, FeatureSet } from '../../contracts/feature-set.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import { compareText } from '../../text/compare.ts';
import { checkFeatureSet } from './check-feature-set.ts';
import { type Params, type ScalarFeature, signalsNamed, type WaveformFeature, type WindowFeature } from './feature.ts';
import { convertedTo, unitOfParam } from './feature-units.ts';
import { FIRST_OWN } from './history.ts';
import { FEATURES } from './registry.ts';

/** A column of values of a scalar signal, in the signal's own unit or another. */
export interface ScalarColumn {
  readonly signal: SignalDefinition;
  readonly convert: (value: number) => number;
}

/** A column of what a feature makes of each frame's waveform. */
export interface WaveformColumn {
  readonly feature: WaveformFeature;
  readonly signal: SignalDefinition;
  readonly params: Params;
  /** Columns of the scalar signals that its parameters name. */
  readonly scalars: ReadonlyMap<string, number>;
}

interface Output {
  /** Place in the vector. */
  readonly at: number;
  readonly params: Params;
}

/** Features that see the same good values of one signal. */
export interface ScalarTask {
  readonly kind: 'scalar';
  readonly column: number;
  readonly window: number;
  readonly outputs: (Output & { readonly feature: ScalarFeature })[];
}
export interface WaveformTask {
  readonly kind: 'waveform';
  readonly column: number;
  readonly window: number;
  readonly at: number;
}
export interface WindowTask extends Output {
  readonly kind: 'window';
  readonly column: number;
  readonly window: number;
  readonly feature: WindowFeature;
  /** Columns of the signals that each parameter names. */
  readonly named: ReadonlyMap<string, readonly number[]>;
}
export type Task = ScalarTask | WaveformTask | WindowTask;

/** What is to be done for each frame and each vector of a feature set: everything that can be looked up beforehand. */
export interface Plan {
  readonly names: readonly string[];
  /** Frames of the longest window. */
  readonly length: number;
  /** Frames of the longest window of a waveform feature; 0 without one. */
  readonly waveformLength: number;
  /**
   * Own columns of a history, from FIRST_OWN: of each scalar its values and how many of them, up to each, are good without
   * one between that is not; then those of waveforms.
   */
  readonly scalars: readonly ScalarColumn[];
  readonly waveforms: readonly WaveformColumn[];
  readonly tasks: readonly Task[];
  /** Whether a feature looks at source times. */
  readonly needsTime: boolean;
  readonly signals: ReadonlyMap<string, SignalDefinition>;
}

/** Frames a window must hold for a feature set. */
export const windowLength = (set: FeatureSet): number => Math.max(...set.features.map((f) => f.window));

/** @throws {Error} naming every problem when this code cannot compute the set (`checkFeatureSet`). */
export const planOf = (set: FeatureSet, signals: readonly SignalDefinition[]): Plan => {
  const problems = checkFeatureSet(set, signals);
  if (problems.length > 0)
    throw new Error(`the features of set ${set.id} cannot be computed here: ${problems.join('; ')}`);
  const byName = new Map(signals.map((s) => [s.name, s]));
  const scalars: ScalarColumn[] = [];
  const places = new Map<string, number>();
  const columnOf = (name: string, unit?: string): number => {
    const signal = byName.get(name) as SignalDefinition;
    const key = JSON.stringify([name, unit ?? signal.unit]);
    const known = places.get(key);
    if (known !== undefined) return known;
    const count = scalars.push({ signal, convert: convertedTo(signal.unit, unit ?? signal.unit) });
    const place = FIRST_OWN + 2 * (count - 1);
    places.set(key, place);
    return place;
  };
  const waveforms: WaveformColumn[] = [];
  const waveformPlaces = new Map<string, number>();
  const waveformPlace = (definition: FeatureDefinition, feature: WaveformFeature): number => {
    const key = JSON.stringify([definition.feature, definition.signal, definition.params]);
    const known = waveformPlaces.get(key);
    if (known !== undefined) return known;
    const signal = byName.get(definition.signal) as SignalDefinition;
    const { params } = definition;
    const scalars = signalsNamed(feature, params, 'scalar-signal').flatMap(([param, names]) => {
      const unit = unitOfParam(feature, param, signal);
      return names.map((name): [string, number] => [name, columnOf(name, unit)]);
    });
    waveformPlaces.set(key, waveforms.push({ feature, signal, params, scalars: new Map(scalars) }) - 1);
    return waveforms.length - 1;
  };
  // Signal by signal: what the features of one waveform have in common is computed once while it is at hand.
  for (const definition of [...set.features].sort((a, b) => compareText(a.signal, b.signal))) {
    const feature = FEATURES[definition.feature];
    if (feature?.kind === 'waveform') waveformPlace(definition, feature);
  }
  const tasks: Task[] = [];
  const shared = new Map<string, ScalarTask>();
  set.features.forEach((definition, at) => {
    const feature = FEATURES[definition.feature];
    const { window, params } = definition;
    if (feature?.kind === 'scalar') {
      const key = JSON.stringify([definition.signal, window]);
      let task = shared.get(key);
      if (task === undefined) {
        task = { kind: 'scalar', column: columnOf(definition.signal), window, outputs: [] };
        shared.set(key, task);
        tasks.push(task);
      }
      task.outputs.push({ at, params, feature });
    } else if (feature?.kind === 'waveform') {
      tasks.push({ kind: 'waveform', column: waveformPlace(definition, feature), window, at });
    } else if (feature !== undefined) {
      const own = byName.get(definition.signal) as SignalDefinition;
      const named = signalsNamed(feature, params, 'scalar-signal').map(
        ([param, names]): [string, readonly number[]] => {
          const unit = unitOfParam(feature, param, own);
          return [param, names.map((name) => columnOf(name, unit))];
        },
      );
      const column = columnOf(definition.signal);
      tasks.push({ kind: 'window', column, window, at, params, feature, named: new Map(named) });
    }
  });
  return {
    names: set.features.map((f) => f.name),
    length: windowLength(set),
    waveformLength: Math.max(0, ...tasks.map((t) => (t.kind === 'waveform' ? t.window : 0))),
    needsTime: tasks.some((t) => t.kind === 'window'),
    scalars,
    waveforms,
    // Waveform columns lie behind all scalar ones, whose number is known only here.
    tasks: tasks.map((t) => (t.kind === 'waveform' ? { ...t, column: FIRST_OWN + 2 * scalars.length + t.column } : t)),
    signals: byName,
  };
};
