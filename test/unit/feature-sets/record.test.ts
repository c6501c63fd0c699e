import type { UseCase } from '#core/contracts/use-case.ts';
import { diffFeatureSets } from '#core/feature-sets/diff.ts';
import { featureSetProblems, featureSetRecord, signalsRead } from '#core/feature-sets/record.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { SIGNALS } from '../features/a-frame.ts';
import { FEATURE_SET } from './a-run.ts';

const useCase: Pick<UseCase, 'featureSet' | 'signals'> = { featureSet: FEATURE_SET, signals: [...SIGNALS] };
const withFeature = (change: object): UseCase['featureSet'] => ({
  ...FEATURE_SET,
  features: FEATURE_SET.features.map((f, i) => (i === 0 ? { ...f, ...change } : f)),
});

describe('the record of a feature set', () => {
  it('has the unit of each feature and the signals that the set reads, without how they are checked', () => {
    const checked = SIGNALS.map((s) => ({ ...s, quality: { maxGapSeconds: 5 } }) as never);
    const record = featureSetRecord({ ...useCase, signals: checked });
    expect(record.units).toEqual({ level: 'bar', level_mean: 'bar' });
    expect(record.signals).toEqual([SIGNALS.find((s) => s.name === 'level')]);
    expect(record.retired).toBeNull();
  });

  it('reads the signals that parameters name, too', () => {
    const [name, feature] = Object.entries(FEATURES).find(
      ([, f]) => f.kind === 'waveform' && Object.values(f.params).includes('scalar-signal'),
    ) as [string, (typeof FEATURES)[string]];
    const params = Object.fromEntries(
      Object.entries(feature.params).map(([p, kind]) => [p, kind === 'scalar-signal' ? 'speed' : 1]),
    );
    const featureSet = withFeature({ feature: name, signal: 'wave', params });
    expect(signalsRead({ ...useCase, featureSet }).map((s) => s.name)).toEqual(['level', 'speed', 'wave']);
  });

  it('allows a use case that means the same', () => {
    expect(featureSetProblems(featureSetRecord(useCase), useCase)).toEqual([]);
  });

  it('refuses a use case whose signals would give other numbers under the same digest', () => {
    const signals = SIGNALS.map((s) => (s.name === 'level' ? { ...s, range: [0, 1] as [number, number] } : s));
    expect(featureSetProblems(featureSetRecord(useCase), { ...useCase, signals })).toEqual([
      expect.stringMatching(/^signal level is defined otherwise .* give the feature set another id$/),
    ]);
  });

  it('does not mind a signal that the set does not read', () => {
    const signals = SIGNALS.filter((s) => s.name !== 'speed');
    expect(featureSetProblems(featureSetRecord(useCase), { ...useCase, signals })).toEqual([]);
  });

  it('refuses one that is retired, with who and why', () => {
    const retired = { by: 'cli:ann', reason: 'sensor gone', at: '2026-01-01T00:00:00.000Z', breaks: [] };
    expect(featureSetProblems({ ...featureSetRecord(useCase), retired }, useCase)).toEqual([
      'feature set level was retired by cli:ann: sensor gone; define another one, with another id',
    ]);
  });
});

describe('what changes between two feature sets', () => {
  it.each([
    [{ window: 9 }, 'window', '1', '9'],
    [{ feature: 'mean' }, 'feature', '"latest"', '"mean"'],
    [{ signal: 'speed' }, 'signal', '"level"', '"speed"'],
    [{ version: 2 }, 'version', '1', '2'],
    [{ params: { decay: 0.5 } }, 'params.decay', 'null', '0.5'],
  ])('names the field: %j', (change, field, from, to) => {
    const other = withFeature(change);
    expect(diffFeatureSets(FEATURE_SET, other)).toEqual([{ kind: 'changed', name: 'level', field, from, to }]);
    expect(digestOf(other)).not.toBe(digestOf(FEATURE_SET));
  });

  it('is nothing for the same set, and for a version that is said and one that is meant', () => {
    expect(diffFeatureSets(FEATURE_SET, withFeature({ version: 1 }))).toEqual([]);
  });

  it('names what comes, goes and moves', () => {
    const [first, second] = FEATURE_SET.features as [
      (typeof FEATURE_SET.features)[0],
      (typeof FEATURE_SET.features)[0],
    ];
    const added = { ...first, name: 'third' };
    expect(diffFeatureSets(FEATURE_SET, { ...FEATURE_SET, features: [added, first] })).toEqual([
      { kind: 'added', name: 'third', definition: added },
      { kind: 'removed', name: 'level_mean', definition: second },
    ]);
    expect(diffFeatureSets(FEATURE_SET, { ...FEATURE_SET, features: [second, first] })).toEqual([
      { kind: 'moved', name: 'level_mean', from: 1, to: 0 },
      { kind: 'moved', name: 'level', from: 0, to: 1 },
    ]);
  });
});
