/** What Lambda says when a function's process ended under a call: killed, out of memory, or lost with its machine. */
const ENDED = ['Runtime.ExitError', 'Lambda.Unknown'];
const TRIES = 3;

/**
 * Calls a function again whose process ended under the call, three times in all. Only for calls that may be repeated: the
 * function may have done its work before it ended.
 * @param errorOf the error's name in an answer; null when it is a good one.
 * @returns the first answer that is good or says something else, or the last.
 */
export const callAgain = async <Answer>(
  call: () => Promise<Answer>,
  errorOf: (answer: Answer) => string | null,
): Promise<Answer> => {
  for (let left = TRIES - 1; ; left--) {
    const answer = await call();
    const error = errorOf(answer);
    if (error === null || !ENDED.includes(error) || left === 0) return answer;
  }
};

/** What Lambda answers to an invocation, as far as it matters here. */
export interface Invocation {
  readonly Payload?: Uint8Array | undefined;
  readonly FunctionError?: string | undefined;
}

/** Why a function gave no answer, in the words of Lambda and, where it said so, of the function. */
export interface CallFailure {
  readonly functionError: string;
  readonly errorType?: string;
  readonly errorMessage?: string;
}

/**
 * Calls a function that may be called twice, again where its process ended ({@link callAgain}), and reads its answer.
 * @param invoke one invocation by any SDK client.
 * @returns its payload, parsed; `failure` is null when that is the answer.
 */
export const callFunction = async (
  invoke: () => Promise<Invocation>,
): Promise<{ readonly payload: unknown; readonly failure: CallFailure | null }> =>
  callAgain(
    async () => {
      const { Payload, FunctionError } = await invoke();
      const payload: unknown = JSON.parse(new TextDecoder().decode(Payload) || 'null');
      const failure: CallFailure | null =
        FunctionError === undefined
          ? null
          : { functionError: FunctionError, ...(payload as Omit<CallFailure, 'functionError'> | null) };
      return { payload, failure };
    },
    ({ failure }) => (failure === null ? null : (failure.errorType ?? failure.functionError)),
  );
