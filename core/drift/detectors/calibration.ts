import { z } from 'zod';
import { averageOf, BETS, stepShiryaevRoberts } from '../bets.ts';
import { defineDetector } from '../define-detector.ts';

const states = z.array(z.number().nonnegative()).length(BETS.length).readonly();
const State = z.strictObject({ up: states, down: states });
type CalibrationState = z.infer<typeof State>;

export const CALIBRATION_START: CalibrationState = { up: BETS.map(() => 0), down: BETS.map(() => 0) };

/** One step. @param x in [0, 1], for example (1 + outcome − probability) / 2. @param low @param high what its mean may be. */
export const stepCalibration = (s: CalibrationState, x: number, low: number, high: number): CalibrationState => ({
  up: stepShiryaevRoberts(s.up, x, high, BETS),
  down: stepShiryaevRoberts(s.down, 1 - x, 1 - low, BETS),
});

/** Half of the larger side: with two sides watched, the run length is still at least what is waited for. */
export const calibrationValue = ({ up, down }: CalibrationState): number =>
  Math.max(averageOf(up), averageOf(down)) / 2;

export const definition = defineDetector({
  name: 'calibration',
  watches: 'loss',
  says: 'a mean that left the range from low to high on either side; the run length without a change is at least alarmAt',
  source: 'two e-SR detectors of Shin, Ramdas & Rinaldo 2022, on x and on 1 − x, with half the weight each',
  options: {
    low: { default: 0.45, min: 1e-3, max: 0.999 },
    high: { default: 0.55, min: 1e-3, max: 0.999 },
    alarmAt: { default: 1e6, min: 1, max: 1e12 },
  },
  problem: ({ low, high }) => (low <= high ? null : `expected low to be at most high, got ${low} and ${high}`),
  state: State,
  start: () => CALIBRATION_START,
  step: (state, x, { low, high }) => stepCalibration(state, x, low, high),
  value: calibrationValue,
  inAlarm: (state, { alarmAt }) => calibrationValue(state) >= alarmAt,
});
