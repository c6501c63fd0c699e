import type { StorySource } from '#core/contracts/source.ts';
import { lapRun } from '../../plant/machines.ts';
import type { Devices } from '../devices.ts';
import type { Plant } from '../plant-context.ts';
import { playThrough } from '../play-through.ts';
import { untilRegistered } from '../wait.ts';

/** Waits until every frame of the runs is registered: what devices decided on they also upload. */
const allRegistered = async (plant: Plant, source: StorySource, lap: number): Promise<void> => {
  const { registry, teller } = plant;
  const wanted = new Map<string, number>(
    source.runs.flat().map((r) => [`${r.asset}/${lapRun(r.run, lap, 0)}`, r.frames.length] as const),
  );
  let missing = wanted.size;
  await untilRegistered(
    plant,
    async () => {
      const seen = new Map<string, number>();
      for (const o of await registry.bodies('raw-object')) {
        const run = `${o['asset']}/${o['run']}`;
        if (wanted.has(run)) seen.set(run, (seen.get(run) ?? 0) + Number(o['frames']) + Number(o['quarantined']));
      }
      missing = [...wanted].filter(([run, frames]) => (seen.get(run) ?? 0) < frames).length;
      teller.progress(`wear: ${wanted.size - missing} of ${wanted.size} runs uploaded and registered`);
      return missing === 0;
    },
    {
      by: 'register-upload',
      seconds: 180,
      late: () => `the frames of ${missing} of ${wanted.size} runs were not registered`,
    },
  );
};

/**
 * Lets the machines, which are at rest, live through the runs of the story, as fast as their devices answer.
 * @param lap that the runs are named by.
 */
export const liveThrough = async (plant: Plant, devices: Devices, source: StorySource, lap: number): Promise<void> => {
  await playThrough(plant, devices.machines, lap, { runs: source.runs, what: 'wear' });
  await allRegistered(plant, source, lap);
};
