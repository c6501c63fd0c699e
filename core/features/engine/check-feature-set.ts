import type { FeatureDefinition, FeatureSet } from '../../contracts/feature-set.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import type { Feature, ParamKind } from './feature.ts';
import { FEATURES } from './registry.ts';

type Signals = ReadonlyMap<string, SignalDefinition>;

const wrongParam = (kind: ParamKind, value: unknown, signals: Signals): string | null => {
  if (kind === 'optional-number' && value === undefined) return null;
  if (kind === 'scalar-signal')
    return typeof value === 'string' && signals.get(value)?.kind === 'scalar' ? null : 'the name of a scalar signal';
  return typeof value === 'number' ? null : 'a number';
};

const paramProblems = (definition: FeatureDefinition, feature: Feature, signals: Signals): readonly string[] => {
  const problems: string[] = [];
  for (const [name, kind] of Object.entries(feature.params)) {
    const expected = wrongParam(kind, definition.params[name], signals);
    if (expected !== null)
      problems.push(`"${name}" must be ${expected}, it is ${JSON.stringify(definition.params[name]) ?? 'absent'}`);
  }
  // One that is not known here may change the number that was meant.
  for (const name of Object.keys(definition.params))
    if (!Object.hasOwn(feature.params, name)) problems.push(`${feature.name} has no parameter "${name}"`);
  return problems;
};

/**
 * Can this code compute every feature of a set? Where it answers with nothing, `featureVector` does not throw for the
 * set, whatever the frames bring.
 * @param signals of the use case.
 * @returns what is wrong, one text a problem, each naming the feature; empty = all can be computed.
 */
export const checkFeatureSet = (set: FeatureSet, signals: readonly SignalDefinition[]): readonly string[] => {
  const byName: Signals = new Map(signals.map((s) => [s.name, s]));
  return set.features.flatMap((definition) => {
    const say = (problem: string): string => `feature ${definition.name}: ${problem}`;
    const feature = Object.hasOwn(FEATURES, definition.feature) ? FEATURES[definition.feature] : undefined;
    if (feature === undefined)
      return [say(`"${definition.feature}" is not known here (${Object.keys(FEATURES).join(', ')})`)];
    const signal = byName.get(definition.signal);
    if (signal === undefined)
      return [say(`the signal "${definition.signal}" is not there (${[...byName.keys()].join(', ')})`)];
    if (feature.kind !== signal.kind)
      return [say(`${feature.name} works on a ${feature.kind}, the signal ${signal.name} is a ${signal.kind}`)];
    return paramProblems(definition, feature, byName).map(say);
  });
};
