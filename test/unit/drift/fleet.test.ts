import { CHANGES, simulateFleet } from '../../../bench/drift/fleet.ts';
import { policy } from '../../support/line-evidence.ts';

const DAYS = 150;
const LINES = 6;
const fleet = simulateFleet({
  lines: LINES,
  days: DAYS,
  changes: CHANGES.length,
  policy: { ...policy, drift: { alertsPerMonth: 1, arl0: 100_000 } },
  seed: 3,
});

describe('a site of many model lines', () => {
  it('gives no more alarms for nothing than its budget', () => {
    const alarms = Object.values(fleet.falseAlarms).reduce((a, b) => a + b, 0);
    expect(alarms).toBeLessThanOrEqual(Math.floor(DAYS / 30));
    expect(fleet.outcomes).toBeGreaterThan(LINES * DAYS * 0.9);
  });
  it.each(CHANGES)('finds a line that changes: %s', (change) => {
    const found = fleet.found.find((f) => f.change === change);
    expect(found?.days).toBeGreaterThanOrEqual(0);
    expect(found?.days).toBeLessThan(DAYS);
  });
});
