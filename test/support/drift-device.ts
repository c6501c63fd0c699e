import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { DriftPolicy, DriftWindow, WindowEvidence } from '#core/contracts/drift.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import type { DeviceState } from '#core/drift/device/device-state.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { baselineOfRows, windowOfRows } from '../../bench/drift/baseline-of-rows.ts';

/** Rows in a window, and how long one lasts. */
export const ROWS = 100;
export const HOUR = 3_600_000;
export const START = Date.UTC(2026, 0, 5);
export const FEATURES = ['flow', 'load', 'speed', 'heat'] as const;

/** Standard normal numbers (Box & Muller 1958). */
export const normal = (seed: number): (() => number) => {
  const next = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
};

/** Four features that have something in common; `shift` is added to each, in standard deviations. */
export const rowsOf = (next: () => number, count: number, shift: readonly number[] = []): number[][] =>
  Array.from({ length: count }, () => {
    const common = next();
    return FEATURES.map((_, i) => 0.6 * common + 0.8 * next() + (shift[i] ?? 0));
  });

export const JUDGING: JudgingPolicy = {
  lossTolerance: 0.02,
  alarmAt: 1000,
  minOutcomes: 5,
  leaveAfter: 5,
  cooldownDays: 1,
  maxRetrains: 1,
  budgetDays: 30,
  maturityDays: 3,
  psiWatch: 0.02,
  psiSerious: 0.1,
  alpha: 0.01,
};

let made: BaselineSpec | undefined;
/** Of 120 windows as {@link rowsOf} makes them. */
export const machineBaseline = (): BaselineSpec => {
  made ??= baselineOfRows(FEATURES, { rows: rowsOf(normal(11), 120 * ROWS), window: ROWS, cells: 10 });
  return made;
};

export interface Seen {
  readonly rows: readonly (readonly (number | string | null)[])[];
  readonly context?: string;
  /** Milliseconds from where its window would begin. */
  readonly late?: number;
}

export const times = <T>(n: number, of: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => of(i));

/** So many windows of the machine; `shift` by the number of the window. */
export const seenOf = (n: number, seed: number, shift: (i: number) => readonly number[] = () => []): Seen[] => {
  const next = normal(seed);
  return times(n, (i) => ({ rows: rowsOf(next, ROWS, shift(i)) }));
};

/** A window an hour. */
export const windowsOf = (seen: readonly Seen[], baseline = machineBaseline()): DriftWindow[] =>
  seen.map(({ rows, context, late = 0 }, i) =>
    windowOfRows(baseline, {
      rows,
      sequence: 1 + i * ROWS,
      at: START + i * HOUR + late,
      every: HOUR / rows.length,
      ...(context === undefined ? {} : { context }),
    }),
  );

export interface Judging {
  readonly baseline?: BaselineSpec;
  readonly drift?: DriftPolicy;
  readonly events?: readonly PlantEvent[];
  readonly held?: (window: number) => readonly string[];
  readonly state?: DeviceState | null;
}

/** All evidence of windows, one after the other, and the state that they leave. */
export const judgeAll = (
  windows: readonly DriftWindow[],
  of: Judging = {},
): { evidence: WindowEvidence[]; state: DeviceState } => {
  const { baseline = machineBaseline(), drift, events = [], held = () => [] } = of;
  const policy = drift === undefined ? JUDGING : { ...JUDGING, drift };
  let state = of.state ?? null;
  const evidence: WindowEvidence[] = [];
  for (const [i, window] of windows.entries()) {
    const folded = foldWindow(state, [window], { baseline, policy, events, held: held(i) });
    state = folded.state;
    evidence.push(folded.evidence);
  }
  return { evidence, state: state as DeviceState };
};

export const kindsOf = (evidence: readonly WindowEvidence[]): string[] => evidence.map((e) => e.kind);

export const eventAt = (hours: number, kind: PlantEvent['kind'], eventId = `event-${hours}`): PlantEvent => {
  const at = new Date(START + hours * HOUR).toISOString();
  return {
    schema: 'plant-event/1',
    eventId,
    kind,
    site: 'plant-a',
    asset: 'asset-1',
    run: null,
    index: null,
    validTime: at,
    knownTime: at,
    reportedBy: 'planner',
    detail: {},
  };
};
