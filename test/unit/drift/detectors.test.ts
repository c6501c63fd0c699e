import { averageOf, stepECusum, stepShiryaevRoberts } from '#core/drift/bets.ts';
import type { AnyDetector } from '#core/drift/detector.ts';
import { adwinThreshold } from '#core/drift/detectors/adwin.ts';
import { AGEING_START, slopeOf, stepAgeing, timeToLimit } from '#core/drift/detectors/ageing-slope.ts';
import { ksEqualSamples } from '#core/drift/detectors/kswin.ts';
import { DETECTORS } from '#core/drift/detectors-registry.ts';
import { studentUpper } from '#core/drift/tolerance/normal.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

const start = (name: string, options: Readonly<Record<string, number>> = {}): AnyDetector =>
  (DETECTORS[name] as (typeof DETECTORS)[string]).start(options);

/** Indices of its alarms; it begins anew after each. */
const alarmsOf = (detector: AnyDetector, stream: readonly number[]): number[] => {
  let d = detector;
  return stream.flatMap((x, i) => {
    d = d.update(x);
    if (!d.inAlarm) return [];
    d = d.reset();
    return [i];
  });
};
const valuesOf = (detector: AnyDetector, stream: readonly number[]): number[] => {
  let d = detector;
  return stream.map((x) => {
    d = d.update(x);
    return d.value;
  });
};
const close = (value: number, expected: number): void =>
  expect(Math.abs(value / expected - 1)).toBeLessThanOrEqual(1e-12);

/** The streams of drift.md V8 and V9: every tenth an error, then every second; 0 and 1, then 4 to 7. */
const errors = Array.from({ length: 2000 }, (_, i) => Number(i < 1000 ? i % 10 === 0 : i % 2 === 0));
const numbers = Array.from({ length: 2000 }, (_, i) => (i < 1000 ? i % 2 : 4 + (i % 4)));

describe('the e-detectors, for a mean of 0.1 and one bet of λ = 2 (drift.md V11)', () => {
  const x = [0, 0, 1, 0, 1, 1];
  const path = (step: typeof stepECusum, from: number): number[] => {
    let states: readonly number[] = [from];
    return x.map((xi) => {
      states = step(states, xi, 0.1, [0.2]);
      return averageOf(states);
    });
  };
  it('e-SR is (S + 1)(1 + 2 (x − 0.1)) from 0 on', () => {
    const expected = [0.8, 1.44, 6.832, 6.2656, 20.34368, 59.762304];
    for (const [i, value] of path(stepShiryaevRoberts, 0).entries()) close(value, expected[i] as number);
  });
  it('e-CUSUM is max(S, 1)(1 + 2 (x − 0.1)) from 1 on', () => {
    const expected = [0.8, 0.8, 2.8, 2.24, 6.272, 17.5616];
    for (const [i, value] of path(stepECusum, 1).entries()) close(value, expected[i] as number);
  });
  it.each([
    ['e-sr', { mean: 0.1 }, 0.1],
    ['e-cusum', { mean: 0.1 }, 0.1],
    ['calibration', { low: 0.1, high: 0.1 }, 0.1],
  ])('%s alarms for nothing at most as often as it says, at the very bound', (name, options, rate) => {
    const random = seededRandom(12);
    const stream = Array.from({ length: 60_000 }, () => (random() < rate ? 1 : 0));
    const alarms = alarmsOf(start(name, { ...options, alarmAt: 200 }), stream);
    expect(alarms.length).toBeGreaterThan(0);
    expect(alarms.length).toBeLessThanOrEqual(60_000 / 200);
  });
  it('e-CUSUM is never above e-SR by more than its start', () => {
    const random = seededRandom(3);
    const stream = Array.from({ length: 3000 }, () => (random() < 0.12 ? 1 : 0));
    const [sr, cusum] = [valuesOf(start('e-sr'), stream), valuesOf(start('e-cusum'), stream)];
    for (const [i, value] of cusum.entries()) expect(value).toBeLessThanOrEqual((sr[i] as number) + 1);
  });
});

describe('ADWIN', () => {
  it('has the threshold of drift.md V8', () => {
    close(adwinThreshold(100, 100, { variance: 0.25, width: 200, delta: 0.002, least: 5 }), 0.41797114689454334);
    close(adwinThreshold(1000, 50, { variance: 0.09, width: 1050, delta: 0.002, least: 5 }), 0.3244595308512084);
  });
  it('alarms at 1023 on numbers and at 1119 on errors, as Frouros 0.9.0 does (drift.md V8)', () => {
    expect(alarmsOf(start('adwin'), numbers)).toEqual([1023]);
    expect(alarmsOf(start('adwin'), errors)).toEqual([1119]);
  });
  it('alarms at 1055 on errors when it tries every cut, as river 0.26.1 does', () => {
    expect(alarmsOf(start('adwin', { everyCut: 1 }), errors)).toEqual([1055]);
    expect(alarmsOf(start('adwin', { everyCut: 1 }), numbers)).toEqual([1023]);
  });
  it('takes a negative total, which Frouros 0.9.0 refuses', () => {
    expect(
      alarmsOf(
        start('adwin'),
        numbers.map((x) => -x),
      ),
    ).toEqual([1023]);
  });
});

describe('the classics, on the streams of drift.md V9', () => {
  it.each([
    ['ddm', {}, [1048]],
    ['eddm', {}, [290, 1182]],
    ['hddm-a', {}, [1020]],
    ['hddm-w', {}, [1066]],
    ['rddm', {}, [1028]],
    ['ecdd', {}, [1006]],
    ['stepd', {}, [1014]],
    ['page-hinkley', { fromExtreme: 0 }, [1160]],
    // Its CUSUM, with the mean so far and a threshold in the unit of the data.
    ['page-hinkley', { alpha: 1 }, [1134]],
  ])('%s %j alarms on errors where Frouros 0.9.0 does', (name, options, expected) => {
    expect(alarmsOf(start(name, options), errors)).toEqual(expected);
  });
  it.each([
    ['page-hinkley', {}, [1134]],
    ['ddm', {}, [1048]],
    ['hddm-a', { conservative: 1 }, [1022]],
    ['hddm-w', {}, [1066]],
  ])('%s %j alarms on errors where river 0.26.1 does', (name, options, expected) => {
    expect(alarmsOf(start(name, options), errors)).toEqual(expected);
  });
  it('Page–Hinkley alarms at 1010 on numbers, in both forms', () => {
    expect(alarmsOf(start('page-hinkley'), numbers)).toEqual([1010]);
    expect(alarmsOf(start('page-hinkley', { fromExtreme: 0 }), numbers)).toEqual([1010]);
    expect(alarmsOf(start('page-hinkley', { alpha: 1 }), numbers)).toEqual([1010]);
  });
  it('HDDM and Page–Hinkley find a fall when both sides are watched', () => {
    const fall = [...errors.slice(1000), ...errors.slice(0, 1000)];
    for (const name of ['hddm-a', 'hddm-w']) {
      expect(alarmsOf(start(name), fall)).toEqual([]);
      expect(alarmsOf(start(name, { twoSided: 1 }), fall)[0]).toBeGreaterThan(1000);
    }
    expect(alarmsOf(start('page-hinkley', { threshold: 10 }), fall)[0]).toBeGreaterThan(1000);
  });
  it('RDDM forgets a long concept, so that it finds what DDM is too old for', () => {
    const random = seededRandom(4);
    const stream = Array.from({ length: 24_000 }, (_, i) => (random() < (i < 20_000 ? 0.2 : 0.23) ? 1 : 0));
    const relearnt = { longest: 8000, stable: 2000, drift: 4, warning: 3.5 };
    const first = (alarms: readonly number[]) => alarms.find((at) => at >= 20_000) ?? 24_000;
    expect(first(alarmsOf(start('rddm', relearnt), stream))).toBeLessThan(
      first(alarmsOf(start('ddm', { drift: 4 }), stream)),
    );
  });
  it('RDDM alarms when it has warned for too long', () => {
    const o = { patience: 5, warning: 0.1, drift: 99 };
    expect(alarmsOf(start('rddm', o), errors).length).toBeGreaterThan(0);
    expect(alarmsOf(start('rddm', { ...o, patience: 1e6 }), errors)).toEqual([]);
  });
  it.each([
    ['ecdd', { arl0: 500 }, /expected arl0 to be 100, 400 or 1000, got 500/],
    ['rddm', { warning: 3, drift: 2 }, /expected warning to be below drift/],
    ['kswin', { newest: 60 }, /expected newest to be at most half of window/],
    ['calibration', { low: 0.6 }, /expected low to be at most high/],
  ])('%s refuses %j', (name, options, message) => {
    expect(() => start(name, options)).toThrow(message);
  });
});

describe('KSWIN', () => {
  it('has the exact p-value of scipy.stats.ks_2samp for two samples of 30', () => {
    // scipy 1.17.1: ks_2samp(range(30), [x + 11 for x in range(30)]), D = 11 / 30; and + 17.
    close(ksEqualSamples(11, 30), 0.034580084963334506);
    close(ksEqualSamples(17, 30), 8.737803591291227e-5);
    expect(ksEqualSamples(0, 30)).toBe(1);
  });
  it('finds the change of the numbers within its newest 30, and draws the same sample again', () => {
    const alarms = alarmsOf(start('kswin'), numbers);
    expect(alarms[0]).toBeGreaterThanOrEqual(1000);
    expect(alarms[0]).toBeLessThan(1030);
    expect(alarmsOf(start('kswin'), numbers)).toEqual(alarms);
  });
});

describe('calibration', () => {
  const random = seededRandom(8);
  const uniform = Array.from({ length: 20_000 }, () => random());
  it('is quiet while the mean is where it may be', () => {
    expect(alarmsOf(start('calibration', { alarmAt: 1000 }), uniform)).toEqual([]);
  });
  it('finds a mean that went up, and one that went down', () => {
    const up = uniform.slice(0, 500).map((x) => 0.5 + x / 2);
    expect(alarmsOf(start('calibration', { alarmAt: 1000 }), up)[0]).toBeLessThan(200);
    expect(
      alarmsOf(
        start('calibration', { alarmAt: 1000 }),
        up.map((x) => 1 - x),
      )[0],
    ).toBeLessThan(200);
  });
});

describe('CUSUM', () => {
  it('adds what is above or below the mean by more than k', () => {
    expect(valuesOf(start('cusum', { k: 0.5 }), [1, 1, -2, 0])).toEqual([0.5, 1, 1.5, 1]);
  });
  it('counts in standard deviations from the mean', () => {
    expect(valuesOf(start('cusum', { k: 0.5, mean: 100, sd: 10 }), [110, 110])).toEqual([0.5, 1]);
  });
});

describe('the ageing slope', () => {
  const through = (points: readonly (readonly [number, number])[]) =>
    slopeOf(points.reduce((s, [t, x]) => stepAgeing(s, t, x), AGEING_START));
  it('is least squares, its error that of independent residuals when they turn sign each time', () => {
    // numpy 2.4.6: polyfit([0, 1, 2, 4, 7], [1, 0, 2.5, 1.5, 4], 1), residual variance over n − 2.
    const slope = through([
      [0, 1],
      [1, 0],
      [2, 2.5],
      [4, 1.5],
      [7, 4],
    ]);
    close(slope?.perUnit ?? 0, 0.44805194805194815);
    close(slope?.error ?? 0, 0.18366409900949288);
    close(slope?.level ?? 0, 3.681818181818183);
  });
  it('does not depend on where time and value begin', () => {
    const random = seededRandom(6);
    const points = Array.from({ length: 50 }, (_, i) => [i, 0.1 * i + random()] as const);
    const here = through(points);
    const there = through(points.map(([t, x]) => [t + 20_000, x - 300]));
    expect(there?.perUnit).toBeCloseTo(here?.perUnit ?? 0, 9);
    expect(there?.error).toBeCloseTo(here?.error ?? 0, 9);
  });
  it('has a wider error where residuals are alike', () => {
    const wave = (period: number) =>
      through(Array.from({ length: 200 }, (_, i) => [i, Math.sin((2 * Math.PI * i) / period)] as const))?.error ?? 0;
    expect(wave(40)).toBeGreaterThan(3 * wave(2.2));
  });
  it('says when the limit is reached, on either side', () => {
    const slope = { perUnit: 0.1, level: 0.5 };
    expect(timeToLimit(slope, 1)).toBeCloseTo(5, 12);
    expect(timeToLimit({ ...slope, perUnit: -0.1 }, 1)).toBeCloseTo(15, 12);
    expect(timeToLimit({ ...slope, level: -1.5 }, 1)).toBe(0);
    expect(timeToLimit({ ...slope, perUnit: 0 }, 1)).toBeNull();
  });
  it('seldom takes few observations that are alike for a way', () => {
    const random = seededRandom(9);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const passed = (alike: number, count: number): number => {
      let times = 0;
      for (let trial = 0; trial < 2000; trial++) {
        let x = normal();
        const slope = through(
          Array.from({ length: count }, (_, t) => {
            x = alike * x + Math.sqrt(1 - alike ** 2) * normal();
            return [t, x] as const;
          }),
        );
        if (slope === null || slope.freedom < 1) continue;
        if (Math.abs(slope.perUnit) > studentUpper(0.025, slope.freedom) * slope.error) times += 1;
      }
      return times / 2000;
    };
    // The level is 5 %. Least squares with n − 2 degrees of freedom passes in 4, 10 and 17 of 100.
    expect(passed(0, 30)).toBeLessThan(0.06);
    expect(passed(0.5, 30)).toBeLessThan(0.08);
    expect(passed(0.8, 30)).toBeLessThan(0.1);
  });
  it('is surely the line itself where nothing deviates from it', () => {
    const slope = through(Array.from({ length: 20 }, (_, t) => [t, 0.1 * t + 0.3] as const));
    expect(slope).toEqual({ perUnit: expect.closeTo(0.1, 9), error: 0, freedom: 18, level: expect.closeTo(2.2, 9) });
  });
  it('has an error without end where residuals are so much alike that nothing is known', () => {
    const bow = through(Array.from({ length: 20 }, (_, t) => [t, (t - 9.5) ** 2 + t] as const));
    expect(bow).toMatchObject({ error: Number.POSITIVE_INFINITY, freedom: 0 });
  });
  it('is not known from four observations, or from many at one time', () => {
    expect(through(Array.from({ length: 4 }, (_, t) => [t, t] as const))).toBeNull();
    expect(through(Array.from({ length: 5 }, () => [3, 1] as const))).toBeNull();
  });
  it('finds wear of 0.05 standard deviations a step, and nothing in noise that is alike', () => {
    const random = seededRandom(7);
    let x = 0;
    const noise = Array.from({ length: 2000 }, () => {
      x = 0.5 * x + (random() - 0.5) * 3;
      return x;
    });
    expect(alarmsOf(start('ageing-slope'), noise)).toEqual([]);
    expect(
      alarmsOf(
        start('ageing-slope'),
        noise.map((v, i) => v + 0.05 * i),
      )[0],
    ).toBeLessThan(150);
  });
});
