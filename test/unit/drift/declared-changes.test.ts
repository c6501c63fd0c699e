import fc from 'fast-check';
import type { ChangeEvidence, RetrainEvidence } from '#core/drift/decision/evidence.ts';
import { bearingFacts, judgeEvidence } from '#core/outcomes/line-evidence.ts';
import { day, facts, policy, request } from '../../support/line-evidence.ts';

const change = fc.record({ id: fc.nat({ max: 30 }), happened: fc.nat({ max: 120 }), known: fc.nat({ max: 40 }) }).map(
  ({ id, happened, known }): ChangeEvidence => ({
    eventId: `e${id}`,
    kind: 'tool-change',
    asset: `press-${id % 3}`,
    validTime: day(happened),
    knownTime: day(happened + known),
  }),
);
const retrains = fc
  .array(
    fc.record({
      at: fc.nat({ max: 120 }),
      outcome: fc.constantFrom<RetrainEvidence['outcome']>('refused', 'failed', 'skipped', 'running', 'candidate'),
      isOwn: fc.boolean(),
    }),
    { maxLength: 4 },
  )
  .map((all) => {
    let own = 0;
    return all
      .sort((a, b) => a.at - b.at)
      .map(({ at, outcome, isOwn }, i) => ({ requestId: isOwn ? request(++own) : `other-${i}`, at: day(at), outcome }));
  });

describe('changes of machines that bear on a judgement', () => {
  it('make it as all of them do, and are as few as the retrains of the champion and two more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0.1, 0.1, 0.1, 0.7), { maxLength: 120 }),
        fc.array(change, { maxLength: 60 }),
        retrains,
        fc.constantFrom('act' as const, 'shadow' as const),
        fc.integer({ min: 1, max: 30 }),
        (losses, changes, known, mode, minOutcomes) => {
          const judging = { ...policy, minOutcomes, maxRetrains: 5, budgetDays: 60, drift: { mode } };
          const all = facts(losses, { changes, retrains: known, policy: judging });
          const few = bearingFacts(all);
          const [a, b] = [judgeEvidence(all), judgeEvidence(few)];
          expect({ ...b, judgement: { ...b.judgement, evidenceDigest: a.judgement.evidenceDigest } }).toEqual(a);
          // Requests that the fold makes on its way: each one it knows, and the one that it asks for.
          const own = known.filter((r) => !r.requestId.startsWith('other')).length;
          expect(few.changes?.length).toBeLessThanOrEqual(own + 2);
          expect(judgeEvidence(bearingFacts(few)).judgement).toEqual(b.judgement);
        },
      ),
      { numRuns: 300 },
    );
  });
  it('are none before anything is known, or where the package cannot be judged', () => {
    const changes = [{ eventId: 'e1', kind: 'tool-change', asset: 'press-1', validTime: day(1), knownTime: day(2) }];
    expect(bearingFacts(facts([], { changes })).changes).toEqual([]);
    expect(bearingFacts(facts([0.1, 0.1], { changes, validationLoss: null })).changes).toEqual([]);
    expect(bearingFacts(facts([0.1])).changes).toBeUndefined();
  });
});
