import { foldChain, verifyFolds } from '../../../../core/drift/replay/fold-chain.ts';
import { changeover, FAR, historyOf, SAME } from '../../../support/drift-history.ts';

const days = [SAME, SAME, FAR, SAME, FAR, FAR];
const history = historyOf(days, [changeover(3)], (n) => (n === 1 ? ['m1/speed: stuck'] : []));
const { chain, baseline, windows } = history;

describe('the folds of a device', () => {
  it('are put in their order, whatever order they are read in', () => {
    expect(foldChain(chain.toReversed())).toEqual(chain);
  });
  it('end in the one that is asked for', () => {
    expect(foldChain(chain, chain[2]?.evidence.hash)).toEqual(chain.slice(0, 3));
  });
  it('leave out what somebody else judged who came second', () => {
    const other = historyOf([...days.slice(0, 2), SAME]).chain[2] as (typeof chain)[number];
    expect(foldChain([...chain, other])).toEqual(chain);
  });
  it('are none where there are none', () => {
    expect(foldChain([])).toEqual([]);
  });
  it('follow from their windows, events and findings, to the byte', () => {
    expect(verifyFolds(chain, baseline, windows)).toEqual({ holds: true, folds: 6 });
  });
  it('do not, from the first on that was changed', () => {
    const changed = chain.map((f, i) => (i === 2 ? { ...f, evidence: { ...f.evidence, kind: 'steady' as const } } : f));
    expect(verifyFolds(changed, baseline, windows)).toMatchObject({ holds: false, sequence: 3 });
  });
  it('do not where a window is another than it was, or is gone', () => {
    const [name, window] = [...windows][3] as [string, NonNullable<ReturnType<typeof windows.get>>];
    const other = new Map(windows).set(name, { ...window, rows: 199 });
    expect(verifyFolds(chain, baseline, other)).toMatchObject({
      sequence: 4,
      says: expect.stringMatching(/another than it was/),
    });
    const gone = new Map([...windows].filter(([n]) => n !== name));
    expect(verifyFolds(chain, baseline, gone)).toMatchObject({
      sequence: 4,
      says: expect.stringMatching(/not in the lake/),
    });
  });
  it('do not where one is missing', () => {
    const without = chain.filter((_, i) => i !== 1);
    expect(verifyFolds(without, baseline, windows)).toMatchObject({
      sequence: 3,
      says: expect.stringMatching(/missing/),
    });
  });
  it('do not where the policy was another than is said', () => {
    const other = chain.map((f) => ({ ...f, policy: { ...f.policy, alpha: 0.05 } }));
    expect(verifyFolds(other, baseline, windows)).toMatchObject({ holds: false, sequence: 1 });
  });
});
