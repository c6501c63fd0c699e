import type { LineJudgement } from '#core/contracts/judgement.ts';
import type { WaveResult } from '#core/contracts/release.ts';

/** One wave in a few words. */
export const sayWave = ({ verdict, devices, shadow, reasons }: WaveResult): string => {
  if (shadow === null || shadow === undefined || shadow.disagreement === null)
    return `${verdict}: ${reasons[0] ?? `${devices.length} devices`}`;
  return `${verdict}: differs from the champion on ${(shadow.disagreement * 100).toFixed(0)} % of ${shadow.batches} batches, ${(shadow.expected * 100).toFixed(0)} % is expected`;
};

/** What the judge says in a few words. */
export const sayJudgement = ({
  outcomes,
  meanLoss,
  expectedLoss,
  eValue,
  threshold,
  features,
}: LineJudgement): string =>
  outcomes === 0
    ? `no outcome is known yet${features.length === 0 ? '' : `; inputs are not as in training: ${features.slice(0, 3).join(', ')}`}`
    : `after ${outcomes} outcomes: loss ${(meanLoss ?? 0).toFixed(2)}, ${expectedLoss.toFixed(2)} is expected; e-value ${eValue.toPrecision(2)} of ${threshold}`;
