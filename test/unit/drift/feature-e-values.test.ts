import { countVotes, type FeatureEvidence } from '../../../core/drift/decision/feature-votes.ts';

const seen = (device: string, kind: FeatureEvidence['kind'], eValue?: number, more: Partial<FeatureEvidence> = {}) => ({
  device,
  at: '2026-01-01T00:00:00.000Z',
  state: 'steady' as FeatureEvidence['state'],
  kind,
  feature: 'speed',
  psi: 0.5,
  lower: 0.4,
  calibrated: true,
  ...(eValue === undefined ? {} : { eValue, threshold: 1000 }),
  ...more,
});
const anHour = { window: { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T01:00:00.000Z' } };

describe('the e-values of the devices', () => {
  const drifts = (device: string, eValue?: number, more: Partial<FeatureEvidence> = {}) =>
    seen(device, 'watch', eValue, { state: 'watch', ...more });
  it('watch when their mean reaches the limit, so that many devices are not many chances', () => {
    const fleet = (eValue: number) => [drifts('a', eValue), seen('b', 'steady', 1), seen('c', 'steady', 1)];
    expect(countVotes(fleet(2997), 0.01)).toMatchObject({ watch: false, features: [] });
    expect(countVotes(fleet(2998), 0.01)).toMatchObject({ watch: true, eValue: { value: 1000, needed: 1000 } });
  });
  it('stand although the newest window alone is as it should be: they come down by themselves', () => {
    expect(countVotes([seen('a', 'watch', 1000)], 0.01)).toMatchObject({
      watch: true,
      voting: ['a'],
      features: ['speed'],
    });
  });
  it('stand at the limit that they reached until they are under its root for long', () => {
    const fleet = (reached: boolean) => [drifts('a', 500, { reached }), drifts('b', 1500, { reached })];
    expect(countVotes([drifts('a', 500)], 0.01).watch).toBe(false);
    expect(countVotes([drifts('a', 500, { reached: true })], 0.01).watch).toBe(true);
    expect(countVotes([drifts('a', 500, { reached: true }), seen('b', 'steady', 1)], 0.01).watch).toBe(false);
    expect(countVotes(fleet(true), 0.01).eValue).toMatchObject({ value: 1250 });
    expect(countVotes([seen('a', 'recurring', 500, { reached: true })], 0.01)).toMatchObject({ watch: false });
  });
  it('are no word about what ages, or is as it was before', () => {
    const ageing = { feature: 'torque', perDay: 0.1, daysToLimit: 5 };
    for (const e of [seen('a', 'recurring', 1e9), drifts('a', 1e9, { ageing })])
      expect(countVotes([e], 0.01)).toMatchObject({ watch: false, eValue: { value: 0 } });
    expect(countVotes([drifts('a', 1e9, { ageing })], 0.01)).toMatchObject({ features: ['torque'], voting: [] });
  });
  it('leave it to the number of votes where a device has none', () => {
    expect(countVotes([drifts('a', 1), seen('b', 'steady')], 0.01)).toMatchObject({ watch: true, eValue: null });
  });
  it('are of devices that were judged: the others are no part of the mean', () => {
    const others = (['muted', 'warm-up', 'new-context', 'suspected-changeover', 'data-quality'] as const).map((kind) =>
      seen(kind, kind),
    );
    expect(countVotes([drifts('a', 1000), ...others], 0.01)).toMatchObject({ watch: true, voting: ['a'] });
    expect(countVotes(others, 0.01)).toMatchObject({ watch: false, eValue: null });
  });
  it('have a larger limit where lines share a budget, by how many windows a month has', () => {
    const budget = { alertsPerMonth: 2, lines: 100 };
    const needed = (more: Partial<FeatureEvidence>) =>
      countVotes([drifts('a', 5000, more)], 0.01, budget).eValue?.needed;
    expect(needed(anHour)).toBe(72_000);
    expect(needed({})).toBe(100_000);
    expect(needed({ window: { ...anHour.window, to: anHour.window.from } })).toBe(100_000);
    expect(countVotes([drifts('a', 5000, anHour)], 0.01).watch).toBe(true);
  });
});

describe('a mean that is off for long', () => {
  const slow = (device: string) => seen(device, 'watch', 1, { slow: true });
  it('watches, although the e-value over windows is small', () => {
    expect(countVotes([slow('a')], 0.01).watch).toBe(true);
    expect(countVotes([seen('a', 'watch', 1)], 0.01).watch).toBe(false);
  });
  it('is to be seen on more devices than false alarms would explain', () => {
    const fleet = (n: number) =>
      Array.from({ length: 100 }, (_, i) => (i < n ? slow(`${i}`) : seen(`${i}`, 'steady', 1)));
    expect(countVotes(fleet(3), 0.01).watch).toBe(false);
    expect(countVotes(fleet(4), 0.01).watch).toBe(true);
  });
});

describe('devices whose inputs age', () => {
  const ages = (device: string, daysToLimit: number | null, calibrated = true) =>
    seen(device, 'ageing', 1, { calibrated, ageing: { feature: `of-${device}`, perDay: 0.1, daysToLimit } });
  it('are in order of when they reach their limit', () => {
    const votes = countVotes([ages('a', null), ages('b', 7), ages('c', 0)], 0.01);
    expect(votes.ageing.map((e) => e.device)).toEqual(['c', 'b', 'a']);
    expect(votes.features).toEqual(['of-c', 'of-b', 'of-a']);
  });
  it('are serious when enough of them have reached it', () => {
    const votes = (reached: number, calibrated = true) =>
      countVotes(
        Array.from({ length: 10 }, (_, i) => ages(`d${i}`, i < reached ? 0 : 5, calibrated)),
        0.01,
      );
    expect(votes(3).serious).toBe(false);
    expect(votes(4)).toMatchObject({ serious: true, watch: false });
    expect(votes(4, false).serious).toBe(false);
  });
});
