import fc from 'fast-check';
import type { LineEvidenceDocument } from '../../../core/contracts/judgement.ts';
import { type ChainHead, evidenceDocument, verifyEvidence } from '../../../core/drift/decision/evidence-chain.ts';
import { canonicalJson } from '../../../core/lineage/canonical-json.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { judgeEvidence, type LineFacts } from '../../../core/outcomes/line-evidence.ts';
import { bad, day, device, facts, good, policy, retrain } from '../../support/line-evidence.ts';

const documentOf = (of: LineFacts, head: ChainHead | null = null) =>
  evidenceDocument(head, of, judgeEvidence(of).judgement);
/** As it comes back from where it is kept. */
const kept = (document: LineEvidenceDocument): LineEvidenceDocument => JSON.parse(canonicalJson(document));
const chainOf = (...all: readonly LineFacts[]): LineEvidenceDocument[] => {
  const chain: LineEvidenceDocument[] = [];
  for (const of of all) chain.push(kept(documentOf(of, chain.at(-1) ?? null)));
  return chain;
};
/** With another content and the hash of that, as who forges it would write it. */
const forged = (document: LineEvidenceDocument, change: Partial<LineEvidenceDocument>): LineEvidenceDocument => {
  const { hash: _, ...rest } = { ...document, ...change };
  return { ...rest, hash: digestOf(rest) };
};

const chain = chainOf(facts(good(8)), facts(bad(10)), facts(bad(30), { features: [device()] }));
const [first, second, third] = chain as [LineEvidenceDocument, LineEvidenceDocument, LineEvidenceDocument];

describe('a chain of judgements', () => {
  it('holds when each follows from its facts and names the one before', () => {
    expect(verifyEvidence(chain)).toEqual({ holds: true, documents: 3, notReplayed: 0 });
    expect(first.previous).toBeNull();
    expect([second.previous, third.previous]).toEqual([first.hash, second.hash]);
  });
  it('may be looked at from any place on', () => {
    expect(verifyEvidence([second, third])).toMatchObject({ holds: true, documents: 2 });
    expect(verifyEvidence([])).toMatchObject({ holds: true, documents: 0 });
  });
  it('does not hold when something was changed, whoever did it', () => {
    expect(verifyEvidence([first, { ...second, facts: { ...second.facts, features: [device()] } }])).toEqual({
      holds: false,
      sequence: 2,
      says: 'its hash is not that of its content: it was changed since',
    });
  });
  it('does not hold when one is missing, there twice, or another one', () => {
    expect(verifyEvidence([first, third])).toMatchObject({
      sequence: 3,
      says: expect.stringContaining('expected number 2'),
    });
    expect(verifyEvidence([first, first])).toMatchObject({ sequence: 1, says: expect.stringContaining('there twice') });
    const other = kept(documentOf(facts(good(9)), { sequence: 1, hash: digestOf('another') }));
    expect(verifyEvidence([first, other])).toMatchObject({
      sequence: 2,
      says: expect.stringContaining('names another'),
    });
    expect(verifyEvidence([forged(first, { previous: digestOf('x') })])).toMatchObject({ holds: false, sequence: 1 });
    expect(verifyEvidence([forged(second, { previous: null })])).toMatchObject({ holds: false, sequence: 2 });
  });
  it('does not hold when a judgement is not what follows from its facts, and says in what', () => {
    const judgement = { ...third.judgement, state: 'HEALTHY' as const, action: null };
    expect(verifyEvidence([first, second, forged(third, { judgement })])).toEqual({
      holds: false,
      sequence: 3,
      says: 'judged again the same facts give another judgement: action, state',
    });
  });
  it('does not hold with facts that cannot be judged, or a document that is none', () => {
    expect(verifyEvidence([forged(first, { facts: {} })])).toMatchObject({
      sequence: 1,
      says: expect.stringMatching(/^its facts cannot be judged: /),
    });
    expect(verifyEvidence([first, { schema: 'line-evidence/9' }])).toMatchObject({
      sequence: 2,
      says: expect.stringContaining('it is no line evidence: '),
    });
  });
  it('proves the bytes of what other rules judged, and does not judge it again', () => {
    const judgement = { ...first.judgement, state: 'WATCH' as const };
    const old = forged(first, { judgeVersion: 999, judgement });
    expect(verifyEvidence([old])).toEqual({ holds: true, documents: 1, notReplayed: 1 });
  });
});

describe('a replay', () => {
  const loss = fc.double({ min: 0, max: 1, noNaN: true });
  const given = fc.record({
    losses: fc.array(loss, { maxLength: 30 }),
    asked: fc.constantFrom('running', 'refused', 'candidate'),
    drifts: fc.boolean(),
    lines: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
  });
  const factsFrom = (g: typeof given extends fc.Arbitrary<infer T> ? T : never): LineFacts =>
    facts(g.losses, {
      retrains: [retrain(1, g.asked as 'running', day(5)), { ...retrain(2, 'failed', day(9)), requestId: 'another' }],
      features: g.drifts ? [device({ device: 'b' }), device({ device: 'a', psi: 0.2 })] : [],
      ...(g.lines === undefined ? {} : { lines: g.lines, policy: { ...policy, drift: { alertsPerMonth: 1 } } }),
    });
  it('gives the same bytes, in whatever order the facts were read', () => {
    fc.assert(
      fc.property(given, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (g, chance) => {
        const shuffled = <T>(all: readonly T[]): T[] =>
          all
            .map((t) => ({ t, at: chance.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ t }) => t);
        const read = factsFrom(g);
        const again = {
          ...read,
          outcomes: shuffled(read.outcomes),
          served: shuffled(read.served),
          retrains: shuffled(read.retrains),
          features: shuffled(read.features),
        };
        const document = documentOf(read);
        expect(canonicalJson(documentOf(again))).toBe(canonicalJson(document));
        expect(verifyEvidence([kept(document)])).toMatchObject({ holds: true });
      }),
    );
  });
});
