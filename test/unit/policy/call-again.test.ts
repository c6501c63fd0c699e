import fc from 'fast-check';
import { callAgain, callFunction } from '../../../core/policy/call-again.ts';

const calling = async (answers: readonly (string | null)[]) => {
  let calls = 0;
  const last = await callAgain(
    async () => answers[calls++] ?? null,
    (answer) => answer,
  );
  return { calls, last };
};

test.each([
  [['Runtime.ExitError', null], 2, null],
  [['Lambda.Unknown', 'Runtime.ExitError', null], 3, null],
  [['Runtime.ExitError', 'Runtime.ExitError', 'Runtime.ExitError', null], 3, 'Runtime.ExitError'],
  [['Refused', null], 1, 'Refused'],
  [[null], 1, null],
])('after %j it was called %d times and says %s', async (answers, calls, last) => {
  expect(await calling(answers)).toEqual({ calls, last });
});

test('it is called three times at most, and never after an answer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('Runtime.ExitError', 'Other', null), { minLength: 4 }),
      async (answers) => {
        const { calls } = await calling(answers);
        expect(calls).toBeLessThanOrEqual(3);
        for (const before of answers.slice(0, calls - 1)) expect(before).toBe('Runtime.ExitError');
      },
    ),
  );
});

test('a call that throws is not repeated', async () => {
  let calls = 0;
  await expect(
    callAgain(
      async () => {
        calls++;
        throw new Error('no network');
      },
      () => null,
    ),
  ).rejects.toThrow('no network');
  expect(calls).toBe(1);
});

describe('a function that is called', () => {
  const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

  test('gives its answer, or null where it says nothing', async () => {
    expect(await callFunction(async () => ({ Payload: bytes({ n: 1 }) }))).toEqual({
      payload: { n: 1 },
      failure: null,
    });
    expect(await callFunction(async () => ({}))).toEqual({ payload: null, failure: null });
  });

  test('and fails says why, with what its runtime knows of the error', async () => {
    const payload = { errorType: 'Refused', errorMessage: 'no' };
    const { failure } = await callFunction(async () => ({ Payload: bytes(payload), FunctionError: 'Unhandled' }));
    expect(failure).toEqual({ functionError: 'Unhandled', ...payload });
    expect((await callFunction(async () => ({ FunctionError: 'Unhandled' }))).failure).toEqual({
      functionError: 'Unhandled',
    });
  });

  test('is called again where its process ended', async () => {
    let calls = 0;
    const { payload } = await callFunction(async () =>
      ++calls === 1
        ? { Payload: bytes({ errorType: 'Runtime.ExitError' }), FunctionError: 'Unhandled' }
        : { Payload: bytes('done') },
    );
    expect({ calls, payload }).toEqual({ calls: 2, payload: 'done' });
  });
});
