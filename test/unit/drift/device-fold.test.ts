import fc from 'fast-check';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { WindowEvidence } from '#core/contracts/drift.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import { keptOwn } from '#core/drift/device/window-kind.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { baselineOfRows } from '../../../bench/drift/baseline-of-rows.ts';
import { baselineOf, featureOn, numericCells } from '../../support/baselines.ts';
import {
  eventAt,
  FEATURES,
  HOUR,
  JUDGING,
  judgeAll,
  kindsOf,
  machineBaseline,
  normal,
  ROWS,
  rowsOf,
  type Seen,
  seenOf,
  times,
  windowsOf,
} from '../../support/drift-device.ts';

const ALL_MOVED = [1.5, 1.5, 1.5, 1.5];
const calm = (n: number, seed = 1): Seen[] => seenOf(n, seed);
const moved = (n: number, shift: readonly number[], seed = 2): Seen[] => seenOf(n, seed, () => shift);

describe('windows of a device', () => {
  it('are steady while the machine runs as in training', () => {
    const { evidence } = judgeAll(windowsOf(calm(60)));
    expect(new Set(kindsOf(evidence))).toEqual(new Set(['steady']));
    expect(evidence[0]).toMatchObject({ against: 'fixed', calibrated: true, context: 'all', assets: ['asset-1'] });
    expect(WindowEvidence.parse(evidence[0])).toEqual(evidence[0]);
  });
  it('are serious when one feature moved far, and say which and since when', () => {
    const { evidence } = judgeAll(windowsOf([...calm(3), ...moved(30, [0, 2])]));
    expect(kindsOf(evidence)).toEqual([...times(3, () => 'steady'), ...times(30, () => 'serious')]);
    expect(evidence[4]?.features[0]).toMatchObject({ name: 'load' });
    expect(evidence[4]?.since).toBe(evidence[3]?.from);
    expect(evidence[3]?.says[0]).toContain('far from the fixed reference: load');
    expect(evidence[3]?.says).not.toContain('as it has been of late: nothing more changed');
    expect(evidence.at(-1)?.says).toContain('as it has been of late: nothing more changed');
  });
  it('say how far a feature moved by each distance, and between which bounds', () => {
    const { evidence } = judgeAll(windowsOf(moved(1, [0, 2])));
    const [feature] = evidence[0]?.features ?? [];
    for (const name of ['js', 'wasserstein', 'ks'] as const) {
      const [lower, upper] = feature?.bounds?.[name] ?? [0, 0];
      expect(lower).toBeGreaterThan(0);
      expect(feature?.[name]).toBeGreaterThan(lower);
      expect(upper).toBeGreaterThan(feature?.[name] ?? 1);
    }
  });
  it('have an e-value that grows while a change stays and stays small while there is none', () => {
    const { evidence } = judgeAll(windowsOf([...calm(30), ...moved(10, [0, 1])]));
    expect(evidence[29]?.eValue).toBeLessThan(10);
    expect(evidence.at(-1)?.eValue).toBeGreaterThan(1000);
  });
  it('count how often many features in a row were far off', () => {
    const { evidence } = judgeAll(windowsOf([...moved(3, [2, 2]), ...calm(1)]));
    expect(evidence.map((e) => e.farOffWindows)).toEqual([1, 2, 3, 0]);
  });
  it('are ageing when a mean goes one way slowly, with the time to its limit', () => {
    const next = normal(5);
    const seen = times(80, (i) => ({ rows: rowsOf(next, ROWS, [0, 0, Math.max(0, i - 20) * 0.01]) }));
    const { evidence } = judgeAll(windowsOf(seen));
    const first = evidence.findIndex((e) => e.kind === 'ageing');
    expect(first).toBeGreaterThan(20);
    expect((first - 20) * 0.01).toBeLessThan(0.45);
    const last = evidence.filter((e) => e.kind === 'ageing').at(-1);
    expect(last?.ageing?.feature).toBe('speed');
    expect(last?.ageing?.perDay).toBeGreaterThan(0.15);
    expect(last?.ageing?.perDay).toBeLessThan(0.35);
    expect(last?.ageing?.daysToLimit).toBeGreaterThan(0);
  });
  it('are watched when a mean stays off by so little that no window alone shows it', () => {
    const { evidence } = judgeAll(windowsOf(moved(120, [0.3])));
    const off = evidence.find((e) => e.kind === 'watch' && e.state === 'steady');
    expect(off?.says[0]).toContain('a mean is off for long');
    expect(off?.says[0]).toContain('flow');
  });
  it('are never serious where the baseline has too few windows', () => {
    const few = baselineOfRows(FEATURES, { rows: rowsOf(normal(3), 30 * ROWS), window: ROWS, cells: 10 });
    const { evidence } = judgeAll(windowsOf(moved(2, [3]), few), { baseline: few });
    expect(evidence.map((e) => [e.kind, e.calibrated])).toEqual([
      ['watch', false],
      ['watch', false],
    ]);
  });
  it('are never serious where most windows of the baseline are alone in their context, with no others to be held against', () => {
    const ofMany = (alone: number): BaselineSpec =>
      baselineOfRows(FEATURES, {
        rows: rowsOf(normal(3), 120 * ROWS),
        window: ROWS,
        cells: 10,
        contexts: Array.from({ length: 120 * ROWS }, (_, row) =>
          row < alone * ROWS ? `alone-${Math.floor(row / ROWS)}` : 'all',
        ),
      });
    const kindsOf = (baseline: BaselineSpec) =>
      judgeAll(windowsOf(moved(2, [3]), baseline), { baseline }).evidence.map((e) => [e.kind, e.calibrated]);
    expect(kindsOf(ofMany(40)).at(-1)).toEqual(['watch', false]);
    expect(kindsOf(ofMany(20)).at(-1)).toEqual(['serious', true]);
  });
  it('have no charts where the baseline has fewer than 20', () => {
    const few = baselineOfRows(FEATURES, { rows: rowsOf(normal(3), 10 * ROWS), window: ROWS, cells: 10 });
    const { evidence } = judgeAll(windowsOf(calm(1), few), { baseline: few });
    expect(evidence[0]?.arl0).toBeNull();
    expect(evidence[0]?.features[0]).toMatchObject({ cusum: null, cusumLimit: null });
  });
  it('of two devices are not judged together', () => {
    const [a, b] = windowsOf(calm(2)) as [ReturnType<typeof windowsOf>[0], ReturnType<typeof windowsOf>[0]];
    const of = { baseline: machineBaseline(), policy: JUDGING, events: [], held: [] };
    expect(() => foldWindow(null, [a, { ...b, device: 'edge-2' }], of)).toThrow('fold each device alone');
    expect(() => foldWindow(null, [], of)).toThrow('expected one at least');
  });
});

describe('changes that somebody knows of', () => {
  it('are learned after a tagged changeover and are no drift then', () => {
    const seen = [...calm(3), ...moved(14, ALL_MOVED)];
    const { evidence } = judgeAll(windowsOf(seen), { events: [eventAt(3, 'changeover')] });
    expect(kindsOf(evidence)).toEqual([
      ...times(3, () => 'steady'),
      ...times(8, () => 'warm-up'),
      ...times(6, () => 'steady'),
    ]);
    expect(evidence.map((e) => e.state)).not.toContain('serious');
    expect(evidence[3]?.events).toEqual([{ eventId: 'event-3', digest: digestOf(eventAt(3, 'changeover')) }]);
    expect(evidence.at(-1)?.against).toBe('own');
  });
  it('leave a device that runs on as before with the reference it had', () => {
    const { evidence } = judgeAll(windowsOf(calm(8)), { events: [eventAt(3, 'tool-change')] });
    expect(new Set(kindsOf(evidence))).toEqual(new Set(['steady']));
    expect(evidence.at(-1)?.against).toBe('fixed');
  });
  it('are learned too when they come a little after they were told', () => {
    const { evidence } = judgeAll(windowsOf([...calm(5), ...moved(12, ALL_MOVED)]), {
      events: [eventAt(3, 'changeover')],
    });
    expect(kindsOf(evidence).slice(5)).toEqual([...times(8, () => 'warm-up'), ...times(4, () => 'steady')]);
  });
  it('do not hide a change that comes after what was learned', () => {
    const seen = [...calm(3), ...moved(10, ALL_MOVED), ...moved(2, [1.5, 3.5, 1.5, 1.5], 9)];
    const { evidence } = judgeAll(windowsOf(seen), { events: [eventAt(3, 'changeover')] });
    expect(evidence.at(-1)).toMatchObject({ kind: 'serious', against: 'own' });
    expect(evidence.at(-1)?.features[0]?.name).toBe('load');
  });
  it('are learned in as many contexts as a state holds, eight of a hundred features', () => {
    const of = (count: number, edges: number) => {
      const cells = numericCells(times(edges, (i) => i));
      return keptOwn(baselineOf(times(count, (i) => featureOn(`f${i}`, cells))));
    };
    expect([of(100, 23), of(30, 23), of(4, 23), of(400, 200)]).toEqual([8, 26, 32, 1]);
  });
  it('are learned in 32 contexts at most; others are held against the package, and none is learned for ever', () => {
    const seen = moved(340, ALL_MOVED).map((s, i) => ({ ...s, context: `recipe-${i % 34}` }));
    const { evidence } = judgeAll(windowsOf(seen), { events: [eventAt(0.5, 'changeover')] });
    const last = evidence.slice(-34);
    expect(kindsOf(last)).not.toContain('warm-up');
    expect(last.map((e) => e.against).sort()).toEqual([...times(2, () => 'fixed'), ...times(32, () => 'own')]);
  });
  it('are muted for the declared days where that is the rule', () => {
    const drift = { onEvent: { changeover: 'mute' as const }, muteDays: 0.25 };
    const { evidence } = judgeAll(windowsOf([...calm(2), ...moved(8, [2])]), {
      drift,
      events: [eventAt(2, 'changeover')],
    });
    expect(kindsOf(evidence)).toEqual([...times(2, () => 'steady'), ...times(6, () => 'muted'), 'serious', 'serious']);
    expect(evidence[3]?.state).toBe('steady');
  });
  it('that mute let the machine warm up meanwhile: no context is taken for one of short stretches', () => {
    const seen = [6, 4, 4].flatMap((n, i) => calm(n, i + 1).map((s) => ({ ...s, context: i === 1 ? 'blue' : 'red' })));
    const { evidence, state } = judgeAll(windowsOf(seen), {
      drift: { warmUpRows: 150, muteDays: 0.25 },
      events: [eventAt(3, 'repair')],
    });
    expect(kindsOf(evidence).slice(3)).toEqual([
      ...times(6, () => 'muted'),
      'steady',
      ...times(2, () => 'warm-up'),
      ...times(2, () => 'steady'),
    ]);
    expect(state.shortContexts).toEqual([]);
  });
  it('in the middle of a window leave it out', () => {
    const { evidence } = judgeAll(windowsOf([...calm(2), ...moved(1, [2])]), { events: [eventAt(2.5, 'changeover')] });
    expect(kindsOf(evidence)).toEqual(['steady', 'steady', 'warm-up']);
  });
  it('of other machines, other kinds or before the first window do nothing', () => {
    const events = [
      { ...eventAt(1, 'changeover'), asset: 'asset-9' },
      eventAt(1, 'finding'),
      eventAt(-5, 'changeover'),
    ];
    const seen = windowsOf([...calm(2), ...moved(2, [2])]);
    expect(judgeAll(seen, { events }).evidence).toEqual(judgeAll(seen).evidence);
  });
  it('count once, however often they are told', () => {
    const seen = windowsOf([...calm(3), ...moved(6, ALL_MOVED)]);
    const event = eventAt(3, 'changeover');
    expect(judgeAll(seen, { events: [event, event] }).evidence).toEqual(judgeAll(seen, { events: [event] }).evidence);
  });
  it('come back as a regime that was accepted', () => {
    // A window that is too small cannot be told from others that are not the same.
    const next = normal(8);
    const large = (n: number, shift: readonly number[] = []): Seen[] =>
      times(n, () => ({ rows: rowsOf(next, 5 * ROWS, shift) }));
    const seen = [...large(3), ...large(10, ALL_MOVED), ...large(2)];
    const { evidence } = judgeAll(windowsOf(seen), { events: [eventAt(3, 'changeover')] });
    expect(kindsOf(evidence).slice(-2)).toEqual(['recurring', 'recurring']);
    expect(evidence.at(-1)?.state).toBe('steady');
  });
});

describe('changes that nobody told of', () => {
  it('are a suspected changeover when many features step at once, until its time is over', () => {
    const seen = windowsOf([...calm(3), ...moved(8, ALL_MOVED)]);
    const { evidence } = judgeAll(seen, { drift: { changeoverDays: 0.25 } });
    expect(kindsOf(evidence)).toEqual([
      ...times(3, () => 'steady'),
      ...times(6, () => 'suspected-changeover'),
      'serious',
      'serious',
    ]);
    expect(evidence[3]?.says[0]).toContain('was there a changeover that nobody reported?');
  });
  it('are learned once the operator tells of it', () => {
    const seen = windowsOf([...calm(3), ...moved(14, ALL_MOVED)]);
    const told = judgeAll(seen.slice(0, 5));
    const { evidence } = judgeAll(seen.slice(5), { state: told.state, events: [eventAt(3, 'changeover')] });
    expect(kindsOf(told.evidence).slice(3)).toEqual(['suspected-changeover', 'suspected-changeover']);
    expect(kindsOf(evidence)).toEqual([...times(8, () => 'warm-up'), ...times(4, () => 'steady')]);
  });
});

describe('contexts', () => {
  const shifted = [2, -2, 2, 0];
  const baseline = () => {
    const next = normal(21);
    const rows = [...rowsOf(next, 60 * ROWS), ...rowsOf(next, 60 * ROWS, shifted)];
    const contexts = rows.map((_, i) => (i < 60 * ROWS ? 'red' : 'blue'));
    return baselineOfRows(FEATURES, { rows, window: ROWS, contexts, cells: 10 });
  };
  const inContext = (seen: readonly Seen[], context: string): Seen[] => seen.map((s) => ({ ...s, context }));
  it('are each held against their own rows', () => {
    const of = baseline();
    const seen = [
      ...inContext(calm(3), 'red'),
      ...inContext(moved(3, shifted), 'blue'),
      ...inContext(calm(2, 6), 'red'),
    ];
    const { evidence } = judgeAll(windowsOf(seen, of), { baseline: of });
    expect(new Set(kindsOf(evidence))).toEqual(new Set(['steady']));
    expect(evidence[0]?.against).toBe('context');
    const wrong = judgeAll(windowsOf(inContext(moved(1, shifted), 'red'), of), { baseline: of });
    expect(wrong.evidence[0]?.kind).toBe('serious');
  });
  it('are new although known ones have names that begin alike', () => {
    const known = baseline();
    const of = { ...known, contexts: known.contexts.map((c) => ({ ...c, context: `mill-${c.context}` })) };
    const { evidence } = judgeAll(windowsOf(inContext(calm(1), 'mill'), of), { baseline: of });
    expect(evidence[0]).toMatchObject({ kind: 'new-context', against: 'nothing' });
  });
  it('are tested on the cells that they have rows in: two rows as of another are no change', () => {
    const of = baseline();
    const next = normal(41);
    const rows = rowsOf(next, ROWS).map((row, i) => (i < 2 ? [3, row[1] as number, 3, row[3] as number] : row));
    const { evidence } = judgeAll(windowsOf([{ rows, context: 'red' }], of), { baseline: of });
    expect(kindsOf(evidence)).toEqual(['steady']);
  });
  it('that training did not know are no drift', () => {
    const of = baseline();
    const { evidence } = judgeAll(windowsOf(inContext(moved(2, [5, 5]), 'green'), of), { baseline: of });
    expect(kindsOf(evidence)).toEqual(['new-context', 'new-context']);
    expect(evidence[0]).toMatchObject({ state: 'steady', against: 'nothing', features: [] });
  });
  it('that training did not know are learned after a tagged changeover', () => {
    const of = baseline();
    const seen = [...inContext(calm(2), 'red'), ...inContext(moved(10, [3, 3, 3, 3]), 'green')];
    const { evidence } = judgeAll(windowsOf(seen, of), { baseline: of, events: [eventAt(2, 'changeover')] });
    expect(kindsOf(evidence)).toEqual([
      ...times(2, () => 'steady'),
      ...times(8, () => 'new-context'),
      ...times(2, () => 'steady'),
    ]);
  });
  it('warm up for the declared rows', () => {
    const of = baseline();
    const seen = [...inContext(calm(1), 'red'), ...inContext(moved(3, shifted), 'blue')];
    const { evidence } = judgeAll(windowsOf(seen, of), { baseline: of, drift: { warmUpRows: 150 } });
    expect(kindsOf(evidence)).toEqual(['steady', 'warm-up', 'warm-up', 'steady']);
  });
  it('that are left within their warm-up are judged from their next stretch on, with the rows after a change', () => {
    const of = baseline();
    const stretches = (n: number, windows: number): Seen[] =>
      times(n, (i) =>
        i % 2 === 0 ? inContext(calm(windows, i + 1), 'red') : inContext(moved(windows, shifted, i + 1), 'blue'),
      ).flat();
    const kinds = (windows: number) => {
      const { evidence } = judgeAll(windowsOf(stretches(6, windows), of), { baseline: of, drift: { warmUpRows: 150 } });
      return evidence;
    };
    expect(kindsOf(kinds(1))).toEqual(['steady', 'warm-up', 'warm-up', 'steady', 'steady', 'steady']);
    expect(kinds(1).at(-1)?.says[1]).toContain('shorter than the warm-up');
    expect(kindsOf(kinds(3)).filter((k) => k === 'warm-up')).toHaveLength(10);
  });
  it('that are short and drift are found although every window begins with a warm-up', () => {
    const of = baseline();
    const next = normal(51);
    const seen = times(12, (i) =>
      i % 2 === 0
        ? { rows: rowsOf(next, ROWS, [0, i < 4 ? 0 : 2]), context: 'red' }
        : { rows: rowsOf(next, ROWS, shifted), context: 'blue' },
    );
    const { evidence } = judgeAll(windowsOf(seen, of), { baseline: of, drift: { warmUpRows: 50 } });
    expect(
      evidence
        .slice(4)
        .filter((e) => e.context === 'red')
        .map((e) => e.state),
    ).toEqual(times(4, () => 'serious'));
  });
  it('that two machines run at the same time are no change that has to warm up', () => {
    const of = baseline();
    const seen = times(6, (i) =>
      i % 2 === 0 ? inContext(calm(1, i + 1), 'red') : inContext(moved(1, shifted), 'blue'),
    );
    const windows = windowsOf(seen.flat(), of).map((w, i) => ({ ...w, assets: [`asset-${i % 2}`] }));
    const { evidence } = judgeAll(windows, { baseline: of, drift: { warmUpRows: 150 } });
    expect(kindsOf(evidence)).toEqual(times(6, () => 'steady'));
  });
  it('warm up by themselves where two machines change theirs', () => {
    const of = baseline();
    const plan = [
      ...times(6, (i) => [`asset-${i % 2}`, i % 2 === 0 ? 'red' : 'blue']),
      // The other machine changes within the warm-up of the first, from a context that it had long been in.
      ...[
        ['asset-0', 'blue'],
        ['asset-1', 'red'],
        ['asset-0', 'blue'],
        ['asset-1', 'red'],
        ['asset-0', 'blue'],
      ],
      ...[
        ['asset-1', 'red'],
        ['asset-1', 'blue'],
      ],
    ] as [string, 'red' | 'blue'][];
    const seen = plan.map(([, context], i) =>
      inContext(context === 'red' ? calm(1, i + 1) : moved(1, shifted, i + 1), context),
    );
    const windows = windowsOf(seen.flat(), of).map((w, i) => ({ ...w, assets: [plan[i]?.[0] as string] }));
    const { evidence, state } = judgeAll(windows, { baseline: of, drift: { warmUpRows: 150 } });
    expect(kindsOf(evidence)).toEqual([
      ...times(6, () => 'steady'),
      ...times(4, () => 'warm-up'),
      ...times(2, () => 'steady'),
      'warm-up',
    ]);
    expect(state.shortContexts).toEqual([]);
  });
  it('have a mix of their own that is told apart from drift', () => {
    const of = baseline();
    const { evidence } = judgeAll(windowsOf(inContext(calm(4), 'red'), of), { baseline: of });
    expect(evidence.at(-1)?.mix).toEqual([
      { context: 'blue', share: 0, reference: 0.5 },
      { context: 'red', share: 1, reference: 0.5 },
    ]);
  });
});

describe('data that cannot be trusted', () => {
  const spoilt = (spoil: (row: number[], i: number) => (number | null)[]): Seen => ({
    rows: rowsOf(normal(7), ROWS).map(spoil),
  });
  const cases: Readonly<Record<string, Seen>> = {
    'a sensor that is stuck': spoilt(([_, ...row]) => [0.3, ...row]),
    'a sensor that stuck in the middle of the window': spoilt(([x, ...row], i) => [
      i < 50 ? (x as number) : 0.3,
      ...row,
    ]),
    'a sensor in another unit': spoilt(([x, ...row]) => [(x as number) * 1.8 + 32, ...row]),
    'a sensor on another scale': spoilt(([x, ...row]) => [(x as number) * 1000, ...row]),
    'a sensor that is missing': spoilt(([_, ...row]) => [null, ...row]),
    'a sensor that often says NaN or infinity': spoilt(([x, ...row], i) => [
      i % 3 === 0 ? Number.NaN : i % 3 === 1 ? Number.POSITIVE_INFINITY : (x as number),
      ...row,
    ]),
  };
  it.each(Object.entries(cases))('is %s, and is no drift', (_, seen) => {
    const { evidence } = judgeAll(windowsOf([...calm(2), seen, ...calm(1, 4)]));
    expect(kindsOf(evidence)).toEqual(['steady', 'steady', 'data-quality', 'steady']);
    expect(evidence[2]?.says[0]).toContain('says nothing about drift: flow');
  });
  it('is held for the reasons that were given', () => {
    const { evidence } = judgeAll(windowsOf([...calm(1), ...moved(1, [3])]), {
      held: (i) => (i === 1 ? ['clock-step on flow'] : []),
    });
    expect(kindsOf(evidence)).toEqual(['steady', 'data-quality']);
    expect(evidence[1]).toMatchObject({ held: ['clock-step on flow'] });
  });
  it('comes with a clock that went back', () => {
    const seen = calm(3);
    const back = [...seen.slice(0, 2), { ...(seen[2] as Seen), late: -10 * HOUR }];
    const { evidence } = judgeAll(windowsOf(back));
    expect(evidence[2]?.kind).toBe('data-quality');
    expect(evidence[2]?.says[0]).toContain('the clock of the rows went back');
    const [window] = windowsOf(calm(1));
    const turned = { ...(window as NonNullable<typeof window>), from: '2026-01-06T00:00:00.000Z' };
    expect(judgeAll([turned]).evidence[0]?.says[0]).toContain('the clock of the rows went back from');
  });
  it('is no machine whose rows were on their way for longer than those of others', () => {
    const late = calm(6).map((s, i) => (i % 2 === 0 ? s : { ...s, late: -10 * HOUR }));
    const windows = windowsOf(late).map((w, i) => ({ ...w, assets: [`asset-${i % 2}`] }));
    expect(kindsOf(judgeAll(windows).evidence)).toEqual(times(6, () => 'steady'));
  });
  it('is held once when the clock of a boot is put right, and no longer', () => {
    const seen = calm(4).map((s, i) => (i < 2 ? { ...s, late: 10_000 * HOUR } : s));
    expect(kindsOf(judgeAll(windowsOf(seen)).evidence)).toEqual(['steady', 'steady', 'data-quality', 'steady']);
  });
  it('is no late window of a boot before', () => {
    const [a, b, c] = windowsOf(calm(3)) as [Window, Window, Window];
    const first = judgeAll([b]);
    const of = { baseline: machineBaseline(), policy: JUDGING, events: [], held: [] };
    expect(foldWindow(first.state, [{ ...a, boot: 'earlier' }, c], of).evidence.kind).toBe('steady');
  });
  it('leaves the state as it was', () => {
    const windows = windowsOf([...calm(2), cases['a sensor that is stuck'] as Seen]);
    const before = judgeAll(windows.slice(0, 2)).state;
    const after = judgeAll(windows).state;
    expect(after.charts).toEqual(before.charts);
    expect(after.eValues).toEqual(before.eValues);
    expect(after.rolling).toEqual(before.rolling);
  });
  it('is not one wild value, a few missing ones or a feature that never varied', () => {
    const wild = spoilt(([x, ...row], i) => [i === 4 ? 1e9 : i < 3 ? null : (x as number), ...row]);
    expect(judgeAll(windowsOf([...calm(1), wild])).evidence[1]?.kind).toBe('steady');
    const next = normal(31);
    const rows = times(120 * ROWS, () => [next(), 7]);
    const constant = baselineOfRows(['flow', 'level'], { rows, window: ROWS, cells: 10 });
    const seen = [{ rows: rows.slice(0, ROWS) }, { rows: times(ROWS, () => [next(), 8]) }];
    const { evidence } = judgeAll(windowsOf(seen, constant), { baseline: constant });
    expect(evidence[0]?.kind).toBe('steady');
    expect(evidence[1]).toMatchObject({ kind: 'serious', features: [{ name: 'level' }, { name: 'flow' }] });
  });
});

describe('a category', () => {
  const baseline: BaselineSpec = {
    schema: 'baseline/2',
    featureSetDigest: `sha256:${'0'.repeat(64)}`,
    rows: 12_000,
    windows: { rows: ROWS, count: 120 },
    features: [
      {
        name: 'tool',
        cells: { kind: 'category', names: ['a', 'b'], others: ['c'] },
        counts: [6000, 5000, 1000, 0, 0],
        windowStatistic: { mean: 2, variance: 4 },
      },
    ],
    joint: null,
    contexts: [],
  };
  const judge = (names: readonly (string | null)[]) => {
    const rows = times(ROWS, (i) => [names[i % names.length] ?? null]);
    return judgeAll(windowsOf([{ rows }], baseline), { baseline }).evidence[0];
  };
  const USUAL = ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a', 'c'];
  it('is steady with the names that it had, and has no charts and no order', () => {
    expect(judge(USUAL)).toMatchObject({ kind: 'steady', arl0: null });
    expect(judge(USUAL)?.features[0]).toMatchObject({ z: null, cusum: null, wasserstein: null, ks: null });
  });
  it('changes with names that training did not have', () => {
    expect(judge(['a', 'b', 'new'])).toMatchObject({ kind: 'serious', features: [{ name: 'tool' }] });
  });
  it('is no drift where it is missing', () => {
    expect(judge(['a', 'b', null])?.kind).toBe('data-quality');
    expect(judge([null])).toMatchObject({ kind: 'data-quality', features: [] });
  });
});

describe('the chain of evidence', () => {
  const seen = fc.array(
    fc.record({
      seed: fc.integer({ min: 1, max: 1000 }),
      shift: fc.constantFrom([], [0.5], [2], ALL_MOVED),
      bad: fc.boolean(),
      hold: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const eventsOf = fc.subarray([eventAt(1, 'changeover'), eventAt(2, 'tool-change'), eventAt(3.5, 'repair')]);
  it('is the same, byte by byte, for who folds the same windows again from any state that was stored', () => {
    fc.assert(
      fc.property(seen, eventsOf, fc.nat(), (each, events, cut) => {
        const windows = windowsOf(
          each.map(({ seed, shift, bad }) => ({
            rows: rowsOf(normal(seed), ROWS, shift).map((row) => (bad ? [1, ...row.slice(1)] : row)),
          })),
        );
        const held = (i: number): string[] => (each[i]?.hold === true ? ['stuck'] : []);
        const whole = judgeAll(windows, { events, held });
        const at = cut % (windows.length + 1);
        const first = judgeAll(windows.slice(0, at), { events, held });
        const stored = at === 0 ? null : JSON.parse(JSON.stringify(first.state));
        const rest = judgeAll(windows.slice(at), {
          events: [...events].reverse(),
          held: (i) => held(i + at),
          state: stored,
        });
        expect(canonicalJson([...first.evidence, ...rest.evidence])).toBe(canonicalJson(whole.evidence));
        for (const [i, { hash, ...document }] of whole.evidence.entries()) {
          expect(hash).toBe(digestOf(document));
          expect(document.previous).toBe(whole.evidence[i - 1]?.hash ?? null);
          expect(document.sequence).toBe(i + 1);
        }
      }),
      { numRuns: 15 },
    );
  });
  it('does not depend on the order or repetition of the windows that are added up', () => {
    const [a, b, c] = windowsOf(calm(3)) as [Window, Window, Window];
    const of = { baseline: machineBaseline(), policy: JUDGING, events: [], held: [] };
    expect(foldWindow(null, [c, a, b, a], of)).toEqual(foldWindow(null, [a, b, c], of));
  });
  it('stays of one size however many windows there were', () => {
    const length = (n: number): number => JSON.stringify(judgeAll(windowsOf(calm(n))).state).length;
    expect(length(120)).toBeLessThan(4000);
  });
});
type Window = ReturnType<typeof windowsOf>[number];
