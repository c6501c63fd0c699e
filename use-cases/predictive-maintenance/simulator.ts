import type { Frame } from '#core/contracts/frame.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { LiveRun, PlantSource, RunHistory, SourceOptions } from '#core/contracts/source.ts';
import { HOUR_MS, spindleLife } from './spindle.ts';
import { spindleStory } from './spindle-story.ts';

const HISTORY_RUNS = 60;
/** One history in so many has not ended yet: its rows have no label. */
const STILL_RUNNING_EVERY = 20;

/** Seeded spindles: the same seed gives the same bytes. */
export const simulatedSpindles = ({ site, seed, start }: SourceOptions): PlantSource => {
  const startMs = Date.parse(start);
  const lifeOf = (asset: string, run: string, offsetHours: number, hours?: number) =>
    spindleLife({ site, asset, run, seed, startMs: startMs + offsetHours * HOUR_MS }, hours);
  return {
    name: 'simulated spindles',
    *history(): Iterable<RunHistory> {
      for (let i = 0; i < HISTORY_RUNS; i++) {
        const asset = `spindle-${String((i % 20) + 1).padStart(2, '0')}`;
        const run = `life-${String(Math.floor(i / 20) + 1).padStart(2, '0')}`;
        const { frames, failsAt } = lifeOf(asset, run, Math.floor(i / 20) * 400);
        if (i % STILL_RUNNING_EVERY === STILL_RUNNING_EVERY - 1) {
          yield { asset, run, frames: frames.slice(0, Math.round(0.6 * failsAt)), events: [] };
          continue;
        }
        const last = frames.at(-1) as Frame;
        const failure: PlantEvent = {
          schema: 'plant-event/1',
          eventId: `${asset}-${run}-failure`,
          kind: 'failure',
          site,
          asset,
          run,
          index: failsAt,
          validTime: last.sourceTime,
          knownTime: new Date(Date.parse(last.sourceTime) + 2 * HOUR_MS).toISOString(),
          reportedBy: 'maintenance',
          detail: { part: 'spindle bearing' },
        };
        yield { asset, run, frames, events: [failure] };
      }
    },
    live(machines): readonly (readonly LiveRun[])[] {
      return Array.from({ length: machines }, (_, m) => {
        const asset = `spindle-${String(m + 101)}`;
        return Array.from({ length: 3 }, (_, r) => {
          const run = `live-${String(r + 1).padStart(2, '0')}`;
          const whole = lifeOf(asset, run, 2000 + r * 400);
          // Some machines are seen to their end, others are still running when we look.
          const share = [0.55, 0.8, 1][(m + r) % 3] as number;
          const frames = whole.frames.slice(0, Math.max(10, Math.round(whole.failsAt * share)));
          return { asset, run, frames, remainingAtEnd: whole.failsAt - frames.length };
        });
      });
    },
    story: (machines) => spindleStory({ site, seed, startMs }, machines),
  };
};
