import { planTrials } from '../../soak/plan.ts';

test('the same seed gives the same trials, another seed others', () => {
  expect(planTrials(50, 1)).toEqual(planTrials(50, 1));
  expect(planTrials(50, 1)).not.toEqual(planTrials(50, 2));
});

test('victims come in turn, and moments lie within the story', () => {
  const trials = planTrials(60, 7);
  for (const victim of ['device', 'worker', 'trainer'] as const)
    expect(trials.filter((t) => t.victim === victim)).toHaveLength(20);
  for (const { victim, moment } of trials) {
    expect(moment).toBeGreaterThanOrEqual(0);
    expect(moment).toBeLessThan(victim === 'trainer' ? 4 : 1);
  }
  expect(new Set(planTrials(9, 1, ['worker']).map((t) => t.victim))).toEqual(new Set(['worker']));
});
