import { calendarPosition, periodProblem } from './engine/calendar.ts';
import type { WindowFeature } from './engine/feature.ts';

export const calendarSine: WindowFeature = {
  name: 'calendar-sine',
  kind: 'window',
  version: 1,
  says: 'Sine of where the source time of the newest frame lies in a period of `hours`: 24 the time of day, 168 that of the week from Monday. In UTC, or `offsetMinutes` east of it, without summer time.',
  missing: 'Never missing: the values of its signal do not matter.',
  params: { hours: 'number', offsetMinutes: 'optional-number' },
  example: { hours: 24 },
  refuse: periodProblem,
  unit: () => '1',
  compute: (input) => calendarPosition(input, 1),
};
