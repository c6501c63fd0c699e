import fc from 'fast-check';
import {
  judgeLine,
  type OutcomeEvidence,
  type RetrainEvidence,
} from '../../../core/drift/decision/decision-machine.ts';
import {
  bad,
  day,
  device,
  evidence,
  good,
  outcomes,
  PACKAGE,
  policy,
  request,
  retrain,
} from '../../support/line-evidence.ts';

describe('a model line', () => {
  it('is healthy before anything is known', () => {
    expect(judgeLine(evidence([]))).toMatchObject({
      state: 'HEALTHY',
      eValue: 0,
      outcomes: 0,
      meanLoss: null,
      worstAsset: null,
      action: null,
      reasons: ['no outcome is known yet of what this package decided'],
    });
  });
  it('is healthy while outcomes are as good as expected', () => {
    expect(judgeLine(evidence(good(200)))).toMatchObject({ state: 'HEALTHY', action: null, outcomes: 200 });
  });
  it('is watched, then confirmed, then asks to be trained again, in this order', () => {
    const { path } = judgeLine(evidence([...good(8), ...bad(14)]));
    expect([...new Set(path.map((p) => p.state))]).toEqual(['HEALTHY', 'WATCH', 'CONFIRMED', 'RETRAIN_REQUESTED']);
  });
  it('asks for a retrain once it is confirmed and has enough outcomes', () => {
    const asked = judgeLine(evidence([...good(12), ...bad(8)]));
    expect(asked).toMatchObject({
      state: 'RETRAIN_REQUESTED',
      action: { kind: 'retrain', requestId: request(1), count: 20 },
      askedAt: day(19),
    });
  });
  it('asks for outcomes while it has too few of them', () => {
    expect(judgeLine(evidence(bad(10)))).toMatchObject({
      state: 'CONFIRMED',
      action: { kind: 'ask-labels', requestId: null, count: 10 },
    });
  });
  it('stays watched until enough outcomes in a row are calm', () => {
    const watchedThen = (calm: number) =>
      judgeLine(evidence([...good(5), 0.7, 0.7, 0.7, ...new Array(calm).fill(0)])).path;
    const { state } = watchedThen(0).at(-1) as { state: string };
    expect(state).toBe('WATCH');
    const path = watchedThen(20);
    const calmFrom = path.findLastIndex((p) => p.eValue >= Math.sqrt(1000)) + 1;
    expect(path[calmFrom + policy.leaveAfter - 2]?.state).toBe('WATCH');
    expect(path[calmFrom + policy.leaveAfter - 1]?.state).toBe('HEALTHY');
  });
  it('stays confirmed below the threshold, and leaves only after calm outcomes', () => {
    const { path } = judgeLine(
      evidence([...bad(9), ...new Array(120).fill(0)], { policy: { ...policy, minOutcomes: 500 } }),
    );
    const below = path.findIndex((p, i) => i > 9 && p.eValue < 1000);
    expect(path[below]?.state).toBe('CONFIRMED');
    expect(path.at(-1)?.state).toBe('HEALTHY');
  });
  it('names the asset that is worst', () => {
    const mixed = outcomes(good(30)).map((o) => (o.asset === 'press-1' ? { ...o, loss: 0.8 } : o));
    expect(judgeLine(evidence([], { outcomes: mixed })).worstAsset).toBe('press-1');
  });
  it('is not judged by a bound outside what a loss can be', () => {
    expect(judgeLine(evidence(bad(30), { expectedLoss: 1.4 })).state).toBe('HEALTHY');
    expect(judgeLine(evidence(bad(3), { expectedLoss: 0 })).state).toBe('CONFIRMED');
  });
  it('refuses a loss that is not bounded', () => {
    expect(() => judgeLine(evidence([1.5]))).toThrow(/expected an observation in \[0, 1\]/);
  });
});

describe('a retrain that the machine asked for', () => {
  const losses = [...bad(40)];
  it.each(['running', 'candidate'] as const)('is asked for once while it is %s', (outcome) => {
    const judged = judgeLine(evidence(losses, { retrains: [retrain(1, outcome, day(19))] }));
    expect(judged).toMatchObject({ state: 'RETRAIN_REQUESTED', action: null });
  });
  it.each(['refused', 'failed', 'skipped', 'not-released'] as const)(
    'is followed by a rest when it was %s',
    (outcome) => {
      const judged = judgeLine(evidence(bad(24), { retrains: [retrain(1, outcome, day(19))] }));
      expect(judged).toMatchObject({ state: 'COOLDOWN', action: null });
      expect(judged.reasons.at(-1)).toContain(`was ${outcome}: no other before ${day(26)}`);
    },
  );
  it('is asked for again when the rest is over and the loss is as large', () => {
    const judged = judgeLine(evidence(losses, { retrains: [retrain(1, 'refused', day(19))] }));
    expect(judged).toMatchObject({ action: { kind: 'retrain', requestId: request(2) }, askedAt: day(26) });
  });
  it('is followed by twice the rest when it was in vain twice', () => {
    const retrains = [retrain(1, 'refused', day(19)), retrain(2, 'failed', day(26))];
    expect(judgeLine(evidence(bad(40), { retrains })).state).toBe('COOLDOWN');
    expect(judgeLine(evidence(bad(41), { retrains })).action).toMatchObject({ requestId: request(3) });
  });
  it('is not asked for beyond the budget, whoever the champions were', () => {
    const retrains = [1, 2, 3].map((n) => ({ ...retrain(n, 'candidate', day(n)), requestId: `drift-other-${n}` }));
    const judged = judgeLine(evidence(losses, { retrains }));
    expect(judged).toMatchObject({ state: 'CONFIRMED', action: null });
    expect(judged.reasons.at(-1)).toContain('a person must decide');
  });
  it('is asked for when the budget is a matter of the past', () => {
    const retrains = [1, 2, 3].map((n) => ({
      ...retrain(n, 'candidate', day(n - 120)),
      requestId: `drift-other-${n}`,
    }));
    expect(judgeLine(evidence(losses, { retrains })).action).toMatchObject({ kind: 'retrain' });
  });
  it('is a fact although the outcomes that asked for it were corrected', () => {
    const judged = judgeLine(evidence(good(20), { retrains: [retrain(1, 'running', day(19))] }));
    expect(judged).toMatchObject({ state: 'RETRAIN_REQUESTED', action: null });
  });
  it('keeps the end that came for it over its beginning, in any order', () => {
    const [began, ended] = [retrain(1, 'running', day(19)), retrain(1, 'refused', day(19))];
    for (const retrains of [
      [began, ended],
      [ended, began],
    ])
      expect(judgeLine(evidence(bad(24), { retrains })).state).toBe('COOLDOWN');
  });
});

describe('a package that the machine asked for', () => {
  const asked = { requestId: 'drift-of-the-champion-before', at: day(-1), outcome: 'candidate' as const };
  const retrains = [{ ...asked, released: PACKAGE }];
  it('is one that its retrain made and that was released: not one that a person brought meanwhile or later', () => {
    for (const other of [asked, { ...asked, released: `sha256:${'9'.repeat(64)}` }])
      expect(judgeLine(evidence([], { retrains: [other] })).state).toBe('HEALTHY');
  });
  it('is verified until enough outcomes are calm', () => {
    expect(judgeLine(evidence([], { retrains })).state).toBe('VERIFY');
    expect(judgeLine(evidence(good(4), { retrains })).state).toBe('VERIFY');
    expect(judgeLine(evidence(good(5), { retrains })).state).toBe('HEALTHY');
  });
  it('is confirmed as any other when it is no better', () => {
    expect(judgeLine(evidence(bad(10), { retrains })).state).toBe('CONFIRMED');
  });
});

describe('inputs that are not as in training', () => {
  it('are watched, and outcomes are asked for', () => {
    expect(judgeLine(evidence(good(4), { features: [device()] }))).toMatchObject({
      state: 'WATCH',
      features: ['speed'],
      action: { kind: 'ask-labels', count: 16 },
    });
  });
  it('ask for nothing while outcomes hold', () => {
    const judged = judgeLine(evidence(good(30), { features: [device()] }));
    expect(judged).toMatchObject({ state: 'WATCH', action: null });
    expect(judged.reasons.at(-1)).toContain('outcomes hold');
  });
  it('ask for a retrain when they are far off, long enough, and outcomes do not hold', () => {
    const uneasy = [...good(17), 0.7, 0.7, 0.7];
    expect(judgeLine(evidence(uneasy)).state).toBe('WATCH');
    expect(judgeLine(evidence(uneasy, { features: [] })).action).toBeNull();
    expect(judgeLine(evidence(uneasy, { features: [device()] })).action).toMatchObject({ kind: 'retrain' });
    for (const more of [{ farOffWindows: 2 }, { calibrated: false }, { state: 'watch' as const }])
      expect(judgeLine(evidence(uneasy, { features: [device(more)] })).action).toBeNull();
  });
  it('ask again only after the rest of a retrain that was in vain', () => {
    const uneasy = [...good(17), 0.7, 0.7, 0.7];
    const later = (days: number) =>
      judgeLine(evidence(uneasy, { features: [device()], retrains: [retrain(1, 'refused', day(19 - days))] })).action;
    expect(later(6)).toBeNull();
    expect(later(7)).toMatchObject({ kind: 'retrain', requestId: request(2) });
  });
  it('have no vote when the data is bad', () => {
    const features = [device({ quality: 'speed is stuck' })];
    const judged = judgeLine(evidence(good(4), { features }));
    expect(judged).toMatchObject({ state: 'DATA_QUALITY_HOLD', features: [], action: null });
    expect(judged.reasons.at(-1)).toContain('speed is stuck');
  });
});

describe('the reasons', () => {
  it('name the first of many devices and count the rest', () => {
    const fleet = (more: Parameters<typeof device>[0]) =>
      Array.from({ length: 900 }, (_, i) => device({ device: `edge-${i}`, ...more }));
    for (const features of [fleet({}), fleet({ quality: 'speed is stuck' })]) {
      const text = judgeLine(evidence(good(4), { features })).reasons.join('; ');
      expect(text).toContain('895 more');
      expect(text.length).toBeLessThan(600);
    }
  });
});

describe('the evidence', () => {
  const losses = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 });
  const ended = fc.constantFrom<RetrainEvidence['outcome'][]>('running', 'candidate', 'refused', 'failed', 'skipped');
  const facts = fc.record({
    losses: losses,
    retrains: fc.array(
      fc.record({ n: fc.integer({ min: 1, max: 3 }), outcome: ended, at: fc.integer({ min: 0, max: 40 }) }),
      {
        maxLength: 3,
      },
    ),
    serious: fc.boolean(),
  });
  const of = (f: {
    losses: number[];
    retrains: { n: number; outcome: RetrainEvidence['outcome']; at: number }[];
    serious: boolean;
  }) =>
    evidence(f.losses, {
      retrains: f.retrains.map(({ n, outcome, at }) => retrain(n, outcome, day(at))),
      features: f.serious ? [device(), device({ device: 'edge-2', state: 'steady' })] : [],
    });

  it('gives the same judgement in any order and with any repetition', () => {
    fc.assert(
      fc.property(facts, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (f, chance) => {
        const given = of(f);
        const shuffled = <T>(all: readonly T[]): T[] =>
          [...all, ...all.slice(0, 3)]
            .map((t) => ({ t, at: chance.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ t }) => t);
        const again = judgeLine({
          ...given,
          outcomes: shuffled(given.outcomes),
          features: shuffled(given.features),
          retrains: shuffled(given.retrains),
        });
        expect(again).toEqual(judgeLine(given));
      }),
    );
  });
  it('asks for no retrain during a rest, while one runs, with too few outcomes, or beyond the budget', () => {
    fc.assert(
      fc.property(facts, (f) => {
        const given = of(f);
        const judged = judgeLine(given);
        if (judged.action?.kind !== 'retrain') return;
        expect(judged.state).toBe('RETRAIN_REQUESTED');
        expect(given.outcomes.length).toBeGreaterThanOrEqual(policy.minOutcomes);
        expect(given.retrains.map((r) => r.requestId)).not.toContain(judged.action.requestId);
        expect(new Set(given.retrains.map((r) => r.requestId)).size).toBeLessThan(policy.maxRetrains);
      }),
    );
  });
  it('is answered the same until the request is known, then with nothing', () => {
    fc.assert(
      fc.property(losses, (ls) => {
        const given = evidence([...bad(20), ...ls]);
        const { action, askedAt } = judgeLine(given);
        const more = evidence([...bad(20), ...ls, 0.9]);
        expect(judgeLine(more)).toMatchObject({ action: { requestId: action?.requestId }, askedAt });
        const known = [retrain(1, 'running', askedAt as string)];
        expect(judgeLine({ ...more, retrains: known }).action).toBeNull();
      }),
    );
  });
  it('counts a unit once, by what is known of it last', () => {
    const [first, ...rest] = outcomes(good(5)) as [OutcomeEvidence, ...OutcomeEvidence[]];
    const corrected = { ...first, loss: 0.9, knownTime: day(30) };
    const judged = judgeLine(evidence([], { outcomes: [corrected, first, ...rest] }));
    expect(judged.outcomes).toBe(5);
    expect(judged.meanLoss).toBeCloseTo((0.9 + 0.4) / 5, 12);
    expect(judged.path.at(-1)?.unit).toBe(first.unit);
  });
  it('has a digest that tells one set of evidence from another', () => {
    const digest = (n: number) => judgeLine(evidence(good(n))).evidenceDigest;
    expect(digest(3)).toBe(digest(3));
    expect(digest(3)).not.toBe(digest(4));
  });
});
