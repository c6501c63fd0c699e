import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import { checkFeatureSet } from '#core/features/engine/check-feature-set.ts';
import { SIGNALS } from './a-frame.ts';

const problemsOf = (over: Partial<FeatureDefinition>): readonly string[] => {
  const feature = { name: 'it', feature: 'latest', signal: 'level', window: 1, params: {}, ...over };
  const set = { schema: 'feature-set/1' as const, id: 'test', owner: 'test', description: 'one feature' };
  return checkFeatureSet({ ...set, features: [feature] }, SIGNALS);
};

describe('a feature set', () => {
  it('is computable when features, signals and parameters are there and fit', () => {
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ feature: 'slope', params: { min: 3 } })).toEqual([]);
    expect(problemsOf({ feature: 'order-band', signal: 'wave', params: { order: 1, speed: 'speed' } })).toEqual([]);
  });

  it('is not with a feature that this code does not have, also one that any object has', () => {
    expect(problemsOf({ feature: 'cepstrum' })[0]).toContain('feature it: "cepstrum" is not known here (latest, mean');
    expect(problemsOf({ feature: 'constructor' })[0]).toContain('is not known here');
  });

  it('is not with a signal that is not there, or is of the other kind', () => {
    expect(problemsOf({ signal: 'noise' })[0]).toContain('the signal "noise" is not there (level, speed, wave)');
    expect(problemsOf({ signal: 'wave' })[0]).toContain('latest works on a scalar, the signal wave is a waveform');
  });

  it('is not with parameters that are missing, of a wrong type, of no scalar signal, or unknown', () => {
    expect(problemsOf({ feature: 'decayed-mean' })[0]).toContain('"decay" must be a number, it is absent');
    expect(problemsOf({ feature: 'slope', params: { min: '3' } })[0]).toContain('must be a number, it is "3"');
    const band = { feature: 'order-band', signal: 'wave' };
    for (const speed of [1, 'wave', 'noise'])
      expect(problemsOf({ ...band, params: { order: 1, speed } })[0]).toContain('the name of a scalar signal');
    expect(problemsOf({ params: { trim: 0.1 } })).toEqual(['feature it: latest has no parameter "trim"']);
  });
});
