import { answerEvent } from '../../../core/alerts/answer.ts';
import { similarCases } from '../../../core/alerts/similar.ts';
import { leftAtMostOf, PlantEvent } from '../../../core/contracts/plant-event.ts';
import { AT, anAlert } from '../../support/alerts.ts';

const answer = (more = {}) => ({
  truth: 'true' as const,
  asFound: 'damaged' as const,
  index: 44,
  by: 'cli:tester',
  at: '2026-01-01T02:00:00.000Z',
  note: '',
  ...more,
});

describe('an answer to an alert', () => {
  test('is a finding about the decision, at the last frame before the machine was opened', () => {
    expect(PlantEvent.parse(answerEvent(anAlert(), answer({ note: 'inner race' })))).toMatchObject({
      eventId: 'alert.spindle-101.live-01',
      kind: 'finding',
      run: 'live-01',
      index: 44,
      decision: 'plant-a/edge-1/boot-1/1',
      asFound: 'damaged',
      reportedBy: 'cli:tester',
      detail: { alert: 'plant-a/spindle-101/live-01', note: 'inner race' },
    });
  });
  test('is a repair when it was repaired', () => {
    expect(answerEvent(anAlert(), answer({ truth: 'repaired', asFound: 'unknown' }))).toMatchObject({ kind: 'repair' });
  });
  test('says what a damaged machine would have lived on at most, and is refused to say so of any other', () => {
    expect(leftAtMostOf(answerEvent(anAlert(), answer({ leftAtMost: 12 })))).toBe(12);
    expect(leftAtMostOf(answerEvent(anAlert(), answer()))).toBeNull();
    expect(() => answerEvent(anAlert(), answer({ asFound: 'failed', leftAtMost: 12 }))).toThrow(/no life left/);
  });
  test('is never before the frame that raised the alert', () => {
    expect(answerEvent(anAlert(), answer({ index: 3 })).index).toBe(41);
  });
  test("is dated by the plant's own clock, which the decision shows", () => {
    expect(answerEvent(anAlert(), answer()).knownTime).toBe('2025-03-01T02:00:00.000Z');
    expect(answerEvent(anAlert({ sourceTime: AT }), answer()).knownTime).toBe('2026-01-01T02:00:00.000Z');
  });
  test.each([
    ['true', 'healthy'],
    ['false', 'damaged'],
    ['false', 'unknown'],
  ] as const)('"%s" is refused where the machine was found %s', (truth, asFound) =>
    expect(() => answerEvent(anAlert(), answer({ truth, asFound }))).toThrow(/was not found/),
  );
});

describe('similar cases', () => {
  const cases = [{ features: [0, 0] }, { features: [2, 0] }, { features: [1, 100] }];
  test('are the nearest in training standard deviations', () => {
    const found = similarCases([2, 0], [1, 100], cases, 2);
    expect(found.map((f) => f.case.features)).toEqual([
      [2, 0],
      [1, 100],
    ]);
    expect(found.map((f) => f.distance)).toEqual([0, 1]);
  });
  test('do not look at what did not vary in training', () => {
    expect(similarCases([0, 7], [1, 0], cases, 1)[0]?.distance).toBe(0);
    expect(similarCases([0, 7], [0, 0], cases, 9)).toEqual([]);
  });
  test('have as many features', () => {
    expect(similarCases([0], [1], cases, 9)).toEqual([]);
  });
});
