import fc from 'fast-check';
import { countVotes, type FeatureEvidence, isFarOff, votesNeeded } from '../../../core/drift/decision/feature-votes.ts';

const seen = (
  device: string,
  state: FeatureEvidence['state'],
  more: Partial<FeatureEvidence> = {},
): FeatureEvidence => ({
  device,
  at: '2026-01-01T00:00:00.000Z',
  state,
  feature: 'speed',
  psi: 0.5,
  lower: 0.4,
  calibrated: true,
  ...more,
});

describe('the votes of the devices', () => {
  it('watches when more devices vote than false alarms would explain', () => {
    expect(countVotes([seen('a', 'watch'), seen('b', 'steady')], 0.01)).toMatchObject({
      watch: true,
      features: ['speed'],
    });
  });
  it('takes one vote in a large fleet as a false alarm', () => {
    const fleet = Array.from({ length: 100 }, (_, i) => seen(`d${i}`, i === 0 ? 'watch' : 'steady'));
    expect(countVotes(fleet, 0.01)).toMatchObject({ watch: false, features: [] });
  });
  it('needs more votes the larger the fleet', () => {
    expect([1, 3, 10, 100, 1000].map((n) => votesNeeded(n, 0.01))).toEqual([1, 1, 2, 4, 16]);
  });
  it('needs no more of a very large fleet than chance explains', () => {
    // scipy.stats.binom.isf(0.05, n, p) + 1
    expect([votesNeeded(10_000, 0.2), votesNeeded(100_000, 0.05)]).toEqual([2067, 5115]);
  });
  it('is reached by chance in at most one round in twenty', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.constantFrom(0.001, 0.01, 0.05), (n, alpha) => {
        const k = votesNeeded(n, alpha);
        let term = (1 - alpha) ** n;
        let below = 0;
        for (let i = 0; i < k; i++) {
          below += term;
          term *= ((n - i) / (i + 1)) * (alpha / (1 - alpha));
        }
        expect(1 - below).toBeLessThanOrEqual(0.05 + 1e-12);
      }),
    );
  });
  it('holds the vote of a device whose data is bad', () => {
    const votes = countVotes([seen('a', 'serious', { quality: 'speed is stuck' })], 0.01);
    expect(votes).toMatchObject({ watch: false, held: [{ device: 'a', quality: 'speed is stuck' }] });
  });
  it('does not wait for ever for a device that is gone', () => {
    const gone = { at: '2025-11-30T00:00:00.000Z' };
    expect(countVotes([seen('a', 'watch', gone), seen('b', 'steady')], 0.01).watch).toBe(false);
    expect(countVotes([seen('a', 'serious', { ...gone, quality: 'stuck' }), seen('b', 'steady')], 0.01).held).toEqual(
      [],
    );
    expect(countVotes([seen('a', 'watch', gone)], 0.01).watch).toBe(true);
  });
  it('is serious only when calibrated, far off and so for three windows', () => {
    const serious = (more: Partial<FeatureEvidence>) => countVotes([seen('a', 'serious', more)], 0.01).serious;
    expect(serious({ farOffWindows: 3 })).toBe(true);
    expect(serious({ farOffWindows: 2 })).toBe(false);
    expect(serious({})).toBe(false);
    expect(serious({ farOffWindows: 3, calibrated: false })).toBe(false);
  });
  it('is not serious when few of many devices are far off', () => {
    const fleet = Array.from({ length: 10 }, (_, i) =>
      seen(`d${i}`, i < 3 ? 'serious' : 'steady', { farOffWindows: 5 }),
    );
    expect(countVotes(fleet, 0.01)).toMatchObject({ watch: true, serious: false });
  });
  it('names the features of the worst device first, each once', () => {
    const votes = countVotes(
      [seen('a', 'watch', { psi: 0.1, features: ['x', 'y'] }), seen('b', 'watch', { psi: 0.9, features: ['y', 'z'] })],
      0.01,
    );
    expect(votes.features).toEqual(['y', 'z', 'x']);
  });
});

describe('a window', () => {
  it('is far off when many of its features surely are', () => {
    expect(isFarOff([0.3, 0.3, 0, 0])).toBe(true);
    expect(isFarOff([0.3, 0.2, 0.2, 0.2])).toBe(false);
    expect(isFarOff([])).toBe(false);
  });
});
