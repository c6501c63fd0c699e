import fc from 'fast-check';
import { alarmMetrics } from '#core/drift/alarm-metrics.ts';

describe('metrics of alarms', () => {
  it('are those of river’s drift.evaluate for its first example (drift.md V14)', () => {
    const metrics = alarmMetrics({ alarms: [110, 900], drifts: [100, 500], length: 1000, within: 50 });
    expect(metrics).toMatchObject({ precision: 0.5, episodeRecall: 0.5, delay: 10, f1: 0.5, normalisedDelay: 0.2 });
  });
  it('are those of river’s drift.evaluate for its second example (drift.md V14)', () => {
    const metrics = alarmMetrics({ alarms: [110, 400, 700], drifts: [100, 900], length: 1000 });
    expect(metrics).toMatchObject({ betweenFalseAlarms: 300, timeRatio: 15, normalisedDelay: null });
  });
  it('count a second alarm of one drift as false', () => {
    const metrics = alarmMetrics({ alarms: [110, 120], drifts: [100], length: 200, within: 50 });
    expect(metrics).toMatchObject({ precision: 0.5, episodeRecall: 1, falseAlarmRate: 1 / 200 });
  });
  it('count an alarm after the next drift for that one', () => {
    expect(alarmMetrics({ alarms: [210], drifts: [100, 200], length: 300 })).toMatchObject({
      episodeRecall: 0.5,
      delay: 10,
    });
  });
  it('are not defined where there is nothing to divide by', () => {
    expect(alarmMetrics({ alarms: [], drifts: [], length: 10 })).toEqual({
      precision: null,
      episodeRecall: null,
      f1: null,
      delay: null,
      normalisedDelay: null,
      falseAlarmRate: 0,
      betweenFalseAlarms: null,
      timeRatio: null,
    });
    expect(alarmMetrics({ alarms: [5], drifts: [8], length: 10 }).f1).toBe(0);
  });
  it('find every drift that is alarmed at once, whatever else is alarmed', () => {
    const indices = fc
      .uniqueArray(fc.nat(499), { minLength: 1, maxLength: 20 })
      .map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(indices, indices, (drifts, others) => {
        const alarms = [...new Set([...drifts, ...others])].sort((a, b) => a - b);
        const metrics = alarmMetrics({ alarms, drifts, length: 500, within: 10 });
        expect(metrics).toMatchObject({ episodeRecall: 1, delay: 0 });
        expect(metrics.precision).toBeCloseTo(drifts.length / alarms.length, 12);
      }),
    );
  });
  it.each([{ alarms: [3, 2] }, { alarms: [10] }, { drifts: [-1] }, { drifts: [1.5] }])('refuse %j', (over) => {
    expect(() => alarmMetrics({ alarms: [], drifts: [], length: 10, ...over })).toThrow(
      /expected (alarms|drifts) to be ascending indices below 10/,
    );
  });
});
