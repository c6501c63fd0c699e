const TRIES = 12;

/**
 * Reads, decides and writes until nobody writes in between.
 * @param attempt answers null when its write was refused. @throws {Error} naming `what` after 12 tries.
 */
export const untilUndisturbed = async <T>(what: string, attempt: () => Promise<T | null>): Promise<T> => {
  for (let n = 1; n <= TRIES; n++) {
    const answer = await attempt();
    if (answer !== null) return answer;
  }
  throw new Error(`${what}: ${TRIES} tries were overtaken by other writers; the message is tried again later`);
};
