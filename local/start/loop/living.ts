import { join } from 'node:path';
import type { StorySource } from '#core/contracts/source.ts';
import { lapRun } from '../../plant/machines.ts';
import type { Devices } from '../devices.ts';
import { StartError } from '../errors.ts';
import { nextLap, type Plant } from '../plant-context.ts';
import { until } from '../watch.ts';

/** Waits until every frame of the runs is registered: what devices decided on they also upload. */
const allRegistered = async (plant: Plant, source: StorySource, lap: number): Promise<void> => {
  const { registry, teller, signal, stateDir } = plant;
  const wanted = new Map<string, number>(
    source.runs.flat().map((r) => [`${r.asset}/${lapRun(r.run, lap, 0)}`, r.frames.length] as const),
  );
  let missing = wanted.size;
  await until(
    async () => {
      const seen = new Map<string, number>();
      for (const o of await registry.bodies('raw-object')) {
        const run = `${o['asset']}/${o['run']}`;
        if (wanted.has(run)) seen.set(run, (seen.get(run) ?? 0) + Number(o['frames']) + Number(o['quarantined']));
      }
      missing = [...wanted].filter(([run, frames]) => (seen.get(run) ?? 0) < frames).length;
      teller.progress(`wear: ${wanted.size - missing} of ${wanted.size} runs uploaded and registered`);
      return missing === 0 ? true : null;
    },
    {
      signal,
      everyMs: 1000,
      seconds: 180,
      late: () =>
        new StartError(
          `the frames of ${missing} of ${wanted.size} runs were not registered within 180 s`,
          'look for failures of register-upload in the log; its dead-letter queue keeps what failed',
          join(stateDir, 'logs', 'aws.log'),
        ),
    },
  );
};

/**
 * Lets the machines live through the runs of the story, as fast as their devices answer.
 * @returns the lap that the runs are named by.
 */
export const liveThrough = async (plant: Plant, devices: Devices, source: StorySource): Promise<number> => {
  const { teller, signal } = plant;
  const { machines } = devices;
  await machines.rest();
  const lap = nextLap(plant.stateDir);
  const frames = source.runs.flat().reduce((n, r) => n + r.frames.length, 0);
  const answered = (): number => machines.stats().reduce((n, m) => n + m.answered, 0);
  const before = answered();
  machines.setPace(0);
  let through = false;
  void machines.play(lap, { runs: source.runs }).then(() => {
    through = true;
  });
  await until(
    async () => {
      teller.progress(`wear: ${answered() - before} of ${frames} frames decided`);
      return through ? true : null;
    },
    {
      signal,
      everyMs: 500,
      seconds: 900,
      late: () =>
        new StartError(
          `${answered() - before} of ${frames} frames were answered within 900 s`,
          'look at "npx millwright devices"',
        ),
    },
  );
  await allRegistered(plant, source, lap);
  return lap;
};
