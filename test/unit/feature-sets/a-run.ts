import fc from 'fast-check';
import type { FeatureSet } from '#core/contracts/feature-set.ts';
import type { Frame } from '#core/contracts/frame.ts';
import type { FrameSource } from '#core/feature-sets/frame-versions.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { aFrame, bad, good, SIGNALS } from '../features/a-frame.ts';

export const FEATURE_SET: FeatureSet = {
  schema: 'feature-set/1',
  id: 'level',
  owner: 'team-a',
  description: 'of the level',
  features: [
    { name: 'level', feature: 'latest', signal: 'level', window: 1, params: {} },
    { name: 'level_mean', feature: 'mean', signal: 'level', window: 4, params: {} },
  ],
};
export const DEFINITION = { featureSet: FEATURE_SET, signals: SIGNALS.filter((s) => s.name === 'level') };

/** Hour `h` of the run's first day. */
export const hour = (h: number): string => new Date(Date.UTC(2026, 0, 1) + h * 3_600_000).toISOString();

export const level = (index: number, value: number | null, over: Partial<Frame> = {}): Frame =>
  aFrame(index, { level: value === null ? bad : good(value) }, over);

export const source = (key: string, frames: readonly Frame[], correctedAt: string | null = null): FrameSource => ({
  key,
  digest: digestOf([key, frames]),
  correctedAt,
  frames,
});

/** Objects of one run, some of them corrected, some that overlap; frames received in and out of order. */
export const randomSources: fc.Arbitrary<readonly FrameSource[]> = fc
  .record({
    frames: fc.array(
      fc.record({
        value: fc.option(fc.integer({ min: -9, max: 9 }), { freq: 6 }),
        late: fc.integer({ min: 0, max: 6 }),
        context: fc.constantFrom('production', 'production', 'production', 'production', 'warm-up'),
        lost: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
      }),
      { minLength: 1, maxLength: 24 },
    ),
    cut: fc.integer({ min: 1, max: 7 }),
    corrections: fc.array(
      fc.record({
        object: fc.nat(30),
        at: fc.integer({ min: 1, max: 60 }),
        values: fc.array(fc.option(fc.integer({ min: -9, max: 9 }), { freq: 6 }), { minLength: 7, maxLength: 7 }),
      }),
      { maxLength: 4 },
    ),
  })
  .map(({ frames, cut, corrections }) => {
    const all = frames.flatMap((f, i) =>
      f.lost && i > 0 ? [] : [level(i + 1, f.value, { context: f.context, receivedTime: hour(i + 1 + f.late) })],
    );
    const sources: FrameSource[] = [];
    for (let i = 0; i < all.length; i += cut) sources.push(source(`k${sources.length}`, all.slice(i, i + cut)));
    const originals = [...sources];
    for (const { object, at, values } of corrections) {
      const corrected = originals[object % originals.length] as FrameSource;
      sources.push(
        source(
          corrected.key,
          corrected.frames.map((f, i) => ({ ...f, signals: level(f.index, values[i] ?? null).signals })),
          hour(at),
        ),
      );
    }
    return sources;
  });
