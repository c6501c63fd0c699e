import fc from 'fast-check';
import { DETECTORS } from '../../../../core/drift/detectors-registry.ts';
import { againstChanges } from '../../../../core/drift/replay/against-changes.ts';
import { replayDetector } from '../../../../core/drift/replay/replay-detector.ts';
import { type RecordedLine, refold, replayPolicy } from '../../../../core/drift/replay/replay-policy.ts';
import { anOutcome } from '../../../support/an-outcome.ts';
import { changeover, dayAt, FAR, historyOf, LINE, PACKAGE, policy, SAME } from '../../../support/drift-history.ts';

const outcome = (n: number, loss: number): RecordedLine['outcomes'][number] =>
  anOutcome({
    ...{ modelLine: LINE, packageDigest: PACKAGE, asset: `m${n % 3}`, run: `r${n}` },
    ...{ validTime: dayAt(n), knownTime: dayAt(n + 1), loss },
  });
const lineOf = (losses: readonly number[]): RecordedLine => ({
  ...{ modelLine: LINE, site: 'plant-a', packageDigest: PACKAGE, served: [], labels: [] },
  validationLoss: { mean: 0.05, upper: 0.08, runs: 40 },
  outcomes: losses.map((loss, n) => outcome(n, loss)),
});
const calm = Array.from({ length: 10 }, () => SAME);

describe('a policy on the past', () => {
  it('does nothing where nothing happened', () => {
    const replayed = replayPolicy(lineOf(Array(20).fill(0.05)), [historyOf(calm)], policy);
    expect(replayed).toMatchObject({ windows: 10, outcomes: 20, alarms: [], retrains: [], held: 0, asks: 0 });
    expect(replayed.states.map((s) => s.state)).toEqual(['HEALTHY']);
  });
  it('gives the evidence that was given, where it is the one that was declared', () => {
    const history = historyOf([...calm, FAR, SAME, FAR], [changeover(11)]);
    expect(refold(history, policy).map((e) => e.hash)).toEqual(history.chain.map((f) => f.evidence.hash));
  });
  it('alarms when a device begins to drift, once while it goes on', () => {
    const back = Array.from({ length: policy.leaveAfter }, () => SAME);
    const { alarms } = replayPolicy(lineOf([]), [historyOf([...calm, FAR, FAR, SAME, FAR, ...back, FAR, FAR])], policy);
    expect(alarms.filter((a) => a.says.startsWith('edge-1: far')).map((a) => a.at)).toEqual([
      dayAt(11),
      dayAt(16 + policy.leaveAfter),
    ]);
  });
  it('says less where it tolerates more', () => {
    const history = historyOf([...calm, FAR]);
    const tolerant = { ...policy, psiWatch: 5, psiSerious: 9 };
    expect(replayPolicy(lineOf([]), [history], tolerant).alarms).toEqual([]);
  });
  it('counts windows without a vote', () => {
    const history = historyOf(calm, [], (n) => (n > 7 ? ['m1/speed: stuck'] : []));
    const replayed = replayPolicy(lineOf([]), [history], policy);
    expect(replayed.held).toBe(2);
    expect(replayed.alarms.map((a) => a.says)).toEqual([
      expect.stringMatching(/^line is DATA_QUALITY_HOLD: .*speed: stuck/),
    ]);
  });
  it('asks for a retrain when outcomes confirm a loss, and again only after its cooldown', () => {
    const losses = [...Array(10).fill(0.05), ...Array(80).fill(0.9)];
    const { retrains, states } = replayPolicy(lineOf(losses), [], policy);
    expect(states.map((s) => s.state)).toContain('COOLDOWN');
    expect(retrains.length).toBeGreaterThan(1);
    const apart = retrains.slice(1).map((r, i) => Date.parse(r.at) - Date.parse(retrains[i]?.at as string));
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(policy.cooldownDays * 86_400_000);
  });
  it('counts what a shadow would have asked for', () => {
    const losses = [...Array(10).fill(0.05), ...Array(30).fill(0.9)];
    const shadow = { ...policy, drift: { mode: 'shadow' as const } };
    expect(replayPolicy(lineOf(losses), [], shadow).retrains.length).toBeGreaterThan(0);
  });
  it('asks for a retrain after a change for which it declares one', () => {
    const history = historyOf([...calm, ...calm], [changeover(4)]);
    const declared = { ...policy, drift: { onEvent: { changeover: 'retrain' as const } } };
    const replay = (p: typeof policy) => replayPolicy(lineOf(Array(20).fill(0.05)), [history], p).retrains;
    expect(replay(policy)).toEqual([]);
    expect(replay(declared).map((r) => r.at)).toEqual([dayAt(4 + policy.minOutcomes)]);
  });
  it('weighs outcomes by requests for labels that were there by then', () => {
    const selective = { ...policy, outcomes: { inspected: 'rejects' as const, quota: 0.5 } };
    const losses = Array(20).fill(0.9);
    const line = {
      ...lineOf(losses),
      served: losses.map((_, n) => ({ unit: `m${n % 3}/r${n}`, lastAt: dayAt(n) })),
    };
    const later: RecordedLine['labels'][number] = {
      ...{ schema: 'label-request/1', requestId: 'l1', modelLine: LINE, site: 'plant-a', packageDigest: PACKAGE },
      ...{
        ordinal: 1,
        after: null,
        until: dayAt(90),
        share: 1,
        count: 8,
        candidates: 20,
        units: ['m1/r1'],
        reason: 'x',
      },
    };
    expect(replayPolicy({ ...line, labels: [later] }, [], selective)).toEqual(replayPolicy(line, [], selective));
  });
  it('ends where windows are gone', () => {
    const history = historyOf([...calm, FAR]);
    const windows = new Map([...history.windows].slice(0, 4));
    expect(replayPolicy(lineOf([]), [{ ...history, windows }], policy).windows).toBe(4);
  });
});

describe('a detector on past losses', () => {
  const losses = [...Array(200).fill(0.02), ...Array(200).fill(0.9)].map((loss, n) => ({
    at: dayAt(n),
    unit: `m1/r${n}`,
    loss,
  }));
  it('alarms after the change, whatever it takes', () => {
    for (const name of ['ddm', 'page-hinkley', 'hddm-a', 'adwin']) {
      const alarms = replayDetector(DETECTORS[name] as (typeof DETECTORS)[string], losses, 0.1);
      expect({ name, first: alarms[0] === undefined ? null : alarms[0].at >= dayAt(200) }).toEqual({
        name,
        first: true,
      });
    }
  });
  it('begins anew after an alarm, and so is not in alarm for ever', () => {
    const alarms = replayDetector(DETECTORS['hddm-a'] as (typeof DETECTORS)[string], losses, 0.1);
    expect(alarms).toHaveLength(1);
  });
});

describe('alarms against what changed', () => {
  it('find a change within its days, and before the next one', () => {
    const alarms = [dayAt(5), dayAt(12), dayAt(13), dayAt(80)];
    expect(againstChanges(alarms, [dayAt(40), dayAt(10)], 30)).toEqual({ delays: [2, null], falseAlarms: 3 });
  });
  it('are all false where nothing changed', () => {
    expect(againstChanges([dayAt(1), dayAt(2)], [], 30)).toEqual({ delays: [], falseAlarms: 2 });
  });
  it('are found ones and false ones, and no others', () => {
    const instants = fc.array(fc.nat(400).map(dayAt), { maxLength: 20 });
    fc.assert(
      fc.property(instants, instants, fc.integer({ min: 1, max: 60 }), (a, changes, within) => {
        const alarms = [...a].sort();
        const { delays, falseAlarms } = againstChanges(alarms, changes, within);
        expect(delays).toHaveLength(changes.length);
        expect(delays.filter((d) => d !== null).length + falseAlarms).toBe(alarms.length);
        for (const d of delays) if (d !== null) expect(d >= 0 && d <= within).toBe(true);
      }),
    );
  });
});
