import type { Frame } from '#core/contracts/frame.ts';
import type { LiveRun, StoryRun, StorySource } from '#core/contracts/source.ts';
import { HOUR_MS, HYBRID, makeRandom, STANDARD, spindleLife } from './spindle.ts';
import { eventsOf, type Telling } from './story-events.ts';

export const CHANGED_LIVES = 50;
const OTHER_LIVES = 4;
/** Lives go on from the first when they are over: few of them would be machines that always have the same load. */
const AFTER_LIVES = 24;
/** Hours after the start of the history: the lives before are over. */
const STORY_FROM = 3600;
/** A bearing is exchanged the next day. */
const EXCHANGE_HOURS = 24;
/** Lives that the plant hears of in another way than by one report of a failure, by their number. */
const TOLD: Readonly<Record<number, Telling>> = {
  4: 'delivered twice',
  7: 'prevented',
  10: 'corrected twice',
  14: 'by asset and time',
  19: 'healthy',
  25: 'prevented',
};

const nameOf = (prefix: string, k: number): string => `${prefix}-${String(k).padStart(2, '0')}`;

/** The last machine gets hybrid bearings, one after the other until they fail; the others go on as before. */
export const spindleStory = (
  o: { readonly site: string; readonly seed: number; readonly startMs: number },
  machines: number,
): StorySource => {
  const assetOf = (m: number): string => `spindle-${String(m + 101)}`;
  const changed = assetOf(machines - 1);
  const lifeFrom = (asset: string, run: string, fromHour: number) =>
    spindleLife({
      ...o,
      asset,
      run,
      startMs: o.startMs + fromHour * HOUR_MS,
      bearing: asset === changed ? HYBRID : STANDARD,
    });

  const ended = (asset: string, run: string, fromHour: number, telling: Telling): StoryRun => {
    const { frames: whole, failsAt } = lifeFrom(asset, run, fromHour);
    const random = makeRandom(o.seed, `${asset}/${run}/told`);
    const early = Math.round(random.uniform(6, 14));
    const share = telling === 'healthy' ? 0.5 : telling === 'prevented' ? (failsAt - early) / failsAt : 1;
    const frames = whole.slice(0, Math.round(failsAt * share));
    const last = frames.at(-1) as Frame;
    const days = Math.round(random.uniform(2, 6));
    const events = eventsOf({ asset, run, last }, telling, days, {
      reportedBy: 'maintenance',
      detail: { part: 'spindle bearing' },
    });
    return { asset, run, frames, remainingAtEnd: failsAt - frames.length, events };
  };

  let lastHour = STORY_FROM;
  const changedLane = Array.from({ length: CHANGED_LIVES }, (_, k) => {
    const life = ended(changed, nameOf('si3n4', k + 1), lastHour, TOLD[k + 1] ?? 'failure');
    lastHour += life.frames.length + EXCHANGE_HOURS;
    return life;
  });
  // The others live longer: their fewer lives are spread over the same time.
  const pitch = Math.max(300, Math.floor((lastHour - STORY_FROM) / OTHER_LIVES));
  const lanes = Array.from({ length: machines }, (_, m) =>
    m === machines - 1
      ? changedLane
      : Array.from({ length: OTHER_LIVES }, (_, k) =>
          ended(assetOf(m), nameOf('story', k + 1), STORY_FROM + k * pitch, 'failure'),
        ),
  );
  const afterFrom = STORY_FROM + OTHER_LIVES * pitch + 400;
  const after = Array.from({ length: machines }, (_, m): LiveRun[] => {
    let fromHour = afterFrom;
    return Array.from({ length: AFTER_LIVES }, (_, k) => {
      const run = nameOf('after', k + 1);
      const { frames } = lifeFrom(assetOf(m), run, fromHour);
      fromHour += frames.length + EXCHANGE_HOURS;
      return { asset: assetOf(m), run, frames, remainingAtEnd: 0 };
    });
  });
  const at = new Date(o.startMs + STORY_FROM * HOUR_MS).toISOString();
  return {
    change: `${changed} gets another bearing type`,
    announcements: [
      {
        schema: 'plant-event/1',
        eventId: `${changed}-hybrid-bearing`,
        kind: 'tool-change',
        site: o.site,
        asset: changed,
        run: null,
        index: null,
        validTime: at,
        knownTime: at,
        reportedBy: 'maintenance',
        detail: { bearing: 'hybrid, 11 ceramic balls', before: 'steel, 9 balls' },
      },
    ],
    runs: lanes,
    after,
  };
};
