import type { DriftPolicy } from '../../../core/contracts/drift.ts';
import { judgeLine } from '../../../core/drift/decision/decision-machine.ts';
import type { FeatureEvidence } from '../../../core/drift/decision/feature-votes.ts';
import { bad, day, device, evidence, good, policy, retrain } from '../../support/line-evidence.ts';

const withDrift = (drift: DriftPolicy) => ({ policy: { ...policy, drift } });
const window = (kind: NonNullable<FeatureEvidence['kind']>, more: Partial<FeatureEvidence> = {}) =>
  device({ kind, since: day(1), assets: ['press-1'], ...more });

describe('a step of many inputs at once', () => {
  const features = [window('suspected-changeover')];
  it('asks the operator whether a machine was changed over, while outcomes hold', () => {
    const judged = judgeLine(evidence(good(30), { features }));
    expect(judged).toMatchObject({
      state: 'SUSPECTED_CHANGEOVER',
      features: [],
      action: { kind: 'ask-operator', requestId: null, count: 1 },
    });
    expect(judged.reasons.at(-1)).toMatch(/inputs of press-1 stepped at once since 2025-01-02: was it changed over\?/);
    expect(judged.reasons.at(-1)).toContain('unanswered for 3 days it is drift');
  });
  it('asks the operator of a package that is being verified, too', () => {
    const retrains = [
      { ...retrain(1, 'candidate', day(-1)), requestId: 'before', released: evidence([]).packageDigest },
    ];
    expect(judgeLine(evidence([], { retrains, features }))).toMatchObject({
      state: 'VERIFY',
      action: { kind: 'ask-operator' },
    });
  });
  it('is no reason to wait when outcomes confirm a larger loss', () => {
    expect(judgeLine(evidence(bad(20), { features }))).toMatchObject({
      state: 'RETRAIN_REQUESTED',
      action: { kind: 'retrain' },
    });
  });
});

describe('a context that training does not know', () => {
  it('is said, and is no drift', () => {
    const judged = judgeLine(evidence(good(4), { features: [window('new-context', { context: 'recipe-9' })] }));
    expect(judged).toMatchObject({ state: 'NEW_CONTEXT', features: [], action: null });
    expect(judged.reasons.at(-1)).toContain('recipe-9');
  });
  it('does not hide that other devices drift', () => {
    const features = [window('new-context'), device({ device: 'edge-2' })];
    expect(judgeLine(evidence(good(30), { features })).state).toBe('WATCH');
  });
});

describe('a regime that was accepted before', () => {
  it('is said, and nothing is asked for', () => {
    const judged = judgeLine(evidence(good(4), { features: [window('recurring')] }));
    expect(judged).toMatchObject({ state: 'RECURRING', action: null });
    expect(judged.reasons.at(-1)).toContain('as in a regime that was accepted before');
  });
});

describe('a window that was left out', () => {
  it.each(['muted', 'warm-up'] as const)('because it is %s says nothing of the line', (kind) => {
    expect(judgeLine(evidence(good(4), { features: [window(kind)] }))).toMatchObject({
      state: 'HEALTHY',
      action: null,
    });
  });
  it('because its data is bad holds the vote, also where nobody says why', () => {
    const judged = judgeLine(evidence(good(4), { features: [window('data-quality')] }));
    expect(judged).toMatchObject({ state: 'DATA_QUALITY_HOLD', features: [], action: null });
    expect(judged.reasons.at(-1)).toBe('the inputs of edge-1 have no vote: its data is not to be trusted');
  });
  it('because its data is bad is so whatever else it is', () => {
    const features = [window('suspected-changeover', { quality: 'speed is stuck' })];
    expect(judgeLine(evidence(good(4), { features })).state).toBe('DATA_QUALITY_HOLD');
  });
});

describe('an input that ages', () => {
  const ages = (daysToLimit: number | null, more: Partial<FeatureEvidence> = {}) =>
    window('ageing', { ageing: { feature: 'torque', perDay: 0.0213, daysToLimit }, ...more });
  it('plans a retrain before it reaches its limit', () => {
    const judged = judgeLine(evidence(good(30), { features: [ages(12.7)] }));
    expect(judged).toMatchObject({
      state: 'AGEING',
      features: ['torque'],
      action: { kind: 'plan', requestId: null, count: 12 },
    });
    expect(judged.reasons.at(-1)).toBe(
      'torque of press-1 ages since 2025-01-02 by 0.02 standard deviations a day; its limit is 12 days away: plan a retrain before',
    );
  });
  it('is only said while it is not sure how fast', () => {
    const judged = judgeLine(evidence(good(30), { features: [ages(null)] }));
    expect(judged).toMatchObject({ state: 'AGEING', action: null });
    expect(judged.reasons.at(-1)).toContain('is not sure yet');
  });
  it('is planned for by the device that reaches its limit first', () => {
    const features = [ages(null, { device: 'a' }), ages(40, { device: 'b' }), ages(9.9, { device: 'c' })];
    expect(judgeLine(evidence(good(30), { features })).action).toMatchObject({ kind: 'plan', count: 9 });
  });
  it('asks for a retrain when the limit is reached and outcomes do not hold', () => {
    const uneasy = [...good(17), 0.7, 0.7, 0.7];
    expect(judgeLine(evidence(uneasy, { features: [ages(0)] })).action).toMatchObject({ kind: 'retrain' });
    expect(judgeLine(evidence(uneasy, { features: [ages(1)] })).action).toBeNull();
    expect(judgeLine(evidence(good(30), { features: [ages(0)] }))).toMatchObject({
      state: 'AGEING',
      action: { kind: 'plan', count: 0 },
    });
  });
});

describe('a confirmed loss', () => {
  const costing = (retrain: number) => withDrift({ cost: { retrain, perLoss: 10, horizon: 100 } });
  it('asks for no retrain that costs more than the loss it saves, and says so', () => {
    const judged = judgeLine(evidence(bad(30), costing(600)));
    expect(judged).toMatchObject({ state: 'CONFIRMED', action: null, askedAt: null });
    expect(judged.reasons).toContain('a retrain costs 600 and would save 550: not worth it, so none is asked for');
  });
  it('asks for one that costs less', () => {
    const judged = judgeLine(evidence(bad(30), costing(500)));
    expect(judged).toMatchObject({ state: 'RETRAIN_REQUESTED', action: { kind: 'retrain' }, askedAt: day(19) });
    expect(judged.reasons).toContain('a retrain costs 500 and would save 550');
  });
  it('is worth what the one machine that changed loses, by its share of the outcomes', () => {
    const one = evidence(new Array<number>(90).fill(0.05).map((loss, i) => (i % 3 === 1 ? 0.3 : loss)));
    const judged = (retrain: number) => judgeLine({ ...one, ...costing(retrain) }).reasons;
    expect(judged(45)).toContain('a retrain costs 45 and would save 50');
    expect(judged(55).join()).toContain('not worth it');
  });
  it('does not ask by inputs alone either, where it is not worth it', () => {
    const uneasy = [...good(17), 0.7, 0.7, 0.7];
    const asked = (retrain: number) =>
      judgeLine(evidence(uneasy, { features: [device()], ...costing(retrain) })).action;
    expect(asked(500)).toMatchObject({ kind: 'retrain' });
    expect(asked(600)).toBeNull();
  });
  it('says since when, on the machine where it is worst', () => {
    const { reasons } = judgeLine(evidence([...new Array(9).fill(0), ...bad(20)]));
    expect(reasons).toContain('the loss is confirmed larger, since about 2025-01-10; most of all on press-0');
  });
});

describe('a change for which the policy declares a retrain', () => {
  const change = (knownDay: number) => ({
    eventId: 'e1',
    kind: 'tool-change',
    asset: 'press-1',
    validTime: day(knownDay - 1),
    knownTime: day(knownDay),
  });
  it('asks once enough outcomes are known since', () => {
    const judged = (n: number) => judgeLine(evidence(good(n), { changes: [change(10)] }));
    expect(judged(30)).toMatchObject({ state: 'HEALTHY', action: null });
    expect(judged(31)).toMatchObject({ action: { kind: 'retrain' }, askedAt: day(30) });
    expect(judged(31).reasons.at(-1)).toBe(
      'tool-change of press-1 on 2025-01-10, for which a retrain is declared: enough outcomes are known since',
    );
  });
  it('asks once, whatever came of it', () => {
    for (const outcome of ['refused', 'failed'] as const)
      expect(
        judgeLine(evidence(good(60), { changes: [change(10)], retrains: [retrain(1, outcome, day(30))] })),
      ).toMatchObject({ state: 'HEALTHY', action: null });
  });
  it('does not ask when a retrain was asked for since', () => {
    const other = { ...retrain(1, 'candidate', day(12)), requestId: 'of-another-champion' };
    expect(judgeLine(evidence(good(60), { changes: [change(10)], retrains: [other] })).action).toBeNull();
  });
  it('is one change however often it is reported', () => {
    const changes = [change(10), { ...change(10), knownTime: day(15) }];
    expect(judgeLine(evidence(good(60), { changes })).askedAt).toBe(day(35));
  });
});

describe('a shadow', () => {
  const shadow = withDrift({ mode: 'shadow' });
  it('asks for nothing, and says what it would have asked for', () => {
    const judged = judgeLine(evidence(bad(30), shadow));
    expect(judged).toMatchObject({
      state: 'CONFIRMED',
      action: null,
      wouldHave: { kind: 'retrain', count: 30 },
      askedAt: null,
    });
    expect(judged.reasons.at(-1)).toBe('in shadow: it would have asked for a retrain');
    expect(judged.path.map((p) => p.state)).not.toContain('RETRAIN_REQUESTED');
  });
  it.each([
    ['ask-labels', evidence(bad(10), shadow), 'asked for outcomes'],
    [
      'ask-operator',
      evidence(good(9), { ...shadow, features: [window('suspected-changeover')] }),
      'asked the operator',
    ],
    [
      'plan',
      evidence(good(9), {
        ...shadow,
        features: [window('ageing', { ageing: { feature: 'f', perDay: 1, daysToLimit: 3 } })],
      }),
      'planned a retrain',
    ],
  ] as const)('would have done "%s"', (kind, given, says) => {
    const judged = judgeLine(given);
    expect(judged).toMatchObject({ action: null, wouldHave: { kind } });
    expect(judged.reasons.at(-1)).toBe(`in shadow: it would have ${says}`);
  });
  it('says null where it would have done nothing, and one that acts says nothing of it', () => {
    expect(judgeLine(evidence(good(9), shadow)).wouldHave).toBeNull();
    expect(judgeLine(evidence(good(9)))).not.toHaveProperty('wouldHave');
  });
  it('knows the retrains that were asked for before', () => {
    const retrains = [retrain(1, 'running', day(19))];
    expect(judgeLine(evidence(bad(30), { ...shadow, retrains })).state).toBe('RETRAIN_REQUESTED');
  });
});

describe('a budget of alarms', () => {
  const shared = (lines: number) => ({ ...withDrift({ alertsPerMonth: 2 }), lines });
  it('raises the limit with the number of lines that share it, by how many outcomes there are in a month', () => {
    expect(judgeLine(evidence(good(100), shared(1))).threshold).toBe(1000);
    expect(judgeLine(evidence(good(100), shared(1000))).threshold).toBe(30_000);
    expect(judgeLine(evidence(good(10), shared(1000))).threshold).toBe(10_000);
    expect(judgeLine(evidence([], shared(5000))).threshold).toBe(5000);
    expect(judgeLine(evidence(good(100), withDrift({}))).threshold).toBe(1000);
  });
  it('takes more outcomes to confirm the same loss', () => {
    const confirmed = (lines: number) =>
      judgeLine(evidence(bad(60), shared(lines))).path.findIndex((p) => p.state === 'CONFIRMED');
    expect(confirmed(100_000)).toBeGreaterThan(confirmed(1));
  });
  it('never asks for a limit that cannot be reached', () => {
    expect(judgeLine(evidence(bad(60), shared(1e12))).threshold).toBe(1e10);
  });
  it('does not change what was said of outcomes before by those that come later', () => {
    const some = judgeLine(evidence(bad(15), shared(1000))).path;
    expect(judgeLine(evidence(bad(40), shared(1000))).path.slice(0, 15)).toEqual(some);
  });
});

describe('a weight of an outcome', () => {
  const weighed = (weight: number) =>
    evidence([], { outcomes: evidence(bad(20)).outcomes.map((o) => ({ ...o, weight })) });
  it('makes it count for less', () => {
    expect(judgeLine(weighed(0.2)).eValue).toBeLessThan(judgeLine(weighed(1)).eValue);
    expect(judgeLine(weighed(1)).eValue).toBe(judgeLine(evidence(bad(20))).eValue);
  });
  it('is in the mean loss', () => {
    const [seldom, often] = evidence([0.9, 0.1]).outcomes.map((o, i) => ({ ...o, weight: i === 0 ? 1 : 0.25 }));
    const { meanLoss } = judgeLine(evidence([], { outcomes: [seldom, often] as never }));
    expect(meanLoss).toBeCloseTo((0.9 + 0.25 * 0.1) / 1.25, 12);
  });
  it.each([0, -0.1, 1.1, Number.NaN])('of %d is refused', (weight) => {
    expect(() => judgeLine(weighed(weight))).toThrow(/expected a weight in \(0, 1\]/);
  });
  it('does not make a loss possible that is none', () => {
    const outcomes = [{ unit: 'a/b', asset: 'a', knownTime: day(0), loss: 1.4, weight: 0.1 }];
    expect(() => judgeLine(evidence([], { outcomes }))).toThrow(/expected an observation in \[0, 1\]/);
  });
});
