import type { JoinedOutcomeRecord } from '#core/contracts/judgement.ts';
import type { OutcomePolicy } from '#core/contracts/label-request.ts';
import { calibrationOf } from '#core/outcomes/calibration.ts';
import { type CountedOutcome, countOutcomes } from '#core/outcomes/counted.ts';
import { outcomeSummary } from '#core/outcomes/outcome-summary.ts';
import { lotOf } from '#core/outcomes/selection.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { anOutcome } from '../../support/an-outcome.ts';

const PACKAGE = `sha256:${'1'.repeat(64)}`;
const given = (definitions[0] as (typeof definitions)[number]).useCase.judging;
const policyWith = (outcomes?: OutcomePolicy, maturityDays = 10) => ({
  ...given,
  lossTolerance: 0.02,
  maturityDays,
  ...(outcomes === undefined ? {} : { outcomes }),
});
const day = (n: number): string => new Date(Date.UTC(2025, 0, 1 + n)).toISOString();
const record = (n: number, more: Partial<JoinedOutcomeRecord> = {}): JoinedOutcomeRecord =>
  anOutcome({
    ...{ modelLine: 'a/plant-a', packageDigest: PACKAGE, asset: 'm1', run: `r${n}` },
    ...{ validTime: day(n), knownTime: day(n + 1), loss: 0.2, ...more },
  });
const factsWith = (outcomes: readonly JoinedOutcomeRecord[], policy = policyWith()) => ({
  packageDigest: PACKAGE,
  policy,
  outcomes,
  served: outcomes.map((o) => ({ unit: `${o.asset}/${o.run}`, lastAt: o.validTime })),
  labels: [],
});
const units = (n: number) => Array.from({ length: n }, (_, i) => record(i));
const unitsOf = (outcomes: readonly CountedOutcome[]): string[] => outcomes.map((o) => o.unit);
const LOSS = { mean: 0.1, upper: 0.12, runs: 20 };

describe('outcomes that count', () => {
  it('are all with a loss, in full and at once, where the use case says nothing else', () => {
    const records = [record(0), record(1, { loss: null }), record(2, { end: 'contradicted', loss: null }), record(3)];
    expect(countOutcomes(factsWith(records))).toEqual({
      outcomes: [0, 3].map((n) => ({
        unit: `m1/r${n}`,
        asset: 'm1',
        knownTime: day(n + 1),
        loss: 0.2,
        meanError: null,
      })),
      notes: [],
    });
  });

  it('are rejects with a small weight and what was drawn by lot in full, and nothing that told by itself', () => {
    const drawn = units(60).filter((o) => lotOf(PACKAGE, `m1/${o.run}`) < 0.2);
    expect(drawn.length).toBeGreaterThan(3);
    const records = units(60).map((o, i) => (i === 0 || i === 1 ? { ...o, rejected: true } : o));
    const { outcomes, notes } = countOutcomes(factsWith(records, policyWith({ inspected: 'rejects', quota: 0.2 })));
    expect(unitsOf(outcomes).sort()).toEqual(
      [...new Set(['m1/r0', 'm1/r1', ...drawn.map((o) => `m1/${o.run}`)])].sort(),
    );
    expect(outcomes.find((o) => o.unit === 'm1/r0')?.weight).toBe(0.2);
    expect(outcomes.filter((o) => !['m1/r0', 'm1/r1'].includes(o.unit)).every((o) => o.weight === undefined)).toBe(
      true,
    );
    expect(notes.join()).toMatch(/left out: \d+ outcomes of units that were neither rejected nor drawn by lot/);
    expect(notes.join()).not.toMatch(/bounded/);
  });

  it('are those of a unit that any package rejected, whoever kept that', () => {
    const facts = factsWith([record(0)], policyWith({ inspected: 'rejects', quota: 1e-9 }));
    expect(countOutcomes(facts).outcomes).toEqual([]);
    const served = [{ unit: 'm1/r0', lastAt: day(0), rejected: true }];
    expect(unitsOf(countOutcomes({ ...facts, served }).outcomes)).toEqual(['m1/r0']);
  });

  it('say by how much bounded weights may move their mean', () => {
    const policy = policyWith({ inspected: 'rejects', quota: 0.1, leastPropensity: 0.2 });
    expect(countOutcomes(factsWith(units(10), policy)).notes).toContain(
      'weights are bounded: the mean loss may be off by 0.500 for it at most',
    );
  });

  it('count, where only mature ones do, when their unit is old enough, and not before the present is', () => {
    const records = [record(0), record(1, { knownTime: day(30) }), record(25, { knownTime: day(26) })];
    const { outcomes, notes } = countOutcomes(factsWith(records, policyWith({ onlyMature: true })));
    expect(outcomes.map((o) => [o.unit, o.knownTime])).toEqual([
      ['m1/r0', day(10)],
      ['m1/r1', day(30)],
    ]);
    expect(notes).toContain('1 outcomes do not count before their units are 10 days old');
  });

  it('say between which bounds the mean lies where failures were prevented', () => {
    const records = [record(0), record(1, { end: 'prevented', loss: 0, lossAtMost: 0.6 })];
    expect(countOutcomes(factsWith(records)).notes).toEqual([
      '1 of 2 outcomes are failures that were prevented, of whose life only bounds are known: the mean loss lies between 0.100 and 0.400',
    ]);
    expect(countOutcomes(factsWith([record(1, { end: 'prevented', loss: 0.2, lossAtMost: 0.2 })])).notes).toEqual([]);
  });
});

describe('outcomes that come late, failures sooner than what was found healthy', () => {
  const random = seededRandom(7);
  /** Half fails and is reported at once with a loss of 0.3; the other half is opened after 20 days, with 0.05. */
  const all = Array.from({ length: 400 }, (_, n) => {
    const failed = random() < 0.5;
    return record(n, { run: `r${n}`, loss: failed ? 0.3 : 0.05, knownTime: day(n + (failed ? 0 : 20)) });
  });
  const until = 60;
  const soFar = all.filter((o) => o.knownTime <= day(until));
  const served = all
    .filter((o) => o.validTime <= day(until))
    .map((o) => ({ unit: `m1/${o.run}`, lastAt: o.validTime }));
  const meanBy = (policy: ReturnType<typeof policyWith>) => {
    const { outcomes } = countOutcomes({ ...factsWith(soFar, policy), served });
    return outcomes.reduce((sum, o) => sum + o.loss, 0) / outcomes.length;
  };
  const truth = all.reduce((sum, o) => sum + (o.loss ?? 0), 0) / all.length;

  it('are no fair sample while they are young, and are one when only mature ones count', () => {
    expect(meanBy(policyWith()) - truth).toBeGreaterThan(0.02);
    const matured = all.filter((o) => o.validTime <= day(until - 20));
    const fair = matured.reduce((sum, o) => sum + (o.loss ?? 0), 0) / matured.length;
    expect(meanBy(policyWith({ onlyMature: true }, 20))).toBeCloseTo(fair, 12);
  });

  it('differ from all by no more than is said, where maturity is set too early', () => {
    const policy = policyWith({ onlyMature: true }, 5);
    const { notes, fields } = outcomeSummary({ ...factsWith(soFar, policy), served }, LOSS);
    const matured = fields.delays?.matured;
    if (!matured) throw new Error('no unit is mature');
    const { share, lower } = matured;
    expect(Math.abs(meanBy(policy) - truth)).toBeLessThanOrEqual(1 - share);
    expect(notes.join()).toContain(`surely by no more than ${(1 - lower).toFixed(3)}`);
  });
});

describe('calibration by outcomes', () => {
  const outcome = (n: number, meanError: number | null, weight?: number): CountedOutcome => ({
    unit: `m1/r${n}`,
    asset: 'm1',
    knownTime: day(n),
    loss: Math.abs(meanError ?? 0),
    meanError,
    ...(weight === undefined ? {} : { weight }),
  });
  const of = (errors: readonly number[], weight?: number) =>
    calibrationOf(
      errors.map((e, n) => outcome(n, e, weight)),
      [-0.05, 0.05],
      100,
    );
  it.each([
    ['too hopeful', 0.3],
    ['too gloomy', -0.3],
  ])('says %s of answers that are wrong to that side', (says, error) => {
    expect(of(Array.from({ length: 30 }, () => error))).toMatchObject({ says, outcomes: 30, meanError: error });
  });
  it('says nothing of errors that are as in validation, or on both sides', () => {
    expect(of(Array.from({ length: 300 }, (_, n) => (n % 2 === 0 ? 0.3 : -0.3)))?.says).toBeNull();
    expect(of(Array.from({ length: 150 }, () => 0.05))?.says).toBeNull();
  });
  it('says nothing of units that did not fail', () => {
    expect(calibrationOf([outcome(1, null)], [-0.05, 0.05], 100)).toBeNull();
  });
  it('counts in the order outcomes became known, whatever order they are given in', () => {
    const errors = Array.from({ length: 20 }, (_, n) => outcome(n, (n % 5) / 10 - 0.1));
    expect(calibrationOf(errors.toReversed(), [-0.05, 0.05], 100)).toEqual(calibrationOf(errors, [-0.05, 0.05], 100));
  });
  it('bets less on outcomes with less weight', () => {
    const errors = Array.from({ length: 15 }, () => 0.3);
    expect(of(errors, 0.3)?.eValue).toBeLessThan(of(errors)?.eValue as number);
  });
  it('holds a run length of the threshold where errors are at the edge of what is allowed', () => {
    const random = seededRandom(11);
    const errors = Array.from({ length: 30_000 }, () => (random() < 0.525 ? 1 : -1));
    let alarms = 0;
    for (let from = 0; from < errors.length; from += 300)
      if (
        calibrationOf(
          errors.slice(from, from + 300).map((e, n) => outcome(n, e)),
          [-0.05, 0.05],
          1000,
        )?.says
      )
        alarms++;
    expect(alarms).toBeLessThanOrEqual(30);
  });
  it('is said of a package whose loss still holds, with what was allowed', () => {
    const records = Array.from({ length: 200 }, (_, n) => record(n, { loss: 0.12, meanError: 0.12 }));
    const { notes, fields } = outcomeSummary(factsWith(records), { ...LOSS, error: [-0.02, 0.02] });
    expect(fields.calibration).toMatchObject({ says: 'too hopeful', allowed: [-0.04, 0.04] });
    expect(notes.join()).toContain(
      'answers are too hopeful: 200 units that failed say a mean error of 0.120 of the cap',
    );
    expect(outcomeSummary(factsWith(records), LOSS).fields.calibration).toMatchObject({ says: null });
  });
});
