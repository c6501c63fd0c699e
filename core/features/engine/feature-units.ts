import type { FeatureDefinition, FeatureSet } from '../../contracts/feature-set.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import { convert, sameDimension } from '../../units/units.ts';
import type { Feature } from './feature.ts';
import { FEATURES } from './registry.ts';

/** Can values of one unit be told in another? Units that nobody knows are comparable with themselves. */
export const comparable = (a: string, b: string): boolean => a === b || sameDimension(a, b);

/** The function that tells a value of one unit in another, both comparable. */
export const convertedTo = (from: string, to: string): ((value: number) => number) =>
  from === to ? (value) => value : (value) => convert(value, from, to) ?? Number.NaN;

/** Unit in which the signals that a parameter names come; undefined: in their own. */
export const unitOfParam = (feature: Feature, param: string, own: SignalDefinition): string | undefined =>
  feature.sameUnit?.includes(param) ? own.unit : feature.paramUnits?.[param];

/**
 * UCUM unit of each number of a feature set, in its order.
 * @param signals of the use case; the set must be computable with them (`checkFeatureSet`).
 */
export const featureUnits = (set: FeatureSet, signals: readonly SignalDefinition[]): readonly string[] => {
  const units = new Map(signals.map((s) => [s.name, s.unit]));
  const unitOf = (name: string): string => units.get(name) ?? '1';
  return set.features.map((d: FeatureDefinition) =>
    (FEATURES[d.feature] as Feature).unit(unitOf(d.signal), d.params, unitOf),
  );
};
