import { declaredBias, outcomePolicyProblems } from '#core/outcomes/policy-problems.ts';

describe('what a use case says of its outcomes', () => {
  it('has nothing against it where it says nothing, or what holds together', () => {
    for (const policy of [
      undefined,
      {},
      { onlyMature: true },
      { inspected: 'rejects' as const },
      { inspected: 'rejects' as const, quota: 0.1, leastPropensity: 0.1 },
    ]) {
      expect(outcomePolicyProblems(policy)).toEqual([]);
      expect(declaredBias(policy)).toBeNull();
    }
  });
  it('contradicts itself by a lot where every unit is inspected', () => {
    expect(outcomePolicyProblems({ quota: 0.1, leastPropensity: 0.2 })).toEqual([
      expect.stringMatching(/outcomes.quota is 0.1, but every unit is inspected .* say inspected: 'rejects'/),
      expect.stringMatching(/outcomes.leastPropensity is 0.2, but every unit is inspected/),
    ]);
  });
  it('contradicts itself by a chance that no unit has', () => {
    expect(outcomePolicyProblems({ inspected: 'rejects', leastPropensity: 0.01 })).toEqual([
      expect.stringMatching(
        /leastPropensity is 0.01, but no unit has a smaller chance to be inspected than the quota, 0.05/,
      ),
    ]);
  });
  it('gives up something by weights that are bounded above the quota, and says how much', () => {
    const policy = { inspected: 'rejects', quota: 0.1, leastPropensity: 0.4 } as const;
    expect(outcomePolicyProblems(policy)).toEqual([]);
    expect(declaredBias(policy)).toMatch(/leastPropensity 0.4 is above the quota, 0.1: .* may be off by 0.75/);
  });
});
