import { z } from 'zod';
import { RATE_BETS, RATE_WEIGHTS, stepECusum, weightedOf } from '../bets.ts';
import { defineDetector } from '../define-detector.ts';

export const definition = defineDetector({
  name: 'e-cusum',
  watches: 'loss',
  says: 'as e-sr, but what is remembered is the best start, not all starts: somewhat later, and never far above',
  source: 'Shin, Ramdas & Rinaldo 2022, "E-detectors"',
  options: {
    mean: { default: 0.1, min: 1e-3, max: 0.999 },
    alarmAt: { default: 1e6, min: 1, max: 1e12 },
  },
  state: z.array(z.number().nonnegative()).length(RATE_BETS.length).readonly(),
  start: () => RATE_BETS.map(() => 1),
  step: (states, x, { mean }) => stepECusum(states, x, mean, RATE_BETS),
  value: (states) => weightedOf(states, RATE_WEIGHTS),
  inAlarm: (states, { alarmAt }) => weightedOf(states, RATE_WEIGHTS) >= alarmAt,
});
