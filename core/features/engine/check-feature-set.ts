import type { FeatureDefinition, FeatureSet } from '../../contracts/feature-set.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import { type Feature, type ParamKind, signalsNamed } from './feature.ts';
import { comparable, unitOfParam } from './feature-units.ts';
import { FEATURES } from './registry.ts';

type Signals = ReadonlyMap<string, SignalDefinition>;

const isSignal = (name: unknown, kind: SignalDefinition['kind'], signals: Signals): boolean =>
  typeof name === 'string' && signals.get(name)?.kind === kind;
const isListOf = (value: unknown, test: (entry: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(test);
const isNumber = (value: unknown): boolean => Number.isFinite(value);

const PARAMS: Readonly<Record<ParamKind, readonly [what: string, is: (value: unknown, signals: Signals) => boolean]>> =
  {
    number: ['a number', isNumber],
    'optional-number': ['a number', (v) => v === undefined || isNumber(v)],
    level: ['a number', isNumber],
    levels: ['a list of numbers', (v) => isListOf(v, isNumber)],
    numbers: ['a list of numbers', (v) => isListOf(v, isNumber)],
    'scalar-signal': ['the name of a scalar signal', (v, signals) => isSignal(v, 'scalar', signals)],
    'optional-scalar-signal': [
      'the name of a scalar signal',
      (v, signals) => v === undefined || isSignal(v, 'scalar', signals),
    ],
    'scalar-signals': [
      'a list of names of scalar signals',
      (v, signals) => isListOf(v, (name) => isSignal(name, 'scalar', signals)),
    ],
    'waveform-signal': ['the name of a waveform', (v, signals) => isSignal(v, 'waveform', signals)],
  };

const paramProblems = (definition: FeatureDefinition, feature: Feature, signals: Signals): readonly string[] => {
  const { params } = definition;
  const problems: string[] = [];
  for (const [name, kind] of Object.entries(feature.params)) {
    const [what, is] = PARAMS[kind];
    if (!is(params[name], signals))
      problems.push(`"${name}" must be ${what}, it is ${JSON.stringify(params[name]) ?? 'absent'}`);
  }
  // One that is not known here may change the number that was meant.
  for (const name of Object.keys(params))
    if (!Object.hasOwn(feature.params, name)) problems.push(`${feature.name} has no parameter "${name}"`);
  if (problems.length > 0) return problems;
  const refused = feature.refuse?.(params, definition.window);
  return refused === undefined ? [] : [refused];
};

const unitProblems = (
  definition: FeatureDefinition,
  feature: Feature,
  signal: SignalDefinition,
  signals: Signals,
): readonly string[] =>
  signalsNamed(feature, definition.params).flatMap(([param, names]) => {
    const expected = unitOfParam(feature, param, signal);
    if (expected === undefined) return [];
    return names.flatMap((name) => {
      const unit = signals.get(name)?.unit ?? expected;
      return comparable(unit, expected)
        ? []
        : [`${feature.name} needs "${param}" in ${expected}: ${name} is in ${unit}, and there is no conversion`];
    });
  });

/**
 * Can this code compute every feature of a set? Where it answers with nothing, `compileFeatureSet` does not throw for
 * the set, whatever the frames bring.
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
    const version = definition.version ?? 1;
    if (version !== feature.version)
      return [
        say(
          `it is defined by version ${version} of ${feature.name}, this code computes version ${feature.version}: say "version": ${feature.version} in its definition, publish and retrain, or run the code that has version ${version}`,
        ),
      ];
    const signal = byName.get(definition.signal);
    if (signal === undefined)
      return [say(`the signal "${definition.signal}" is not there (${[...byName.keys()].join(', ')})`)];
    const works = feature.kind === 'window' ? 'scalar' : feature.kind;
    if (works !== signal.kind)
      return [say(`${feature.name} works on a ${works}, the signal ${signal.name} is a ${signal.kind}`)];
    const problems = paramProblems(definition, feature, byName);
    return (problems.length > 0 ? problems : unitProblems(definition, feature, signal, byName)).map(say);
  });
};
