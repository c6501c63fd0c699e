/** Asks once for each of several things, however often and however soon each is asked for; also a failure is the answer. */
export const onceEach = <K, T>(ask: (what: K) => Promise<T>): ((what: K) => Promise<T>) => {
  const answers = new Map<K, Promise<T>>();
  return (what) => {
    const answer = answers.get(what) ?? ask(what);
    answers.set(what, answer);
    return answer;
  };
};
