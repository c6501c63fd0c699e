import type { WaveResult } from '#core/contracts/release.ts';

/** One wave in a few words. */
export const sayWave = ({ verdict, devices, shadow, reasons }: WaveResult): string => {
  if (shadow === null || shadow === undefined || shadow.disagreement === null)
    return `${verdict}: ${reasons[0] ?? `${devices.length} devices`}`;
  return `${verdict}: differs from the champion on ${(shadow.disagreement * 100).toFixed(0)} % of ${shadow.batches} batches, ${(shadow.expected * 100).toFixed(0)} % is expected`;
};
