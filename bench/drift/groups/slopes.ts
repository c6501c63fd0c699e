import { AGEING_START, type AgeingState, slopeOf, stepAgeing } from '#core/drift/detectors/ageing-slope.ts';
import { ageingOf, BY_CHANCE, type Chart, type ChartRule, stepChart } from '#core/drift/device/charts.ts';
import { studentUpper } from '#core/drift/tolerance/normal.ts';
import type { GroupOptions } from '../group.ts';
import { shareWithin } from '../share-within.ts';
import { autoregressive } from '../streams.ts';

/** The usual one, and that of charts: both sides of it. */
const LEVELS = [0.05, 2 * BY_CHANCE] as const;
/** Passed so many times as often as said is still near enough. */
const NEAR = 1.5;
const LINES = 10_000;

const quantiles = new Map<string, number>();
const quantile = (level: number, freedom: number): number => {
  const name = `${level} ${freedom}`;
  const known = quantiles.get(name) ?? studentUpper(level / 2, freedom);
  quantiles.set(name, known);
  return known;
};

/** Least squares of independent residuals: what a line is worth to who does not look how alike they are. */
const plainRatio = (s: AgeingState): number => {
  const stt = s.tt - s.t ** 2 / s.n;
  const perUnit = (s.tx - (s.t * s.x) / s.n) / stt;
  const residual = s.xx - s.x ** 2 / s.n - perUnit ** 2 * stt;
  return perUnit / Math.sqrt(residual / (s.n - 2) / stt);
};

/** How often a line through window means that go nowhere is called surely going somewhere, at each level. */
const lines = ({ report }: GroupOptions): void => {
  for (const points of [10, 15, 20, 30, 60, 120])
    for (const rho of [0, 0.5, 0.7, 0.8, 0.9]) {
      const next = autoregressive(rho, points);
      const passed = LEVELS.map(() => 0);
      let [plain, unknown] = [0, 0];
      for (let line = 0; line < LINES; line++) {
        let state = AGEING_START;
        for (let t = 0; t < points; t++) state = stepAgeing(state, t, next());
        if (Math.abs(plainRatio(state)) > studentUpper(LEVELS[0] / 2, points - 2)) plain++;
        const slope = slopeOf(state);
        if (slope === null || slope.freedom < 1) unknown++;
        else
          for (const [i, level] of LEVELS.entries())
            if (Math.abs(slope.perUnit) > quantile(level, slope.freedom) * slope.error)
              passed[i] = (passed[i] as number) + 1;
      }
      for (const [i, level] of LEVELS.entries())
        report.figure({
          name: `${points} points, neighbours at ${rho}, level ${100 * level} %: passed; not known in ${((100 * unknown) / LINES).toFixed(0)} %`,
          ...shareWithin(passed[i] as number, LINES),
          unit: '',
          goal: NEAR * level,
        });
      report.figure({
        name: `  residuals taken as independent, ${100 * LEVELS[0]} %`,
        ...shareWithin(plain, LINES),
        unit: '',
        goal: null,
      });
    }
};

/** Window means in their standard deviations, from the twentieth window on. */
const MOVES: Readonly<Record<string, (window: number) => number>> = {
  'a step of 2': () => 2,
  'wear of 0.03 a window': (window) => 0.03 * window,
  'wear of 0.1 a window': (window) => 0.1 * window,
  'wear of 0.3 a window': (window) => 0.3 * window,
};
const QUIET = 20;
const SEEN = 130;
const RULE: ChartRule = { limit: 12, center: 0, sd: 1, windows: 200 };
const DEVICES = 1000;

/** How often charts beyond their limit say that something ages, and how soon. */
const charts = ({ report }: GroupOptions): void => {
  for (const rho of [0, 0.5, 0.8])
    for (const [name, move] of Object.entries(MOVES)) {
      const next = autoregressive(rho, SEEN);
      const said: number[] = [];
      for (let device = 0; device < DEVICES; device++) {
        let chart: Chart | undefined;
        for (let t = 0; t < QUIET + SEEN; t++) {
          chart = stepChart(chart, next() + (t < QUIET ? 0 : move(t - QUIET)), t, RULE);
          if (ageingOf(chart, RULE.limit) === null) continue;
          said.push(t - QUIET);
          break;
        }
      }
      const median = said.sort((a, b) => a - b)[Math.floor(said.length / 2)] ?? Number.NaN;
      report.figure({
        name: `${name}, neighbours at ${rho}: called ageing within ${SEEN} windows, the median after ${median}`,
        ...shareWithin(said.length, DEVICES),
        unit: '',
        goal: null,
      });
    }
};

export const measure = async (o: GroupOptions): Promise<void> => {
  lines(o);
  charts(o);
};
