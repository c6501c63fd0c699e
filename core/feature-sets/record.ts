import { FeatureSetRecord, type FeatureSignal } from '../contracts/feature-store.ts';
import type { SignalDefinition, UseCase } from '../contracts/use-case.ts';
import { signalsNamed } from '../features/engine/feature.ts';
import { featureUnits } from '../features/engine/feature-units.ts';
import { FEATURES } from '../features/engine/registry.ts';
import { canonicalJson } from '../lineage/canonical-json.ts';
import { compareText } from '../text/compare.ts';

/** The signals that a feature set reads, by its definitions and by their parameters that name signals. */
export const signalsRead = ({
  featureSet,
  signals,
}: Pick<UseCase, 'featureSet' | 'signals'>): readonly FeatureSignal[] => {
  const read = new Set(
    featureSet.features.flatMap((definition) => {
      const feature = FEATURES[definition.feature];
      const named = feature === undefined ? [] : signalsNamed(feature, definition.params);
      return [definition.signal, ...named.flatMap(([, names]) => names)];
    }),
  );
  return signals
    .filter((s) => read.has(s.name))
    .map(({ quality: _quality, ...signal }: SignalDefinition): FeatureSignal => signal)
    .sort((a, b) => compareText(a.name, b.name));
};

/**
 * What the registry keeps of the feature set of a use case, one that this code can compute (`checkFeatureSet`).
 */
export const featureSetRecord = (useCase: Pick<UseCase, 'featureSet' | 'signals'>): FeatureSetRecord => {
  const signals = signalsRead(useCase);
  const units = featureUnits(useCase.featureSet, useCase.signals);
  return FeatureSetRecord.parse({
    schema: 'feature-set-record/1',
    featureSet: useCase.featureSet,
    signals,
    units: Object.fromEntries(useCase.featureSet.features.map(({ name }, i) => [name, units[i]])),
    retired: null,
  });
};

/**
 * Why a use case may not have a feature set that the registry knows; empty = it may.
 * - One that is retired is not used anew.
 * - With other definitions of its signals (range, unit, sampling) the same features are other numbers: they need another
 *   digest, and so another feature set.
 */
export const featureSetProblems = (
  known: FeatureSetRecord,
  useCase: Pick<UseCase, 'featureSet' | 'signals'>,
): readonly string[] => {
  const { id } = useCase.featureSet;
  const problems: string[] = [];
  if (known.retired !== null)
    problems.push(
      `feature set ${id} was retired by ${known.retired.by}: ${known.retired.reason}; define another one, with another id`,
    );
  const signals = signalsRead(useCase);
  for (const name of new Set([...known.signals, ...signals].map((s) => s.name))) {
    const before = known.signals.find((s) => s.name === name);
    const after = signals.find((s) => s.name === name);
    if (canonicalJson(before ?? null) !== canonicalJson(after ?? null))
      problems.push(
        `signal ${name} is defined otherwise than where feature set ${id} was published first (${canonicalJson(before ?? null)}, here ${canonicalJson(after ?? null)}): the same features would be other numbers; give the feature set another id`,
      );
  }
  return problems;
};
