import { LineState } from '../../../core/contracts/judgement.ts';
import { isAlarm } from '../../../core/drift/decision/told.ts';

describe('a call', () => {
  it('is a confirmed loss, a question, ageing, or bad data', () => {
    const calls = LineState.options.filter((to) => isAlarm('HEALTHY', to));
    expect(calls).toEqual([
      'CONFIRMED',
      'RETRAIN_REQUESTED',
      'COOLDOWN',
      'DATA_QUALITY_HOLD',
      'SUSPECTED_CHANGEOVER',
      'AGEING',
    ]);
  });
  it('is one call however it goes on, and another one where something else calls', () => {
    expect(isAlarm('CONFIRMED', 'RETRAIN_REQUESTED')).toBe(false);
    expect(isAlarm('AGEING', 'AGEING')).toBe(false);
    expect(isAlarm('AGEING', 'CONFIRMED')).toBe(true);
  });
  it('does not come of what ends', () => {
    for (const from of LineState.options) expect(isAlarm(from, 'HEALTHY')).toBe(false);
  });
});
