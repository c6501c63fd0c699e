// Written by `npm run features` from the files of core/features.
import { bandRms } from '../band-rms.ts';
import { baselineDeviation } from '../baseline-deviation.ts';
import { calendarCosine } from '../calendar-cosine.ts';
import { calendarSine } from '../calendar-sine.ts';
import { coherence } from '../coherence.ts';
import { counterIncrease } from '../counter-increase.ts';
import { crestFactor } from '../crest-factor.ts';
import { crossings } from '../crossings.ts';
import { decayedMean } from '../decayed-mean.ts';
import { decayedStd } from '../decayed-std.ts';
import { delta } from '../delta.ts';
import { difference } from '../difference.ts';
import { envelopeBandRms } from '../envelope-band-rms.ts';
import { envelopeOrder } from '../envelope-order.ts';
import { goodShare } from '../good-share.ts';
import { kurtosis } from '../kurtosis.ts';
import { lag } from '../lag.ts';
import { latest } from '../latest.ts';
import { mean } from '../mean.ts';
import { orderBand } from '../order-band.ts';
import { peak } from '../peak.ts';
import { peakToPeak } from '../peak-to-peak.ts';
import { pearson } from '../pearson.ts';
import { quantile } from '../quantile.ts';
import { range } from '../range.ts';
import { ratio } from '../ratio.ts';
import { regimeDeviation } from '../regime-deviation.ts';
import { residual } from '../residual.ts';
import { rms } from '../rms.ts';
import { sinceChange } from '../since-change.ts';
import { sinceCrossing } from '../since-crossing.ts';
import { skewness } from '../skewness.ts';
import { slope } from '../slope.ts';
import { std } from '../std.ts';
import { velocityRms } from '../velocity-rms.ts';
import { waveformMean } from '../waveform-mean.ts';
import { waveformPearson } from '../waveform-pearson.ts';
import { waveformQuantile } from '../waveform-quantile.ts';
import { waveformStd } from '../waveform-std.ts';
import { zeroCrossingRate } from '../zero-crossing-rate.ts';
import type { Feature } from './feature.ts';

/** Every feature by name. */
export const FEATURES: Readonly<Record<string, Feature>> = {
  'band-rms': bandRms,
  'baseline-deviation': baselineDeviation,
  'calendar-cosine': calendarCosine,
  'calendar-sine': calendarSine,
  coherence,
  'counter-increase': counterIncrease,
  'crest-factor': crestFactor,
  crossings,
  'decayed-mean': decayedMean,
  'decayed-std': decayedStd,
  delta,
  difference,
  'envelope-band-rms': envelopeBandRms,
  'envelope-order': envelopeOrder,
  'good-share': goodShare,
  kurtosis,
  lag,
  latest,
  mean,
  'order-band': orderBand,
  peak,
  'peak-to-peak': peakToPeak,
  pearson,
  quantile,
  range,
  ratio,
  'regime-deviation': regimeDeviation,
  residual,
  rms,
  'since-change': sinceChange,
  'since-crossing': sinceCrossing,
  skewness,
  slope,
  std,
  'velocity-rms': velocityRms,
  'waveform-mean': waveformMean,
  'waveform-pearson': waveformPearson,
  'waveform-quantile': waveformQuantile,
  'waveform-std': waveformStd,
  'zero-crossing-rate': zeroCrossingRate,
};
