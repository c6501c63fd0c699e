import type { LiveRun } from '#core/contracts/source.ts';
import type { Machines } from '../plant/machines.ts';
import { StartError } from './errors.ts';
import type { Plant } from './plant-context.ts';
import { until } from './wait.ts';

const LONGEST_S = 900;

/**
 * Lets the machines go through their runs once, as fast as their devices answer.
 * @param runs of each machine
 * @returns how many frames that were.
 * @throws {StartError} when not all were answered within a quarter of an hour.
 */
export const playThrough = async (
  { teller, signal }: Pick<Plant, 'teller' | 'signal'>,
  machines: Machines,
  lap: number,
  { runs, what }: { readonly runs: readonly (readonly LiveRun[])[]; readonly what: string },
): Promise<number> => {
  const frames = runs.flat().reduce((n, r) => n + r.frames.length, 0);
  const total = (): number => machines.stats().reduce((n, m) => n + m.answered, 0);
  const before = total();
  let through = false;
  machines.setPace(0);
  void machines.play(lap, { runs }).then(() => {
    through = true;
  });
  await until(
    async () => {
      teller.progress(`${what}: ${total() - before} of ${frames} frames answered`);
      return through ? true : null;
    },
    {
      signal,
      everyMs: 500,
      seconds: LONGEST_S,
      late: () =>
        new StartError(
          `${total() - before} of ${frames} frames were answered within ${LONGEST_S} s`,
          'look at "npx millwright devices"',
        ),
    },
  );
  return frames;
};
