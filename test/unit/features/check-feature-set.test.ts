import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import { checkFeatureSet } from '#core/features/engine/check-feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { featureUnits } from '#core/features/engine/feature-units.ts';
import { aFeatureSet } from './a-feature-set.ts';
import { aFrame, good, SIGNALS, wave } from './a-frame.ts';

const problemsOf = (over: Partial<FeatureDefinition>, signals = SIGNALS): readonly string[] =>
  checkFeatureSet(aFeatureSet({ name: 'it', feature: 'latest', ...over }), signals);

describe('a feature set', () => {
  it('is computable when features, signals and parameters are there and fit', () => {
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ feature: 'slope', params: { min: 3 } })).toEqual([]);
    expect(problemsOf({ feature: 'delta', params: { from: 'inlet' } })).toEqual([]);
  });

  it('is not with a feature that this code does not have, also one that any object has', () => {
    expect(problemsOf({ feature: 'cepstrum' })[0]).toMatch(
      /^feature it: "cepstrum" is not known here \(.*latest, mean/,
    );
    expect(problemsOf({ feature: 'constructor' })[0]).toContain('is not known here');
  });

  it('is not with a feature as another version of the code computes it', () => {
    expect(problemsOf({ version: 1 })).toEqual([]);
    expect(problemsOf({ version: 2 })[0]).toContain(
      'it is defined by version 2 of latest, this code computes version 1: say "version": 1 in its definition',
    );
  });

  it('is not with a signal that is not there, or is of the other kind', () => {
    expect(problemsOf({ signal: 'noise' })[0]).toContain('the signal "noise" is not there (level, inlet, speed');
    expect(problemsOf({ signal: 'wave' })[0]).toContain('latest works on a scalar, the signal wave is a waveform');
    expect(problemsOf({ signal: 'wave', feature: 'good-share' })[0]).toContain('good-share works on a scalar');
    expect(problemsOf({ feature: 'rms', version: 2 })[0]).toContain(
      'rms works on a waveform, the signal level is a scalar',
    );
  });

  it('is not with parameters that are missing, of a wrong type, of no scalar signal, or unknown', () => {
    expect(problemsOf({ feature: 'decayed-mean' })[0]).toContain('"decay" must be a number, it is absent');
    expect(problemsOf({ feature: 'slope', params: { min: '3' } })[0]).toContain('must be a number, it is "3"');
    for (const by of [1, 'wave', 'noise'])
      expect(problemsOf({ feature: 'ratio', params: { by } })[0]).toContain('the name of a scalar signal');
    expect(problemsOf({ params: { trim: 0.1 } })).toEqual(['feature it: latest has no parameter "trim"']);
  });

  it.each([
    ['decayed-mean', { decay: 0 }, '"decay" must be above 0 and at most 1, it is 0'],
    ['decayed-std', { decay: 1.5 }, '"decay" must be above 0 and at most 1, it is 1.5'],
    ['quantile', { q: 50 }, '"q" must be from 0 to 1, it is 50'],
    ['lag', { frames: 6 }, '"frames" must be a whole number from 1 to 5 (one less than its window), it is 6'],
    ['difference', { frames: 0.5 }, '"frames" must be a whole number from 1 to 5'],
    ['counter-increase', { wrap: 0 }, '"wrap" must be above 0, it is 0'],
    ['baseline-deviation', { recent: 5 }, '"recent" must be a whole number from 1 to 4 (two less than its window)'],
    [
      'calendar-sine',
      { hours: 0.5 },
      '"hours" must be a whole number from 1 (8 a shift, 24 a day, 168 a week), it is 0.5',
    ],
  ])('is not with %s %j', (feature, params, problem) => {
    expect(problemsOf({ feature, params: params as never, window: 6 })).toEqual([expect.stringContaining(problem)]);
  });

  it('is not with a residual over a window that has no line', () => {
    expect(problemsOf({ feature: 'residual', params: { on: 'speed' }, window: 3 })[0]).toContain(
      'its window must be at least 4 frames, it is 3',
    );
  });

  const regimes = { by: ['speed'], centres: [1, 2], scales: [1], means: [0, 1], stds: [1, 1] };
  it.each([
    [{ scales: [] }, '"scales" must be a list of numbers, it is []'],
    [{ by: ['wave'] }, '"by" must be a list of names of scalar signals, it is ["wave"]'],
    [{ scales: [0] }, '"scales" must be a number above 0 for each of the 1 signals of "by", they are [0]'],
    [{ stds: [1] }, '"stds" must be a number above 0 for each of the 2 regimes of "means", they are [1]'],
    [{ centres: [1] }, '"centres" must be 2 regimes × 1 signals of "by", regime by regime, they are 1 numbers'],
  ])('is not with regimes that do not fit, %j', (over, problem) => {
    const params = { ...regimes, ...over };
    expect(problemsOf({ feature: 'regime-deviation', params })).toEqual([expect.stringContaining(problem)]);
  });

  it('is not with a feature across signals that cannot be told in one unit', () => {
    expect(problemsOf({ feature: 'delta', params: { from: 'speed' } })).toEqual([
      'feature it: delta needs "from" in bar: speed is in 1/min, and there is no conversion',
    ]);
  });

  it('is with signals in one unit that nobody knows, and not with two of them', () => {
    const inUnits = (level: string, inlet: string) =>
      SIGNALS.map((s) => ({ ...s, unit: { level, inlet }[s.name] ?? s.unit }));
    const delta = { feature: 'delta', params: { from: 'inlet' } };
    expect(problemsOf(delta, inUnits('smoots', 'smoots'))).toEqual([]);
    expect(problemsOf(delta, inUnits('smoots', 'furlongs'))).toHaveLength(1);
  });
});

describe('units', () => {
  it('of another signal are converted to those of the feature', () => {
    const set = aFeatureSet({ feature: 'delta', params: { from: 'inlet' } }, { feature: 'latest', signal: 'inlet' });
    const vector = compileFeatureSet(set, SIGNALS)
      .open()
      .push(aFrame(1, { level: good(5), inlet: good(250) }));
    expect(vector).toMatchObject({ ok: true, x: [2.5, 250] });
  });

  it('of a shaft speed are converted to those that the feature counts with', () => {
    const set = aFeatureSet({
      feature: 'order-band',
      signal: 'wave',
      params: { order: 2, speed: 'speed' },
      version: 2,
    });
    const inUnit = (unit: string) => SIGNALS.map((s) => (s.name === 'speed' ? { ...s, unit } : s));
    const samples = wave(Array.from({ length: 256 }, (_, i) => Math.sin(i)));
    const at = (unit: string, speed: number) =>
      compileFeatureSet(set, inUnit(unit))
        .open()
        .push(aFrame(1, { wave: samples, speed: good(speed) }));
    expect(at('Hz', 25)).toEqual(at('1/min', 1500));
    expect(at('Hz', 1500)).not.toEqual(at('1/min', 1500));
    expect(checkFeatureSet(set, inUnit('m/s'))).toEqual([
      'feature f0: order-band needs "speed" in 1/min: speed is in m/s, and there is no conversion',
    ]);
  });

  it('of features follow from those of their signals', () => {
    const set = aFeatureSet(
      { feature: 'mean' },
      { feature: 'pearson', params: { with: 'speed' } },
      { feature: 'ratio', params: { by: 'speed' } },
      { feature: 'ratio', params: { by: 'level' } },
      { feature: 'ratio', params: { by: 'share' } },
      { feature: 'rms', version: 2, signal: 'wave' },
    );
    const share = { name: 'share', unit: '1', kind: 'scalar' as const, range: [0, 1] as [number, number] };
    expect(featureUnits(set, [...SIGNALS, share])).toEqual(['bar', '1', '(bar)/(1/min)', '1', 'bar', 'm/s2']);
  });
});
