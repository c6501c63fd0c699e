import type { CalibrationDrift } from '../contracts/judgement.ts';
import { averageOf } from '../drift/bets.ts';
import { CALIBRATION_START, calibrationValue, stepCalibration } from '../drift/detectors/calibration.ts';
import { compareText } from '../text/compare.ts';
import type { CountedOutcome } from './counted.ts';
import { weighedLoss } from './selection.ts';

const within = (x: number): number => Math.min(0.999, Math.max(0.001, x));
/** An error from −1 to 1 as what the detector takes. */
const placed = (error: number): number => (1 + error) / 2;

/**
 * Whether the answers of a package moved to one side of the truth: a two-sided e-detector on the mean error of each unit
 * that failed, in the order they became known. Of others the truth is a bound, and says nothing of a side. An outcome
 * with a weight is drawn towards the middle of what is allowed, so that its bet is no larger than is fair.
 * @param allowed lowest and highest mean error that are as they should be, shares of the cap.
 * @param threshold the number of outcomes until it is reached without a change is at least this on the average.
 * @returns null when no unit failed yet.
 */
export const calibrationOf = (
  outcomes: readonly CountedOutcome[],
  allowed: readonly [number, number],
  threshold: number,
): CalibrationDrift | null => {
  const failed = outcomes
    .flatMap(({ meanError, ...o }) => (meanError === null ? [] : [{ ...o, meanError }]))
    .sort((a, b) => compareText(`${a.knownTime} ${a.unit}`, `${b.knownTime} ${b.unit}`));
  if (failed.length === 0) return null;
  const [low, high] = [within(placed(allowed[0])), within(placed(allowed[1]))];
  const middle = (low + high) / 2;
  let state = CALIBRATION_START;
  let weights = 0;
  let sum = 0;
  for (const { meanError, weight = 1 } of failed) {
    state = stepCalibration(state, weighedLoss(placed(meanError), weight, middle), low, high);
    weights += weight;
    sum += weight * meanError;
  }
  const eValue = calibrationValue(state);
  const meanError = sum / weights;
  return {
    outcomes: failed.length,
    meanError,
    allowed: [allowed[0], allowed[1]],
    eValue,
    threshold,
    says: eValue < threshold ? null : averageOf(state.up) > averageOf(state.down) ? 'too hopeful' : 'too gloomy',
  };
};
