import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { aFeatureSet } from './a-feature-set.ts';
import { aFrame, bad, good, SIGNALS } from './a-frame.ts';

/** What a feature says of some values of `level`, null where not good, `speed` beside them. */
const say = (
  feature: string,
  params: FeatureDefinition['params'],
  level: readonly (number | null)[],
  speed: readonly (number | null)[] = [],
): number | undefined => {
  const value = (v: number | null | undefined) => (v === null || v === undefined ? bad : good(v));
  const set = aFeatureSet({ feature, params, window: 8 });
  const window = compileFeatureSet(set, SIGNALS).open();
  const all = level.map((v, i) => window.push(aFrame(i + 1, { level: value(v), speed: value(speed[i]) })));
  const vector = all.at(-1);
  return vector?.ok ? vector.x[0] : undefined;
};

describe('time since an event', () => {
  it('counts frames from the last change', () => {
    expect(say('since-change', {}, [1, 1, 2, 2, 2])).toBe(2);
    expect(say('since-change', {}, [1, 2])).toBe(0);
  });

  it('is at least the age of the first good value when there was none', () => {
    expect(say('since-change', {}, [null, 4, 4, 4])).toBe(2);
    expect(say('since-crossing', { level: 3 }, [4, 4, 4])).toBe(2);
  });

  it('counts from the last rise to a level, whatever was not good between', () => {
    expect(say('since-crossing', { level: 3 }, [1, 3, 3, null, 2])).toBe(3);
    expect(say('since-crossing', { level: 3 }, [1, null, 3, 5])).toBe(1);
  });
});

describe('counters', () => {
  it('go on behind a reset', () => {
    expect(say('counter-increase', {}, [10, 12, 3, 5])).toBe(2 + 3 + 2);
  });

  it('go on behind a wrap', () => {
    expect(say('counter-increase', { wrap: 256 }, [250, 255, 4])).toBe(10);
  });

  it('lose nothing to values that are not good', () => {
    expect(say('counter-increase', {}, [10, null, null, 15])).toBe(5);
  });

  it('of crossings count both ways', () => {
    expect(say('crossings', { level: 0 }, [-1, 1, -1, null, 2, 0, 3])).toBe(3);
  });
});

describe('lags', () => {
  it('look at just one frame', () => {
    expect(say('lag', { frames: 2 }, [1, 2, 4, 8])).toBe(2);
    expect(say('lag', { frames: 2 }, [1, null, 4, 8])).toBeUndefined();
    expect(say('lag', { frames: 7 }, [1, 2])).toBeUndefined();
  });

  it('give a difference when both values are good', () => {
    expect(say('difference', { frames: 1 }, [1, 4, 9])).toBe(5);
    expect(say('difference', { frames: 1 }, [1, 4, null])).toBeUndefined();
    expect(say('difference', { frames: 1 }, [1, null, 9])).toBeUndefined();
  });
});

describe('the own baseline', () => {
  it('is the earlier part of the window', () => {
    expect(say('baseline-deviation', { recent: 2 }, [1, 3, 1, 3, 6, 8])).toBe(5);
  });

  it.each([
    ['does not change', [1, 1, 1, 6, 8]],
    ['is one value', [null, 1, null, 6, 8]],
    ['is followed by nothing', [1, 3, 1, null, null]],
  ])('says nothing when it %s', (_, values) => {
    expect(say('baseline-deviation', { recent: 2 }, values)).toBeUndefined();
  });
});

describe('two signals', () => {
  it('are correlated over the frames in which both are good', () => {
    expect(say('pearson', { with: 'speed' }, [1, 2, 3, null], [10, 20, 30, 7])).toBeCloseTo(1, 12);
    expect(say('pearson', { with: 'speed' }, [1, 2, 3], [30, 20, 10])).toBeCloseTo(-1, 12);
  });

  it.each([
    ['are too few', [1, 2], [3, 4]],
    ['do not change', [1, 2, 3], [4, 4, 4]],
  ])('are not when they %s', (_, level, speed) => {
    expect(say('pearson', { with: 'speed' }, level, speed)).toBeUndefined();
  });

  it('leave a residual from the line before', () => {
    expect(say('residual', { on: 'speed' }, [10, 20, 30, 45], [1, 2, 3, 4])).toBe(5);
  });

  it.each([
    ['the newest is not good', [10, 20, 30, null], [1, 2, 3, 4]],
    ['there are too few before it', [10, 20, 30], [1, 2, 3]],
    ['the load did not change', [10, 20, 30, 45], [2, 2, 2, 4]],
  ])('leave none when %s', (_, level, speed) => {
    expect(say('residual', { on: 'speed' }, level, speed)).toBeUndefined();
  });

  it('have a ratio of their sums, if there is something to divide by', () => {
    expect(say('ratio', { by: 'speed' }, [1, 2, null], [1, 5, 100])).toBe(0.5);
    expect(say('ratio', { by: 'speed' }, [1, 2], [0, 0])).toBeUndefined();
  });
});

describe('a deviation within the regime', () => {
  const params = { by: ['speed'], centres: [1000, 2000], scales: [100], means: [10, 50], stds: [2, 10] };

  it('is from the nearest centre, frame by frame', () => {
    expect(say('regime-deviation', params, [14], [1200])).toBe(2);
    expect(say('regime-deviation', params, [14, 60], [1200, 1900])).toBe(1.5);
    expect(say('regime-deviation', params, [14], [1500])).toBe(2);
  });

  it('leaves out frames without the operating signal', () => {
    expect(say('regime-deviation', params, [14, 60], [1200, null])).toBe(2);
  });
});

describe('the share of good values', () => {
  it('is of the declared window', () => {
    expect(say('good-share', {}, [1, null, 1, 1])).toBe(3 / 8);
  });
});

describe('the calendar', () => {
  const at = (feature: string, params: FeatureDefinition['params'], sourceTime: string) => {
    const vector = compileFeatureSet(aFeatureSet({ feature, params }), SIGNALS)
      .open()
      .push(aFrame(1, {}, { sourceTime }));
    return vector.ok ? vector.x[0] : undefined;
  };

  it('turns once a day from midnight', () => {
    const day = (time: string) => [
      at('calendar-cosine', { hours: 24 }, `2026-03-04T${time}:00.000Z`),
      at('calendar-sine', { hours: 24 }, `2026-03-04T${time}:00.000Z`),
    ];
    expect(day('00:00')).toEqual([1, expect.closeTo(0, 12)]);
    expect(day('06:00')).toEqual([expect.closeTo(0, 12), 1]);
    expect(day('12:00')).toEqual([-1, expect.closeTo(0, 12)]);
  });

  it('turns once a week from Monday', () => {
    expect(at('calendar-cosine', { hours: 168 }, '2026-03-02T00:00:00.000Z')).toBe(1);
    expect(at('calendar-cosine', { hours: 168 }, '2026-03-05T12:00:00.000Z')).toBe(-1);
  });

  it('goes by the clock of a zone', () => {
    expect(at('calendar-cosine', { hours: 24, offsetMinutes: 60 }, '2026-03-04T23:00:00.000Z')).toBe(1);
  });

  it('goes on before 1970', () => {
    expect(at('calendar-cosine', { hours: 24 }, '1969-06-01T12:00:00.000Z')).toBe(-1);
  });
});
