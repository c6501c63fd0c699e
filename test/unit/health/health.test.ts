import fc from 'fast-check';
import { minutesBetween, silentDevices, stuckExecutions } from '../../../core/health/health.ts';

const NOW = '2026-01-31T12:00:00.000Z';
const ago = (minutes: number): string => new Date(Date.parse(NOW) - minutes * 60_000).toISOString();

describe('devices', () => {
  test('are silent when their newest report is old', () => {
    const heard = [
      { device: 'a', receivedAt: ago(29) },
      { device: 'b', receivedAt: ago(30) },
      { device: 'c', receivedAt: ago(500) },
      { device: 'c', receivedAt: ago(1) },
    ];
    expect(silentDevices(heard, NOW, 30)).toEqual({ devices: 3, silent: 1 });
  });
  test('that were not heard of for a month are gone', () => {
    expect(silentDevices([{ device: 'a', receivedAt: ago(31 * 24 * 60) }], NOW, 30)).toEqual({ devices: 0, silent: 0 });
  });
  test('are counted the same in any order of their reports', () => {
    const reports = fc.array(
      fc.record({ device: fc.constantFrom('a', 'b', 'c'), receivedAt: fc.integer({ min: 0, max: 60 }).map(ago) }),
    );
    fc.assert(
      fc.property(reports, (heard) => {
        const [forth, back] = [heard, [...heard].reverse()].map((h) => silentDevices(h, NOW, 30));
        expect(forth).toEqual(back);
        expect(forth?.silent).toBeLessThanOrEqual(forth?.devices as number);
      }),
    );
  });
});

describe('executions', () => {
  test('are stuck when they run longer than they may', () => {
    expect(stuckExecutions([ago(10), ago(60), ago(61)], NOW, 60)).toEqual({ stuck: 1, oldestMinutes: 61 });
  });
  test('that are none are not stuck', () => {
    expect(stuckExecutions([], NOW, 60)).toEqual({ stuck: 0, oldestMinutes: 0 });
  });
});

test('minutes to an earlier instant are none', () => expect(minutesBetween(NOW, ago(5))).toBe(0));
