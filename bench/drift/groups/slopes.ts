import { AGEING_START, type AgeingState, slopeOf, stepAgeing } from '#core/drift/detectors/ageing-slope.ts';
import { studentUpper } from '#core/drift/tolerance/normal.ts';
import type { GroupOptions } from '../group.ts';
import { shareWithin } from '../share-within.ts';
import { autoregressive } from '../streams.ts';

const LEVEL = 0.05;
/** Passed so many times as often as said is still near enough. */
const NEAR = 1.5;
const LINES = 10_000;

/** Least squares of independent residuals: what a line is worth to who does not look how alike they are. */
const plainRatio = (s: AgeingState): number => {
  const stt = s.tt - s.t ** 2 / s.n;
  const perUnit = (s.tx - (s.t * s.x) / s.n) / stt;
  const residual = s.xx - s.x ** 2 / s.n - perUnit ** 2 * stt;
  return perUnit / Math.sqrt(residual / (s.n - 2) / stt);
};

/** How often a line through window means that go nowhere is called surely going somewhere, at a level of 5 %. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  for (const points of [15, 30, 60, 120])
    for (const rho of [0, 0.5, 0.8]) {
      const next = autoregressive(rho, points);
      let [passed, plain, unknown] = [0, 0, 0];
      for (let line = 0; line < LINES; line++) {
        let state = AGEING_START;
        for (let t = 0; t < points; t++) state = stepAgeing(state, t, next());
        if (Math.abs(plainRatio(state)) > studentUpper(LEVEL / 2, points - 2)) plain++;
        const slope = slopeOf(state);
        if (slope === null || slope.freedom < 1) unknown++;
        else if (Math.abs(slope.perUnit) > studentUpper(LEVEL / 2, slope.freedom) * slope.error) passed++;
      }
      report.figure({
        name: `${points} points, neighbours at ${rho}: passed; not known in ${((100 * unknown) / LINES).toFixed(0)} %`,
        ...shareWithin(passed, LINES),
        unit: '',
        goal: NEAR * LEVEL,
      });
      report.figure({ name: '  residuals taken as independent', ...shareWithin(plain, LINES), unit: '', goal: null });
    }
};
