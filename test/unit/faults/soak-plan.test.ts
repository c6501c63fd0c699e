import { planTrials } from '../../soak/plan.ts';

test('the same seed gives the same trials, another seed others', () => {
  expect(planTrials(50, 1)).toEqual(planTrials(50, 1));
  expect(planTrials(50, 1)).not.toEqual(planTrials(50, 2));
});

test('victims come in turn, and moments lie within the story', () => {
  const strikes = planTrials(60, 7).flatMap((t) => t.strikes);
  for (const victim of ['device', 'worker', 'trainer'] as const)
    expect(strikes.filter((s) => s.victim === victim)).toHaveLength(20);
  for (const { victim, moment } of strikes) {
    expect(moment).toBeGreaterThanOrEqual(0);
    expect(moment).toBeLessThan(victim === 'trainer' ? 4 : 1);
  }
  expect(new Set(planTrials(9, 1, ['worker']).flatMap((t) => t.strikes.map((s) => s.victim)))).toEqual(
    new Set(['worker']),
  );
});

test('several kills may fall into one story, and none is left out', () => {
  const trials = planTrials(50, 1, undefined, 4);
  expect(trials.map((t) => t.strikes.length)).toEqual([...Array(12).fill(4), 2]);
  expect(trials.map((t) => t.number)).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
});
