import fc from 'fast-check';
import { type AlertChange, AlertRefusal, changeAlert, statusAt } from '../../../core/alerts/change.ts';
import { LONGEST_SHELVING_DAYS, shelveUntil } from '../../../core/alerts/shelve-time.ts';
import { AlertRecord } from '../../../core/contracts/judgement.ts';
import { AT, anAlert } from '../../support/alerts.ts';

const LATER = '2026-01-01T08:00:00.000Z';
const by = (note = '') => ({ by: 'cli:tester', note, now: AT });

describe('changing an alert', () => {
  test('names who did it, and keeps the note before unless there is another', () => {
    const seen = changeAlert(anAlert(), { kind: 'acknowledge' }, by('on my way'));
    expect(seen).toMatchObject({ status: 'acknowledged', by: 'cli:tester', note: 'on my way' });
    expect(changeAlert(seen, { kind: 'close', truth: 'true' }, by())).toMatchObject({ note: 'on my way' });
  });
  test('closes it with what it was', () => {
    const closed = changeAlert(anAlert(), { kind: 'close', truth: 'repaired' }, by());
    expect(closed).toMatchObject({ status: 'closed', truth: 'repaired', shelvedUntil: null });
  });
  test('is refused once it is closed, naming who closed it', () => {
    const closed = anAlert({ status: 'closed', truth: 'false', by: 'cli:ann' });
    expect(() => changeAlert(closed, { kind: 'acknowledge' }, by())).toThrow(
      'alert plant-a/spindle-101/live-01 is closed: cli:ann said "false"',
    );
  });
  test('to acknowledged is refused when somebody did it already', () => {
    const seen = anAlert({ status: 'acknowledged', by: 'cli:ann' });
    expect(() => changeAlert(seen, { kind: 'acknowledge' }, by())).toThrow(/acknowledged already, by cli:ann/);
  });
  test('to shelved ends by itself: then it is open, and not acknowledged', () => {
    const shelved = changeAlert(anAlert({ status: 'acknowledged' }), { kind: 'shelve', until: LATER }, by());
    expect(statusAt(shelved, AT)).toBe('shelved');
    expect(statusAt(shelved, LATER)).toBe('open');
  });

  const anyChange = fc.oneof(
    fc.constant<AlertChange>({ kind: 'acknowledge' }),
    fc.constant<AlertChange>({ kind: 'shelve', until: LATER }),
    fc.constantFrom('true', 'false', 'repaired').map((truth): AlertChange => ({ kind: 'close', truth })),
  );
  test('keeps the contract, what was raised, and the first truth, whatever people do in whatever order', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 12 }), (changes) => {
        let alert = anAlert();
        let truth: AlertRecord['truth'] = null;
        for (const change of changes)
          try {
            alert = AlertRecord.parse(changeAlert(alert, change, by()));
            truth ??= alert.truth;
          } catch (error) {
            if (!(error instanceof AlertRefusal)) throw error;
          }
        const { status, by: who, note, shelvedUntil, truth: said, ...raised } = alert;
        expect(anAlert()).toMatchObject(raised);
        expect(said).toBe(truth);
        expect((status === 'closed') === (said !== null)).toBe(true);
        expect((status === 'shelved') === (shelvedUntil !== null)).toBe(true);
        expect(who === null || note === '').toBe(true);
      }),
    );
  });
});

describe('the time to shelve', () => {
  test.each([
    ['30m', '2026-01-01T00:30:00.000Z'],
    ['8h', LATER],
    ['7d', '2026-01-08T00:00:00.000Z'],
  ])('%s ends at %s', (time, until) => expect(shelveUntil(time, AT)).toBe(until));
  test.each(['', '0h', '8', 'h', '8d', '1w', '-1h', '1.5h', '999999d'])(
    '"%s" is refused with what is expected',
    (time) =>
      expect(() => shelveUntil(time, AT)).toThrow(/expected minutes, hours or days like 30m, 8h or 2d, 7d at most/),
  );
  test('is over within the limit, whatever is typed', () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.constantFrom('m', 'h', 'd')).map((t) => t.join('')),
    );
    fc.assert(
      fc.property(text, (time) => {
        try {
          const minutes = (Date.parse(shelveUntil(time, AT)) - Date.parse(AT)) / 60_000;
          expect(minutes).toBeGreaterThan(0);
          expect(minutes).toBeLessThanOrEqual(LONGEST_SHELVING_DAYS * 24 * 60);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
