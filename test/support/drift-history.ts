import type { DriftWindow } from '#core/contracts/drift.ts';
import type { DriftFold } from '#core/contracts/drift-fold.ts';
import { artifactKeys, lakeKeys } from '#core/contracts/lake.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import type { DeviceState } from '#core/drift/device/device-state.ts';
import { windowName } from '#core/drift/replay/fold-chain.ts';
import type { RecordedDevice } from '#core/drift/replay/replay-policy.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';

export const LINE = 'predictive-maintenance/plant-a';
export const PACKAGE = `sha256:${'1'.repeat(64)}`;
export const DEVICE = { modelLine: LINE, packageDigest: PACKAGE, site: 'plant-a', device: 'edge-1' };

/** Rows of 200 in five cells: as in training, and far from it. */
export const SAME = [40, 40, 40, 40, 40] as const;
export const FAR = [0, 4, 16, 60, 120] as const;
const NAMES = ['speed', 'load', 'force', 'heat'];

const document = {
  schema: 'baseline/1',
  featureSetDigest: PACKAGE,
  rows: 20_000,
  windows: { rows: 200, count: 100 },
  features: NAMES.map((name) => ({
    ...{ name, edges: [1, 2, 3, 4], shares: [0.2, 0.2, 0.2, 0.2, 0.2], mean: 2.5, std: 1 },
    ...{ windowStatistic: { mean: 4, variance: 8 }, fewestBins: 5 },
  })),
};
export const baseline = readBaseline(document, 'baseline');

export const policy: JudgingPolicy = {
  ...{ lossTolerance: 0.02, alarmAt: 1000, minOutcomes: 8, leaveAfter: 8, cooldownDays: 7, maxRetrains: 3 },
  ...{ budgetDays: 90, maturityDays: 14, psiWatch: 0.02, psiSerious: 0.1, alpha: 0.01 },
};

/** A day of January 2026 and after, as an instant. */
export const dayAt = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString();

/** One window of a day; the first feature has the counts given, the others are as in training. */
const windowAt = (n: number, counts: readonly number[]): DriftWindow => ({
  schema: 'drift-window/1',
  ...DEVICE,
  boot: 'b1',
  windowStart: 200 * n + 1,
  windowEnd: 200 * (n + 1),
  rows: 200,
  context: 'default',
  from: dayAt(n),
  to: dayAt(n + 1),
  assets: ['m1'],
  features: NAMES.map((name, i) => {
    const inner = i === 0 ? counts : SAME;
    const z = 256 * inner.reduce((sum, c, cell) => sum + c * (cell - 2), 0);
    const zz = 256 * 256 * inner.reduce((sum, c, cell) => sum + c * (cell - 2) ** 2, 0);
    const changes = { lag: 0, lagged: 199, longest: 1, changes: 199 };
    return { name, counts: [...inner, 0, 0, 0, 0], n: 200, z, zz, min: 0, max: 5, ...changes };
  }),
});

/** What a device left that had these counts day by day. */
export const historyOf = (
  days: readonly (readonly number[])[],
  events: readonly PlantEvent[] = [],
  held: (day: number) => readonly string[] = () => [],
  by: Pick<RecordedDevice, 'baseline'> & { readonly policy: JudgingPolicy } = { baseline, policy },
): RecordedDevice => {
  const chain: DriftFold[] = [];
  const windows = new Map<string, DriftWindow>();
  let state: DeviceState | null = null;
  for (const [n, counts] of days.entries()) {
    const window = windowAt(n, counts);
    windows.set(windowName(window), window);
    const known = events.filter((e) => e.validTime <= window.to);
    const folded = foldWindow(state, [window], { ...by, events: known, held: held(n) });
    state = folded.state;
    chain.push({ schema: 'drift-fold/1', evidence: folded.evidence, policy: by.policy, events: [...known] });
  }
  return { baseline: by.baseline, chain, windows };
};

/** The objects of a history: of the lake, and of the artifacts. */
export const objectsOf = ({ chain, windows, baseline: of }: RecordedDevice) => ({
  lakeFiles: Object.fromEntries([
    ...chain.map((f) => [lakeKeys.driftEvidence(DEVICE, f.evidence), canonicalJson(f)]),
    ...[...windows.values()].map((w) => [lakeKeys.driftWindow(w), canonicalJson(w)]),
  ]) as Record<string, string>,
  artifactFiles: {
    [`${artifactKeys.package(LINE, PACKAGE)}baseline.json`]: JSON.stringify(of === baseline ? document : of),
  },
});

export const changeover = (day: number): PlantEvent => ({
  ...{ schema: 'plant-event/1', eventId: `c${day}`, kind: 'changeover', site: 'plant-a', asset: 'm1' },
  ...{ run: null, index: null, validTime: dayAt(day), knownTime: dayAt(day), reportedBy: 'mes', detail: {} },
});
