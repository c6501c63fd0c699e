import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { perAssetLevel, varianceOfAssets } from '#core/drift/baselines/per-asset.ts';
import { chartLimits } from '#core/drift/device/chart-limits.ts';
import { type Chart, stepChart } from '#core/drift/device/charts.ts';
import { medianOf } from '../../statistics.ts';
import { periodicAlarms } from '../dummy.ts';
import type { GroupOptions } from '../group.ts';

/** Engines that limits are made of; the others are judged. */
const CALIBRATED = 50;
/** Cycles that an engine shows itself in, and those that are taken as healthy after them. */
const OWN = 20;
const HEALTHY = 50;
/** Cycles until the first of all charts of an engine alarms although nothing changed. */
const ARL0 = 10_000;
const SENSORS = 21;
/** Sensors that vary less than this never did. */
const LEAST_SD = 1e-6;

/** Cycles of one engine, sensors of each. */
type Engine = readonly (readonly number[])[];

const enginesOf = (file: string): Engine[] => {
  const engines = new Map<string, number[][]>();
  for (const line of gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n')) {
    const [engine = '', , ...cells] = line.trim().split(/\s+/);
    engines.set(engine, [...(engines.get(engine) ?? []), cells.slice(3, 3 + SENSORS).map(Number)]);
  }
  return [...engines.values()];
};

const meanOf = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
const sensor = (engine: Engine, s: number, from: number, to: number): number[] =>
  engine.slice(from, to).map((cycle) => cycle[s] as number);

interface Level {
  readonly sensor: number;
  readonly center: (engine: Engine) => number;
  /** Windows that the centre of an engine was taken over. */
  readonly windows: number;
}

/** Every engine is held against all of them. */
const fleetLevels = (engines: readonly Engine[]): Level[] =>
  Array.from({ length: SENSORS }, (_, s) => {
    const fleet = meanOf(engines.flatMap((e) => sensor(e, s, 0, HEALTHY)));
    return { sensor: s, center: () => fleet, windows: Number.POSITIVE_INFINITY };
  });

/** Every engine is held against its own first cycles, shrunk to all of them. */
const ownLevels = (engines: readonly Engine[]): Level[] =>
  Array.from({ length: SENSORS }, (_, s) => {
    const first = engines.map((e) => sensor(e, s, 0, OWN));
    const fleet = meanOf(first.flat());
    const variances = varianceOfAssets(first);
    const center = (e: Engine): number =>
      perAssetLevel({ own: meanOf(sensor(e, s, 0, OWN)), windows: OWN, fleet, ...variances });
    return { sensor: s, center, windows: OWN };
  });

/** First cycle, from 0, at which any chart of an engine alarms; null when none does. */
type Detector = (engine: Engine) => number | null;

const chartsOf = (levels: readonly Level[], engines: readonly Engine[]): Detector => {
  const residuals = levels.map((level) => ({
    level,
    healthy: engines.flatMap((e) => sensor(e, level.sensor, OWN, HEALTHY).map((x) => x - level.center(e))),
  }));
  const varying = residuals.filter(({ healthy }) => {
    const mean = meanOf(healthy);
    return Math.sqrt(meanOf(healthy.map((x) => (x - mean) ** 2))) > LEAST_SD;
  });
  const cells = { kind: 'numeric', edges: [0], atoms: [], range: null, center: 0, scale: 1 } as const;
  const baseline: BaselineSpec = {
    schema: 'baseline/2',
    featureSetDigest: `sha256:${'0'.repeat(64)}`,
    rows: varying[0]?.healthy.length ?? 1,
    windows: { rows: 1, count: varying[0]?.healthy.length ?? 0 },
    features: varying.map(({ level, healthy }) => ({
      name: `sensor-${level.sensor + 1}`,
      cells: { ...cells, edges: [...cells.edges], atoms: [] },
      counts: [],
      windowMeans: healthy,
    })),
    joint: null,
    contexts: [],
  };
  const limits = chartLimits(baseline, ARL0, 1);
  if (limits === null) throw new Error('expected healthy cycles of at least 20 windows');
  return (engine) => {
    const states: (Chart | undefined)[] = varying.map(() => undefined);
    for (let cycle = OWN; cycle < engine.length; cycle++) {
      for (const [i, { level }] of varying.entries()) {
        const { mean, sd } = limits.features[i] as { mean: number; sd: number };
        const rule = { limit: limits.limit, center: mean, sd, windows: level.windows };
        const x = (engine[cycle]?.[level.sensor] as number) - level.center(engine);
        const state = stepChart(states[i], x, cycle, rule);
        states[i] = state;
        if (Math.max(state.up, state.down) > limits.limit) return cycle;
      }
    }
    return null;
  };
};

const judged = (
  { report }: GroupOptions,
  name: string,
  detector: Detector,
  engines: readonly Engine[],
  lead: number | null,
): void => {
  const alarms = engines.map((e) => ({ at: detector(e), life: e.length }));
  const early = alarms.filter(({ at }) => at !== null && at < HEALTHY).length;
  // An alarm among healthy cycles says nothing of the failure.
  const leads = alarms
    .flatMap(({ at, life }) => (at === null || at < HEALTHY ? [] : [life - at]))
    .sort((a, b) => a - b);
  const cycles = engines.length * (HEALTHY - OWN);
  report.figure({
    name: `${name}: alarms in ${cycles} healthy cycles`,
    value: early,
    unit: '',
    goal: lead === null ? null : 0,
  });
  report.figure({
    name: `${name}: engines of ${engines.length} found`,
    value: leads.length,
    unit: '',
    goal: null,
    ...(lead === null ? {} : { atLeast: engines.length }),
  });
  if (leads.length === 0) return;
  report.figure({
    name: `${name}: cycles before failure, median`,
    value: medianOf(leads),
    unit: 'cycles',
    goal: null,
    ...(lead === null ? {} : { atLeast: lead }),
    interval: [leads[Math.floor(leads.length / 10)] as number, leads.at(-1) as number],
  });
};

/** NASA C-MAPSS: engines that wear, each held against its fleet and against itself; a dummy that alarms by the clock beside. */
export const measure = async (o: GroupOptions): Promise<void> => {
  for (const set of ['FD001', 'FD003']) {
    const file = join(o.data, 'cmapss', `train_${set}.txt.gz`);
    if (!existsSync(file)) {
      o.report.note(`skipped: no ${file}`);
      continue;
    }
    const engines = enginesOf(file);
    const [calibrating, others] = [engines.slice(0, CALIBRATED), engines.slice(CALIBRATED)];
    o.report.note(
      `${set}: limits of engines 1 to ${CALIBRATED}; cycles ${OWN + 1} to ${HEALTHY} are taken as healthy; intervals from the 10th percentile`,
    );
    judged(
      o,
      `${set}, against itself`,
      chartsOf(ownLevels(calibrating), calibrating),
      others,
      set === 'FD001' ? 74 : null,
    );
    judged(o, `${set}, against the fleet`, chartsOf(fleetLevels(calibrating), calibrating), others, null);
    judged(
      o,
      `${set}, dummy every 100 cycles`,
      (e) => (periodicAlarms(e.length - OWN, 100)[0] ?? -OWN) + OWN - 1,
      others,
      null,
    );
  }
};
