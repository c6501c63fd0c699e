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
