import type { Observation } from '#core/contracts/observation.ts';
import type { QualityRules } from '#core/contracts/quality.ts';
import { type Checked, makeMonitor, PASSES_TO_CLOSE, type Stretch } from '#core/quality/monitor.ts';
import { observation, T0 } from '../../support/observations.ts';

const run = (rules: QualityRules, values: readonly Observation[]) => {
  const monitor = makeMonitor(rules, 'Cel');
  const results: Checked[] = values.map((v) => monitor.take(v));
  const last = new Map<string, Stretch>();
  for (const f of [...results.flatMap((r) => r.findings), ...monitor.end()]) last.set(`${f.check} ${f.from}`, f);
  return { results, findings: [...last.values()], qualities: results.map((r) => r.quality), monitor };
};
/** One value a second. */
const each = (...values: readonly Observation['value'][]): readonly Observation[] =>
  values.map((v, i) => observation(i, v));
const at = (seconds: number): number => T0 + 1000 * seconds;

describe('range', () => {
  it('makes BAD what is outside, and keeps what is on the bound', () => {
    const { results, qualities } = run({ range: [0, 100] }, each(-0.5, 0, 100, 100.5));
    expect(qualities).toEqual(['BAD', 'GOOD', 'GOOD', 'BAD']);
    expect(results[3]?.reason).toBe('100.5 Cel is outside 0 … 100');
  });

  it('tells how far off the worst of a stretch was', () => {
    const { findings } = run({ range: [0, 100] }, each(101, 130, 102));
    expect(findings).toEqual([
      expect.objectContaining({ check: 'range', from: at(0), to: at(2), count: 3, worst: 30, open: true }),
    ]);
  });

  it('makes BAD a number that is not finite, and a text where a number is expected', () => {
    expect(run({ range: [0, 1] }, each(Number.NaN, Number.POSITIVE_INFINITY, 'on')).qualities).toEqual([
      'BAD',
      'BAD',
      'BAD',
    ]);
    expect(run({}, each(Number.NaN)).qualities).toEqual(['BAD']);
  });

  it('lets a text pass where the signal has no range, and takes true as one', () => {
    expect(run({}, each('recipe-7')).qualities).toEqual(['GOOD']);
    expect(run({ range: [0, 1] }, each(true, false)).qualities).toEqual(['GOOD', 'GOOD']);
  });

  it('says nothing of a value that came as BAD or is none', () => {
    const { findings, qualities } = run({ range: [0, 1] }, [
      observation(0, 99, { quality: 'BAD', reason: 'wire break' }),
      observation(1, null, { quality: 'UNCERTAIN' }),
      observation(2, null),
    ]);
    expect(findings).toEqual([]);
    expect(qualities).toEqual(['BAD', 'UNCERTAIN', 'BAD']);
  });
});

describe('rate', () => {
  it('doubts a spike twice, up and down, and a step once', () => {
    expect(run({ maxRate: 5 }, each(1, 50, 1, 1)).qualities).toEqual(['GOOD', 'UNCERTAIN', 'UNCERTAIN', 'GOOD']);
    expect(run({ maxRate: 5 }, each(1, 50, 50, 50)).qualities).toEqual(['GOOD', 'UNCERTAIN', 'GOOD', 'GOOD']);
  });

  it('measures in source time, also over a pause', () => {
    expect(run({ maxRate: 5 }, [observation(0, 1), observation(10, 50)]).qualities).toEqual(['GOOD', 'GOOD']);
  });

  it('says nothing where time does not go forward', () => {
    const { results } = run({ maxRate: 5 }, [observation(10, 1), observation(10, 90), observation(4, 1)]);
    expect(results.flatMap((r) => r.failed)).not.toContain('rate');
  });
});

describe('stuck', () => {
  it('doubts the same number from when it is there too long, and names the first as the beginning', () => {
    const { qualities, findings } = run({ stuckSeconds: 2 }, each(7, 5, 5, 5, 5, 5));
    expect(qualities).toEqual(['GOOD', 'GOOD', 'GOOD', 'GOOD', 'UNCERTAIN', 'UNCERTAIN']);
    expect(findings).toEqual([
      expect.objectContaining({ check: 'stuck', from: at(1), to: at(5), count: 5, worst: 4, open: true }),
    ]);
  });

  it('is not fooled by BAD values in between, nor by a clock that goes back', () => {
    const { results } = run({ stuckSeconds: 2 }, [
      observation(0, 5),
      observation(1, null, { quality: 'BAD' }),
      observation(2, 5),
      observation(-60, 5),
      observation(-59, 5),
    ]);
    expect(results.map((r) => r.failed.includes('stuck'))).toEqual([false, false, false, false, true]);
  });

  it('is over when the number moves again', () => {
    const values = each(5, 5, 5, 5, 1, 2, 3, 4, 5);
    expect(run({ stuckSeconds: 2 }, values).findings).toEqual([
      expect.objectContaining({ check: 'stuck', open: false, to: at(3) }),
    ]);
  });
});

describe('gap', () => {
  it('is silence for more than five intervals, where nothing else is said, and counts the values that miss', () => {
    const { findings } = run(
      { intervalSeconds: 1 },
      [0, 1, 6, 12].map((s) => observation(s, s)),
    );
    expect(findings).toEqual([
      { check: 'gap', from: at(6), to: at(12), open: false, count: 5, worst: 6, says: 'no value for 6 s' },
    ]);
  });

  it('leaves the value after it as good as it came, and takes a BAD value as a sign of life', () => {
    const { findings, qualities } = run({ gapSeconds: 5 }, [
      observation(0, 1),
      observation(4, null, { quality: 'BAD' }),
      observation(8, 1),
      observation(20, 1),
    ]);
    expect(findings.map((f) => f.from)).toEqual([at(8)]);
    expect(qualities.at(-1)).toBe('GOOD');
  });

  it('is said while it lasts, again when it is twice as long, and is over with the next value', () => {
    const { monitor } = run({ gapSeconds: 5 }, [observation(0, 1)]);
    expect(monitor.flush(at(5))).toEqual([]);
    expect(monitor.flush(at(6))).toEqual([
      expect.objectContaining({ check: 'gap', from: at(0), to: at(6), open: true }),
    ]);
    expect(monitor.flush(at(11))).toEqual([]);
    expect(monitor.flush(at(12))).toHaveLength(1);
    expect(monitor.take(observation(13, 1)).findings).toEqual([
      expect.objectContaining({ check: 'gap', from: at(0), to: at(13), open: false, worst: 13 }),
    ]);
  });

  it('that was said is over also when the values of that time come after all', () => {
    const { monitor } = run({ gapSeconds: 5 }, [observation(0, 1)]);
    monitor.flush(at(60));
    expect(monitor.take(observation(1, 1, { receivedTime: at(70) })).findings).toEqual([
      expect.objectContaining({
        from: at(0),
        to: at(1),
        open: false,
        says: 'nothing came for 70 s, then the values of that time',
      }),
    ]);
  });
});

describe('clock step', () => {
  it('back doubts the values until their time is passed again', () => {
    const { results, findings } = run(
      {},
      [0, 10, 20, 5, 15, 20, 30, 40, 50, 60, 70].map((s) => observation(s, s)),
    );
    expect(results.map((r) => r.failed.includes('clock-step'))).toEqual([
      ...[false, false, false, true, true],
      ...[false, false, false, false, false, false],
    ]);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'clock-step', from: at(5), to: at(15), count: 2, worst: 15, open: false }),
    );
  });

  it('back by no more than the lateness allowed is disorder', () => {
    expect(
      run(
        { latenessSeconds: 10 },
        [20, 11, 21].map((s) => observation(s, s)),
      ).qualities,
    ).toEqual(['GOOD', 'GOOD', 'GOOD']);
  });

  it('back that is never made up for is the new time after a day', () => {
    const day = 86_400;
    const { qualities } = run(
      {},
      [1000 * day, 0, day - 1, day, day + 1].map((s) => observation(s, s)),
    );
    expect(qualities).toEqual(['GOOD', 'UNCERTAIN', 'UNCERTAIN', 'GOOD', 'GOOD']);
  });

  it('forward is a time after that of receipt by more than the lateness, and moves nothing', () => {
    const { results } = run({ latenessSeconds: 5 }, [
      observation(0, 1),
      observation(500, 2, { receivedTime: at(1) }),
      observation(2, 3),
    ]);
    expect(results.map((r) => r.failed)).toEqual([[], ['clock-step'], []]);
  });

  it('forward by no more than ten seconds is how well clocks agree', () => {
    expect(run({ latenessSeconds: 0 }, [observation(10, 1, { receivedTime: at(0) })]).qualities).toEqual(['GOOD']);
  });

  it('is not for values that say they are historical', () => {
    const { results } = run({}, [
      observation(100, 1),
      observation(5, 2, { flags: ['historical'] }),
      observation(101, 3),
    ]);
    expect(results.flatMap((r) => r.failed)).toEqual([]);
  });
});

describe('unit', () => {
  it('makes BAD a value in another unit, also one that could be converted', () => {
    const { results } = run({}, [observation(0, 70, { unit: '[degF]' })]);
    expect(results[0]).toMatchObject({ quality: 'BAD', reason: 'sent in [degF], the signal is in Cel' });
  });
});

describe('duplicate time', () => {
  it('with another value is UNCERTAIN, with the same one a repetition that stays good', () => {
    const { results } = run({}, [observation(0, 1), observation(1, 2), observation(1, 2), observation(1, 3)]);
    expect(results.map((r) => [r.quality, r.isRepetition])).toEqual([
      ['GOOD', false],
      ['GOOD', false],
      ['GOOD', true],
      ['UNCERTAIN', false],
    ]);
  });
});

describe('a repetition', () => {
  it('may be of a number that is not finite, also after a restart', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0]) {
      const before = makeMonitor({}, 'Cel');
      before.take(observation(0, value));
      const after = makeMonitor({}, 'Cel', JSON.parse(JSON.stringify(before.state)));
      expect(after.take(observation(0, value)).isRepetition).toBe(true);
    }
  });
});

describe('late', () => {
  it('counts what is received too long after its time, or after its frame, and leaves it good', () => {
    const monitor = makeMonitor({ latenessSeconds: 5 }, 'Cel');
    expect(monitor.take(observation(0, 1, { receivedTime: at(5) })).failed).toEqual([]);
    expect(monitor.take(observation(1, 2, { receivedTime: at(7) }))).toMatchObject({
      failed: ['late'],
      quality: 'GOOD',
    });
    expect(monitor.take(observation(2, 3), true)).toMatchObject({ failed: ['late'], quality: 'GOOD' });
  });
});

describe('a stretch', () => {
  it('is over only after some values in a row that pass, so that what flickers is one', () => {
    const flicker = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 200 : i));
    const { findings } = run({ range: [0, 100] }, each(...flicker));
    expect(findings).toEqual([expect.objectContaining({ check: 'range', count: 20, open: false })]);
    const near = each(200, ...Array.from({ length: PASSES_TO_CLOSE - 1 }, (_, i) => i), 200);
    expect(run({ range: [0, 100] }, near).findings).toEqual([expect.objectContaining({ count: 2, open: true })]);
    const apart = each(
      200,
      ...Array(PASSES_TO_CLOSE)
        .fill(1)
        .map((v, i) => v + i),
      200,
    );
    expect(run({ range: [0, 100] }, apart).findings.filter((f) => f.check === 'range')).toHaveLength(2);
  });

  it('is said at its beginning and each time it has doubled, not with every value', () => {
    const { results } = run({ range: [0, 100] }, each(...Array.from({ length: 1000 }, (_, i) => 200 + i)));
    expect(results.flatMap((r) => r.findings)).toHaveLength(10);
  });
});
