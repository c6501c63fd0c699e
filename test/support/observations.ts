import type { Frame } from '#core/contracts/frame.ts';
import type { Observation } from '#core/contracts/observation.ts';
import { aFrame } from '../unit/features/a-frame.ts';

/** 2026-03-02T08:00:00Z. */
export const T0 = Date.UTC(2026, 2, 2, 8);

/** A good value of spindle-1's temperature, `seconds` after {@link T0}, received at once. */
export const observation = (
  seconds: number,
  value: Observation['value'],
  more: Partial<Observation> = {},
): Observation => ({
  asset: 'spindle-1',
  signal: 'temperature',
  unit: 'Cel',
  value,
  quality: 'GOOD',
  sourceTime: T0 + 1000 * seconds,
  receivedTime: T0 + 1000 * seconds,
  sequence: 1,
  ...more,
});

/** A frame of spindle-1, `seconds` after {@link T0}, received at once. */
export const aFrameAt = (
  seconds: number,
  index: number,
  signals: Frame['signals'],
  over: Partial<Frame> = {},
): Frame => {
  const at = new Date(T0 + 1000 * seconds).toISOString();
  return aFrame(index, signals, { asset: 'spindle-1', run: 'r1', sourceTime: at, receivedTime: at, ...over });
};
