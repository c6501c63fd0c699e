import { crestFactor } from '../crest-factor.ts';
import { decayedMean } from '../decayed-mean.ts';
import { envelopeOrder } from '../envelope-order.ts';
import { kurtosis } from '../kurtosis.ts';
import { latest } from '../latest.ts';
import { mean } from '../mean.ts';
import { orderBand } from '../order-band.ts';
import { rms } from '../rms.ts';
import { slope } from '../slope.ts';
import { std } from '../std.ts';
import type { Feature } from './feature.ts';

/** Every feature by name; a test fails when a file of this folder is not here. */
export const FEATURES: Readonly<Record<string, Feature>> = Object.fromEntries(
  [latest, mean, std, slope, decayedMean, rms, kurtosis, crestFactor, orderBand, envelopeOrder].map((f) => [f.name, f]),
);
