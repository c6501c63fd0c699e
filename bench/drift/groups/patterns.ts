import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { DriftPolicy, WindowEvidence } from '#core/contracts/drift.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import { unpack } from '#core/drift/baselines/counts.ts';
import { type Rolling, roll } from '#core/drift/baselines/rolling.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import type { DeviceState } from '#core/drift/device/device-state.ts';
import { judgeFeatures } from '#core/drift/device/judge-features.ts';
import { psi, sharesOf } from '#core/drift/effects/psi.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { baselineOfRows, windowOfRows } from '../baseline-of-rows.ts';
import type { GroupOptions } from '../group.ts';
import { POLICY } from '../policy.ts';
import { shareWithin } from '../share-within.ts';
import { normals } from '../streams.ts';

const ROWS = 200;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);
const SHIFT = 0.5;

const rowsAt = (next: () => number, mean: number): number[][] => Array.from({ length: ROWS }, () => [mean + next()]);

/** A device whose windows come one an hour. */
class Device {
  readonly #baseline: BaselineSpec;
  readonly #policy: JudgingPolicy;
  state: DeviceState | null = null;
  #window = 0;

  constructor(baseline: BaselineSpec, drift: DriftPolicy) {
    this.#baseline = baseline;
    this.#policy = { ...POLICY, drift };
  }

  /** @param keeps false: as if it had not been. */
  see(
    rows: readonly (readonly number[])[],
    o: { context?: string; events?: readonly PlantEvent[]; keeps?: boolean; at?: number } = {},
  ): WindowEvidence {
    const { context = 'all', events = [], keeps = true, at = START + this.#window * HOUR } = o;
    const window = windowOfRows(this.#baseline, {
      rows,
      sequence: 1 + this.#window * ROWS,
      at,
      every: HOUR / ROWS,
      context,
    });
    const folded = foldWindow(this.state, [window], {
      baseline: this.#baseline,
      policy: this.#policy,
      events,
      held: [],
    });
    if (keeps) {
      this.state = folded.state;
      this.#window += 1;
    }
    return folded.evidence;
  }
}

/** Whether a window is called in any way: by its state, or by what comes slowly. */
const isCalled = ({ state, kind }: WindowEvidence): boolean =>
  state !== 'steady' || kind === 'watch' || kind === 'ageing' || kind === 'suspected-changeover';
/** Whether the window alone shows it, whatever was before. */
const isSeen = ({ state, kind }: WindowEvidence): boolean => state !== 'steady' || kind === 'suspected-changeover';
/** Whether it may have a say in a retrain; what is only watched asks for labels at most. */
const isVote = ({ state }: WindowEvidence): boolean => state === 'serious';

/** Whether windows together call it, although the one alone is within what is tolerated. */
const isSlow = ({ state, kind }: WindowEvidence): boolean =>
  kind === 'ageing' || (kind === 'watch' && state === 'steady');

const pooledPsi = (baseline: BaselineSpec, rows: readonly (readonly number[])[]): number => {
  const counts = windowOfRows(baseline, { rows, sequence: 1, at: START, every: 1 }).features[0]?.counts ?? [];
  return psi(sharesOf(baseline.features[0]?.counts ?? []), sharesOf(counts));
};

const season = ({ report }: GroupOptions): void => {
  const days = 60;
  const next = normals(1);
  const cycle = (hour: number): number => Math.sin((2 * Math.PI * (hour % 24)) / 24);
  const rows: number[][] = [];
  const at: number[] = [];
  for (let hour = 0; hour < days * 24; hour++)
    for (const [i, row] of rowsAt(next, cycle(hour)).entries()) {
      rows.push(row);
      at.push(START + (hour + i / ROWS) * HOUR);
    }
  const baseline = baselineOfRows(['heat'], { rows, window: ROWS, season: { of: { hours: 1 }, at } });
  const device = new Device(baseline, { season: { hours: 1 } });
  const hours = 2 * 365 * 24;
  let votes = 0;
  let watched = 0;
  const pooled = [0, 0];
  for (let hour = 0; hour < hours; hour++) {
    const seen = rowsAt(next, cycle(hour));
    const evidence = device.see(seen);
    votes += Number(isVote(evidence));
    watched += Number(isCalled(evidence));
    const index = pooledPsi(baseline, seen);
    pooled[0] = (pooled[0] as number) + Number(index > 0.1);
    pooled[1] = (pooled[1] as number) + Number(index > 0.25);
  }
  report.figure({ name: 'cycle of 1 σ, 2 years: drift votes of 17,520 windows', value: votes, unit: '', goal: 0 });
  report.figure({ name: '  windows only watched', unit: '', goal: POLICY.alpha, ...shareWithin(watched, hours) });
  report.figure({ name: '  pooled PSI > 0.1 calls', unit: '', goal: null, ...shareWithin(pooled[0] as number, hours) });
  report.figure({
    name: '  pooled PSI > 0.25 calls',
    unit: '',
    goal: null,
    ...shareWithin(pooled[1] as number, hours),
  });
  report.figure({ name: '  dummy, a vote a day', value: hours / 24, unit: 'votes', goal: null });
  const tried = 960;
  let found = 0;
  for (let i = 0; i < tried; i++)
    found += Number(
      isSeen(device.see(rowsAt(next, cycle(hours + i) + SHIFT), { keeps: false, at: START + (hours + i) * HOUR })),
    );
  const share = shareWithin(found, tried);
  report.figure({ name: `  shifts of ${SHIFT} σ seen in one window`, unit: '', goal: null, atLeast: 0.95, ...share });
};

const changeover = (index: number, at: number): PlantEvent => ({
  schema: 'plant-event/1',
  eventId: `changeover-${index}`,
  kind: 'changeover',
  site: 'plant-a',
  asset: 'asset-1',
  run: null,
  index: null,
  validTime: new Date(at).toISOString(),
  knownTime: new Date(at).toISOString(),
  reportedBy: 'planner',
  detail: {},
});

const RECIPES = ['red', 'green', 'blue', 'white'] as const;
const MEANS: Readonly<Record<string, number>> = { red: 0, green: 1.5, blue: -2, white: 3 };

const changeovers = ({ report }: GroupOptions): void => {
  const next = normals(2);
  const each = 120;
  const rows = RECIPES.flatMap((recipe) =>
    Array.from({ length: each }, () => rowsAt(next, MEANS[recipe] as number)).flat(),
  );
  const contexts = RECIPES.flatMap((recipe) => new Array<string>(each * ROWS).fill(recipe));
  const baseline = baselineOfRows(['load'], { rows, window: ROWS, contexts });
  const device = new Device(baseline, {});
  const choose = seededRandom(3);
  let votes = 0;
  let watched = 0;
  let windows = 0;
  let pooled = 0;
  for (let i = 0; i < 1000; i++) {
    const context = RECIPES[Math.floor(choose() * RECIPES.length)] as string;
    const event = changeover(i, START + windows * HOUR);
    for (let w = 0; w < 3; w++, windows++) {
      const seen = rowsAt(next, MEANS[context] as number);
      const evidence = device.see(seen, { context, events: [event] });
      votes += Number(isVote(evidence));
      watched += Number(isCalled(evidence));
      pooled += Number(pooledPsi(baseline, seen) > 0.25);
    }
  }
  report.figure({ name: '1,000 tagged changeovers of 4 recipes: drift votes', value: votes, unit: '', goal: 0 });
  report.figure({ name: '  windows only watched', unit: '', goal: POLICY.alpha, ...shareWithin(watched, windows) });
  report.figure({ name: '  pooled PSI > 0.25 calls', unit: '', goal: null, ...shareWithin(pooled, windows) });
  report.figure({ name: '  dummy, a vote a day', value: Math.floor(windows / 24), unit: 'votes', goal: null });
  let found = 0;
  const tried = 800;
  for (let i = 0; i < tried; i++) {
    const context = RECIPES[i % RECIPES.length] as string;
    found += Number(
      isSeen(new Device(baseline, {}).see(rowsAt(next, (MEANS[context] as number) + SHIFT), { context })),
    );
  }
  const share = shareWithin(found, tried);
  report.figure({
    name: `  shifts of ${SHIFT} σ in a recipe seen in one window`,
    unit: '',
    goal: null,
    atLeast: 0.95,
    ...share,
  });
};

const ageing = ({ report }: GroupOptions): void => {
  const [runs, calm, worn, step] = [40, 50, 150, 0.01];
  const at: number[] = [];
  const byRolling: number[] = [];
  let early = 0;
  let ageings = 0;
  for (let run = 0; run < runs; run++) {
    const next = normals(100 + run);
    const rows = Array.from({ length: 120 }, () => rowsAt(next, 0)).flat();
    const baseline = baselineOfRows(['wear'], { rows, window: ROWS });
    const device = new Device(baseline, {});
    let rolling: Rolling | null = null;
    let found: number | null = null;
    let foundRolling: number | null = null;
    let said = false;
    let before = false;
    for (let w = 0; w < calm + worn; w++) {
      const aged = Math.max(0, w - calm) * step;
      const seen = rowsAt(next, aged);
      const evidence = device.see(seen);
      const called = isSlow(evidence);
      if (called && w < calm && !before) early += 1;
      if (called && !before && w >= calm) found ??= aged;
      before = called;
      said ||= evidence.kind === 'ageing';
      const window = windowOfRows(baseline, { rows: seen, sequence: 1, at: START, every: 1 });
      const sketches = new Map(window.features.map((s) => [s.name, s]));
      if (rolling !== null && w >= 20) {
        const judged = judgeFeatures(baseline, unpack(rolling.packed), sketches, POLICY);
        if ((judged[0]?.lower ?? 0) > POLICY.psiWatch) foundRolling ??= aged;
      }
      rolling = roll(rolling, { context: 'all', rows: ROWS, counts: window.features.map((s) => s.counts) });
    }
    if (found !== null) at.push(found);
    if (foundRolling !== null) byRolling.push(foundRolling);
    ageings += Number(said);
  }
  const sorted = at.sort((a, b) => a - b);
  report.figure({
    name: `ageing by ${step} σ a window: runs of ${runs} found`,
    value: at.length,
    unit: '',
    goal: null,
    atLeast: runs,
  });
  report.figure({
    name: '  aged when found, median',
    value: sorted[Math.floor(sorted.length / 2)] as number,
    unit: 'σ',
    goal: 0.25,
    interval: [sorted[0] as number, sorted.at(-1) as number],
  });
  report.figure({ name: '  said to be ageing, with a time to the limit', value: ageings, unit: 'runs', goal: null });
  report.figure({ name: `  alarms in ${runs * calm} windows before it`, value: early, unit: '', goal: 1 });
  report.figure({ name: '  by a rolling baseline: runs found', value: byRolling.length, unit: '', goal: null });
  report.figure({
    name: '  dummy, an alarm a day: before it',
    value: Math.floor((runs * calm) / 24),
    unit: 'alarms',
    goal: null,
  });
};

/** Patterns of factories, made here: a daily cycle, changeovers, slow ageing; through the whole judgement of a device. */
export const measure = async (o: GroupOptions): Promise<void> => {
  season(o);
  changeovers(o);
  ageing(o);
};
