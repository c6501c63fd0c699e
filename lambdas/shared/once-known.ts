/** Asks for each of several things until there is an answer, and not again; a failure is asked for again. */
export const onceKnown = <T>(ask: (what: string) => Promise<T>): ((what: string) => Promise<T>) => {
  const answers = new Map<string, Promise<T>>();
  return async (what) => {
    const answer = answers.get(what) ?? ask(what);
    answers.set(what, answer);
    try {
      return await answer;
    } catch (error) {
      answers.delete(what);
      throw error;
    }
  };
};
