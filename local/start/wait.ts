import { join } from 'node:path';
import { StartError } from './errors.ts';

export interface Waiting {
  readonly signal: AbortSignal;
  readonly everyMs?: number;
}

export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });

/**
 * Asks again and again until there is an answer.
 * @throws {StartError} of `late` when it takes longer than `seconds`.
 */
export const until = async <T>(
  ask: () => Promise<T | null>,
  options: Waiting & { readonly seconds: number; readonly late: () => StartError | Promise<StartError> },
): Promise<T> => {
  const end = performance.now() + options.seconds * 1000;
  for (;;) {
    const found = await ask();
    if (found !== null) return found;
    if (performance.now() > end) throw await options.late();
    await pause(options.everyMs ?? 500, options.signal);
  }
};

/** The log in which a failed rule target or Lambda is found. */
export const awsLog = ({ stateDir }: { readonly stateDir: string }): string => join(stateDir, 'logs', 'aws.log');

/**
 * Asks the registry each second until what was sent is on record.
 * @param by the function that records it, whose dead-letter queue keeps what failed
 * @throws {StartError} of `late` when it takes longer than `seconds`.
 */
export const untilRegistered = (
  plant: { readonly signal: AbortSignal; readonly stateDir: string },
  ask: () => Promise<boolean>,
  options: { readonly by: string; readonly seconds: number; readonly late: () => string },
): Promise<true> =>
  until(async () => ((await ask()) ? true : null), {
    signal: plant.signal,
    everyMs: 1000,
    seconds: options.seconds,
    late: () =>
      new StartError(
        `${options.late()} within ${options.seconds} s`,
        `look for failures of ${options.by} in the log; its dead-letter queue keeps what failed`,
        awsLog(plant),
      ),
  });
