import { type Check, short } from '../check.ts';

/** A value that came long after its time, or too late for the frame it belongs to. It is true nevertheless. */
export const late: Check<Record<string, never>> = {
  name: 'late',
  says: 'received more than `latenessSeconds` after its time, or after its frame was made',
  effect: 'none, but it is in no frame that was made before',
  signalIs: 'GOOD',
  isForHistory: true,
  applies: () => true,
  start: () => ({}),
  take(_state, { sourceTime, receivedTime, missed }, { rules }) {
    const seconds = (receivedTime - sourceTime) / 1000;
    const isLate = rules.latenessSeconds !== undefined && seconds > rules.latenessSeconds;
    if (!isLate && !missed) return null;
    return {
      quality: 'GOOD',
      says: missed ? 'its frame was made before it came' : `received ${short(seconds)} s after its time`,
      deviation: Math.max(0, seconds),
    };
  },
};
