import fc from 'fast-check';
import { ESr } from '#core/drift/detectors/e-sr.ts';
import {
  chanceOf,
  type Draw,
  lotOf,
  outcomeRules,
  propensityOf,
  truncationBias,
  weighedLoss,
  weightOf,
} from '#core/outcomes/selection.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

const PACKAGE = `sha256:${'1'.repeat(64)}`;
const day = (n: number): string => new Date(Date.UTC(2025, 0, 1 + n)).toISOString();
const rules = outcomeRules({ inspected: 'rejects', quota: 0.1 });

describe('lots', () => {
  it('are drawn alike by everybody, and anew for another package', () => {
    expect(lotOf(PACKAGE, 'm1/r1')).toBe(lotOf(PACKAGE, 'm1/r1'));
    expect(lotOf(PACKAGE, 'm1/r1')).not.toBe(lotOf(`sha256:${'2'.repeat(64)}`, 'm1/r1'));
  });
  it('are uniform: of 4,000 units each tenth has 400, within chance', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let n = 0; n < 4000; n++) {
      const tenth = Math.floor(10 * lotOf(PACKAGE, `m${n % 7}/run-${n}`));
      tenths[tenth] = (tenths[tenth] as number) + 1;
    }
    // χ² with 9 degrees of freedom is below 27.9 with probability 0.999.
    expect(tenths.reduce((sum, n) => sum + (n - 400) ** 2 / 400, 0)).toBeLessThan(27.9);
  });
});

describe('the chance that an outcome becomes known', () => {
  const draws: Draw[] = [
    { after: null, until: day(10), share: 0.5 },
    { after: day(10), until: day(20), share: 0.02 },
  ];
  it('is the quota, or that of a request where that is larger', () => {
    expect([5, 10, 11, 25].map((n) => chanceOf(day(n), rules, draws))).toEqual([0.5, 0.5, 0.1, 0.1]);
  });
  it('is one for every unit where all are inspected, and for rejects', () => {
    const unit = { unit: 'm/r', lastAt: day(1), rejected: false };
    expect(propensityOf(unit, PACKAGE, outcomeRules(undefined), [])).toBe(1);
    expect(propensityOf({ ...unit, rejected: true }, PACKAGE, rules, [])).toBe(1);
  });
  it('is not known of a unit that was neither rejected nor drawn', () => {
    const units = Array.from({ length: 300 }, (_, n) => ({ unit: `m/r${n}`, lastAt: day(30), rejected: false }));
    for (const unit of units)
      expect(propensityOf(unit, PACKAGE, rules, draws)).toBe(lotOf(PACKAGE, unit.unit) < 0.1 ? 0.1 : null);
  });
});

describe('weights', () => {
  it('are the inverse chance, at most one, and one for all where all are inspected', () => {
    expect([1, 0.5, 0.1, 0.02].map((p) => weightOf(p, 0.1))).toEqual([0.1, 0.2, 1, 1]);
    const { leastPropensity } = outcomeRules({ quota: 0.1, leastPropensity: 0.1 });
    expect(weightOf(1, leastPropensity)).toBe(1);
  });
  it('draw a loss towards the mean, so that a plain bet on it is the weighted bet on the loss', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    const inside = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(unit, inside, inside, inside, (loss, weight, mean, bet) => {
        const lambda = bet / mean;
        const weighed = weighedLoss(loss, weight, mean);
        expect(weighed).toBeGreaterThanOrEqual(0);
        expect(weighed).toBeLessThanOrEqual(1);
        expect(1 + lambda * (weighed - mean)).toBeCloseTo(1 + lambda * weight * (loss - mean), 9);
      }),
    );
  });
  it('have the mean of all units, within the declared bound, whatever is rejected and however that hangs on the loss', () => {
    const some = fc.array(
      fc.record({
        loss: fc.double({ min: 0, max: 1, noNaN: true }),
        propensity: fc.double({ min: 0.01, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(some, fc.double({ min: 0.01, max: 1, noNaN: true }), (units, least) => {
        // The expectation over who is inspected, exactly: a unit is seen with its chance and has its weight then.
        const seen = units.map((u) => u.propensity * weightOf(u.propensity, least));
        const total = seen.reduce((a, b) => a + b, 0);
        const weighted = units.reduce((sum, u, i) => sum + (seen[i] as number) * u.loss, 0) / total;
        const plain = units.reduce((sum, u) => sum + u.loss, 0) / units.length;
        const bound = truncationBias(
          units.map((u) => u.propensity),
          least,
        );
        expect(Math.abs(weighted - plain)).toBeLessThanOrEqual(bound + 1e-9);
      }),
    );
  });
  it('have no bias where no chance is below the least, and none is declared', () => {
    expect(truncationBias([1, 0.1, 0.4], 0.1)).toBe(0);
    expect(truncationBias([1, 0.05], 0.1)).toBe(0.25);
    expect(truncationBias([], 0.1)).toBe(0);
  });
});

describe('a line of which only rejects are inspected', () => {
  const random = seededRandom(20260101);
  /** A third is rejected; rejects are answered worse than the others, so that their mean is not that of all. */
  const draw = (shift: number) => {
    const rejected = random() < 0.3;
    const loss = Math.min(1, (rejected ? 0.4 : 0.05) * 2 * random() + (rejected ? 0 : shift));
    return { rejected, loss, asked: random() < rules.quota };
  };
  const MEAN = 0.3 * 0.4 + 0.7 * 0.05;
  const run = (units: number, shift: number, weighted: boolean): { alarms: number; first: number | null } => {
    const fresh = ESr.start({ mean: MEAN + 0.02 });
    let [detector, alarms] = [fresh, 0];
    let first: number | null = null;
    for (let n = 1; n <= units; n++) {
      const { rejected, loss, asked } = draw(shift);
      if (!rejected && !asked) continue;
      const weight = weighted ? weightOf(rejected ? 1 : rules.quota, rules.leastPropensity) : 1;
      detector = detector.update(weighedLoss(loss, weight, MEAN + 0.02));
      if (detector.value < 1000) continue;
      alarms++;
      first ??= n;
      detector = fresh;
    }
    return { alarms, first };
  };

  it('is not called worse while all is as it was, although what is seen looks worse: 60,000 units', () => {
    expect(run(60_000, 0, false).alarms).toBeGreaterThan(500);
    expect(run(60_000, 0, true).alarms).toBeLessThanOrEqual(Math.ceil((60_000 * 0.37) / 1000));
  });
  it('is called worse when units that are not rejected become worse, which rejects alone never show', () => {
    const found = Array.from({ length: 20 }, () => run(6000, 0.15, true).first);
    expect(found).not.toContain(null);
  });
});
