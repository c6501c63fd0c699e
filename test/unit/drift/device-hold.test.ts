import fc from 'fast-check';
import { adviceOf } from '#core/drift/device/advice.ts';
import { featureEvidence } from '#core/drift/device/feature-evidence.ts';
import { verifyFolds } from '#core/drift/replay/fold-chain.ts';
import { baselineOfRows } from '../../../bench/drift/baseline-of-rows.ts';
import { saysOf } from '../../../lambdas/drift-evaluator/tell.ts';
import {
  eventAt,
  JUDGING,
  judgeAll,
  kindsOf,
  normal,
  seenOf as of,
  ROWS,
  rowsOf,
  type Seen,
  times,
  windowsOf,
} from '../../support/drift-device.ts';
import { historyOf, SAME } from '../../support/drift-history.ts';

/** Values of the first feature spread more, about the same mean: no chart sees it. */
const spread = (n: number, seed: number, by: number): Seen[] =>
  of(n, seed).map(({ rows }) => ({ rows: rows.map(([x, ...others]) => [by * (x as number), ...others]) }));
/** Kinds without repetition. */
const turns = (kinds: readonly string[]): string[] => kinds.filter((k, i) => k !== kinds[i - 1]);

describe('a device that moves a little in every window', () => {
  it('is watched for good once all windows together are too much, although hardly one is alone', () => {
    const { evidence } = judgeAll(windowsOf(spread(80, 1, 1.35)));
    expect(evidence.filter((e) => e.state !== 'steady').length).toBeLessThan(10);
    const from = evidence.findIndex((e) => e.eValue >= e.threshold);
    expect(from).toBeGreaterThan(0);
    expect(new Set(kindsOf(evidence.slice(from)))).toEqual(new Set(['watch']));
    const alone = evidence.slice(from).find((e) => e.state === 'steady');
    expect(alone?.says[0]).toBe('this window alone is within what is tolerated, all together are not: flow');
    expect(adviceOf(alone as NonNullable<typeof alone>).next).toContain('look at');
    expect(featureEvidence(alone as NonNullable<typeof alone>, alone?.to ?? '', JUDGING)).toMatchObject({
      features: expect.arrayContaining(['flow']),
      slow: false,
    });
  });
  it('is steady again when windows are as in training for long enough, and not before', () => {
    const { evidence } = judgeAll(windowsOf([...spread(30, 1, 1.6), ...of(70, 4)]));
    const back = kindsOf(evidence).slice(30);
    expect(back[0]).not.toBe('steady');
    expect(turns(back).at(-1)).toBe('steady');
    const steady = kindsOf(evidence).indexOf('steady', 30);
    const left = steady - JUDGING.leaveAfter + 1;
    const NOT_YET = 'within what is tolerated again, but not for long enough';
    expect(evidence.slice(left, steady).map((e) => e.says[0])).toEqual(times(JUDGING.leaveAfter - 1, () => NOT_YET));
    expect(evidence[left - 1]?.says[0]).not.toBe(NOT_YET);
    expect([evidence[steady - 1]?.reached, evidence[steady]?.reached, evidence[steady]?.eValue]).toEqual([
      true,
      false,
      0,
    ]);
  });
});

describe('what is said of a device', () => {
  it.each([1, 2, 3])('does not go to and fro where windows do (seed %i)', (seed) => {
    const kinds = kindsOf(judgeAll(windowsOf(of(60, seed, (i) => (i % 2 === 0 ? [0, 0.7] : [])))).evidence);
    expect(turns(kinds).filter((k) => k === 'serious').length).toBeLessThanOrEqual(1);
    expect(turns(kinds.slice(4))).not.toContain('steady');
  });
  it.each([1, 2])('goes one way under slow wear (seed %i)', (seed) => {
    const worn = of(130, seed, (i) => [0, 0, Math.max(0, i - 20) * 0.01]);
    const kinds = kindsOf(judgeAll(windowsOf(worn)).evidence);
    expect(turns(kinds).filter((k) => k === 'serious').length).toBe(1);
    expect(kinds.at(-1)).toBe('serious');
    expect(turns(kinds.slice(kinds.lastIndexOf('steady') + 1)).at(0)).toMatch(/watch|ageing/);
  });
  it.each([1, 2, 3])('is over some windows after a single one that was far off (seed %i)', (seed) => {
    const { evidence } = judgeAll(windowsOf(of(60, seed, (i) => (i === 20 ? [0, 3] : []))));
    expect(evidence[20]?.kind).toBe('serious');
    expect(evidence[20]).toMatchObject({ slow: false, reached: true });
    expect(kindsOf(evidence.slice(40))).toEqual(times(20, () => 'steady'));
    const over = evidence.find((e, i) => i > 20 && e.reached === false);
    expect([over?.eValue, over?.kind]).toEqual([0, 'steady']);
  });
  it('is not steady while the e-value that the line reads is at its limit, whatever came', () => {
    const step = fc.record({
      windows: fc.integer({ min: 1, max: 8 }),
      shift: fc.constantFrom([], [3], [3, 3, -3, 3], [0.7], [0, 0.4], [0, 0, -0.6]),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), fc.nat({ max: 1000 }), (steps, seed) => {
        const shifts = steps.flatMap(({ windows, shift }) => times(windows, () => shift));
        const { evidence } = judgeAll(windowsOf(of(shifts.length, seed, (i) => shifts[i] as readonly number[])), {
          drift: { changeoverDays: 0.1 },
        });
        for (const e of evidence) if (e.eValue >= e.threshold) expect(e.kind).not.toBe('steady');
      }),
      { numRuns: 15 },
    );
  });
  it('is ageing of one feature as long as that goes on, and is news as often as the steps of it are', () => {
    const worn = of(110, 3, (i) => [0, Math.max(0, i - 20) * 0.008, Math.max(0, i - 20) * 0.01]);
    const { evidence } = judgeAll(windowsOf(worn));
    const ageing = evidence.filter((e) => e.kind === 'ageing');
    expect(turns(ageing.map((e) => e.ageing?.feature ?? ''))).toHaveLength(1);
    let said: string | null = null;
    const news = evidence.filter((e) => {
      const before = said;
      said = saysOf(e, before);
      return said !== before;
    });
    expect(ageing.length).toBeGreaterThan(10);
    // A step for each kind, for the limit of the e-value, and for one, two and three windows that are far off.
    expect(news.length).toBeLessThanOrEqual(turns(kindsOf(evidence)).length + 4);
  });
  it.each([1, 4])('rests where wear came to rest, and does not go to and fro (seed %i)', (seed) => {
    const worn = of(150, seed, (i) => [0, 0, Math.min(60, Math.max(0, i - 20)) * 0.006]);
    const { evidence } = judgeAll(windowsOf(worn));
    expect(turns(kindsOf(evidence)).filter((k) => k === 'ageing')).toHaveLength(1);
    expect(evidence.at(-1)?.kind).not.toBe('steady');
  });
  it('is no longer ageing some windows after what aged turned back', () => {
    const turned = of(140, 2, (i) => [0, 0, i < 60 ? Math.max(0, i - 20) * 0.01 : 0.4 - (i - 60) * 0.012]);
    const { evidence } = judgeAll(windowsOf(turned.slice(0, 120)));
    const last = evidence.findLast((e) => e.kind === 'ageing');
    expect(last?.sequence).toBeGreaterThan(60);
    expect(last?.ageing?.daysToLimit).toBeNull();
    expect(last?.says[0]).toBe('speed aged, and may go on: how fast is not sure');
    expect(turns(kindsOf(evidence)).filter((k) => k === 'ageing')).toHaveLength(1);
  });
  it('is steady where nothing changed: but for what the level of a window and the run length of the charts allow', () => {
    // References of one feature each: the limits are of the mean reference, one alone may be unlucky.
    const [references, each] = [5, 400];
    const kinds = times(references, (i) => {
      const next = normal(301 + i);
      const rows = (n: number) => times(n * ROWS, () => [next()]);
      const baseline = baselineOfRows(['flow'], { rows: rows(120), window: ROWS, cells: 10 });
      const { evidence } = judgeAll(
        windowsOf(
          times(each, () => ({ rows: rows(1) })),
          baseline,
        ),
        { baseline },
      );
      return evidence;
    });
    const all = kinds.flat();
    expect(all.filter((e) => e.state !== 'steady').length).toBeLessThan(JUDGING.alpha * all.length);
    const begun = kinds.flatMap((run) =>
      run.filter((e, i) => e.kind !== 'steady' && e.state === 'steady' && run[i - 1]?.kind === 'steady'),
    );
    expect(begun.length).toBeLessThanOrEqual(1);
    expect(kindsOf(all)).not.toContain('serious');
  });
  it('is far from training until it is surely back', () => {
    const { evidence } = judgeAll(windowsOf([...of(3, 1, () => [0, 2]), ...of(5, 2)]));
    expect(kindsOf(evidence)).toEqual([...times(7, () => 'serious'), 'watch']);
    expect(evidence[3]).toMatchObject({ state: 'steady', farOffWindows: 0 });
    expect(evidence[3]?.says[0]).toMatch(/^was far from the fixed reference, and is not surely back: /);
  });
});

describe('a machine that was repaired', () => {
  const drift = { muteDays: 0.25 };
  it('is judged anew: what was seen before is of the machine as it was', () => {
    const seen = windowsOf([...of(20, 1, () => [0, 1]), ...of(20, 2)]);
    const { evidence } = judgeAll(seen, { drift, events: [eventAt(20, 'repair')] });
    expect(kindsOf(evidence).slice(20)).toEqual([...times(6, () => 'muted'), ...times(14, () => 'steady')]);
    expect(evidence[26]?.eValue).toBeLessThan(2);
  });
  it('is found again where it was not mended', () => {
    const seen = windowsOf(of(30, 1, () => [0, 1]));
    const { evidence } = judgeAll(seen, { drift, events: [eventAt(20, 'repair')] });
    expect(kindsOf(evidence).slice(26)).not.toContain('steady');
  });
});

describe('a regime that comes back', () => {
  const LARGE = 5 * ROWS;
  const large = (n: number, seed: number, shift: readonly number[] = []): Seen[] => {
    const next = normal(seed);
    return times(n, () => ({ rows: rowsOf(next, LARGE, shift) }));
  };
  it('ends what was seen before only after some windows, and for good', () => {
    const other = [1.5, 1.5, 1.5, 1.5];
    const seen = [...large(3, 1), ...large(10, 2, other), ...large(4, 3, [1.5, 3, 1.5, 1.5]), ...large(8, 4)];
    const { evidence } = judgeAll(windowsOf(seen), { events: [eventAt(3, 'changeover')] });
    expect(kindsOf(evidence).slice(13)).toEqual([
      ...times(4 + JUDGING.leaveAfter - 1, () => 'serious'),
      ...times(8 - JUDGING.leaveAfter + 1, () => 'recurring'),
    ]);
  });
});

describe('evidence of other rules', () => {
  it('says so: it is no change of it', () => {
    const { chain, baseline, windows } = historyOf([SAME, SAME]);
    const older = chain.map((f) => ({ ...f, evidence: { ...f.evidence, foldVersion: undefined } }));
    expect(verifyFolds(older, baseline, windows)).toMatchObject({
      holds: false,
      says: expect.stringMatching(/judged by rules of version 1, these are version \d+: use a release of them/),
    });
  });
});
