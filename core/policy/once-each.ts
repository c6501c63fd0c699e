/** Asks once for each of several things, however often and however soon each is asked for; also a failure that is promised is the answer. */
export const onceEach = <K, T>(ask: (what: K) => T): ((what: K) => T) => {
  const answers = new Map<K, { readonly answer: T }>();
  return (what) => {
    const known = answers.get(what) ?? { answer: ask(what) };
    answers.set(what, known);
    return known.answer;
  };
};
