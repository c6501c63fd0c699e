import fc from 'fast-check';
import { type Attempt, judge, type Rules } from '#core/inference/decide.ts';
import { makePackage, newSigner } from '../../support/model-package.ts';

const rules: Rules = makePackage(newSigner()).manifest;
const NOW = '2026-06-01T00:00:00.000Z';
const answer = (value: number): Attempt => ({ kind: 'answer', value });

describe('a verdict', () => {
  it('is fail below the alarm threshold, pass from the upper end of the unsure band on', () => {
    expect(judge(rules, [1, 1], answer(19.9), NOW)).toMatchObject({ verdict: 'fail', value: 19.9 });
    expect(judge(rules, [1, 1], answer(30), NOW)).toMatchObject({ verdict: 'pass', value: 30 });
  });

  it('is undecided inside the unsure band', () => {
    expect(judge(rules, [1, 1], answer(20), NOW).verdict).toBe('undecided');
  });

  it('is undecided when the input was never validated, and names the feature', () => {
    const judged = judge(rules, [1, 61], answer(90), NOW);
    expect(judged).toMatchObject({ verdict: 'undecided', value: 90 });
    expect(judged.reason).toContain('wear_mean = 61 is outside 0 … 60');
  });

  it.each<[string, Attempt, string]>([
    ['no answer came in time', { kind: 'late', afterMs: 250 }, 'no answer within 250 ms'],
    ['the model failed', { kind: 'failed', why: 'the process of the model ended' }, 'the process of the model ended'],
    ['features are missing', { kind: 'missing-features', names: ['wear_now'] }, 'no good value for wear_now'],
    ['the answer is no number', { kind: 'answer', value: Number.NaN }, 'no number'],
  ])('is the declared fallback when %s', (_, attempt, why) => {
    const judged = judge(rules, [1, 1], attempt, NOW);
    expect(judged).toMatchObject({ verdict: 'fallback', value: null });
    expect(judged.reason).toContain('ask a person');
    expect(judged.reason).toContain(why);
  });

  it('is the fallback while no package was adopted', () => {
    expect(judge(null, null, { kind: 'no-package' }, NOW).verdict).toBe('fallback');
    expect(judge(null, null, { kind: 'no-package', why: 'it was taken back' }, NOW).reason).toBe('it was taken back');
  });

  it('is the fallback once the package has expired, whatever the model says', () => {
    expect(judge({ ...rules, expiresAt: '2026-05-31T00:00:00.000Z' }, [1, 1], answer(90), NOW).verdict).toBe(
      'fallback',
    );
  });

  it('never has a value without an answer, never a reason that is too long, and is never pass below the band', () => {
    const attempts = fc.oneof(
      fc.double().map((value): Attempt => ({ kind: 'answer', value })),
      fc.constant<Attempt>({ kind: 'late', afterMs: 1 }),
      fc.string({ maxLength: 500 }).map((why): Attempt => ({ kind: 'failed', why })),
      fc.array(fc.string(), { minLength: 1 }).map((names): Attempt => ({ kind: 'missing-features', names })),
    );
    fc.assert(
      fc.property(fc.tuple(fc.double(), fc.double()), attempts, (x, attempt) => {
        const judged = judge(rules, x, attempt, NOW);
        expect(judged.reason.length).toBeLessThanOrEqual(200);
        if (attempt.kind !== 'answer') expect(judged.value).toBeNull();
        if (judged.verdict === 'pass') {
          expect(judged.value).toBeGreaterThanOrEqual(30);
          for (const v of x) expect(v >= 0 && v <= 60).toBe(true);
        }
      }),
    );
  });
});
