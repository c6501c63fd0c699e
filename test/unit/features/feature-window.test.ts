import fc from 'fast-check';
import type { Frame } from '#core/contracts/frame.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { LATENESS_FRAMES } from '#core/features/engine/feature-window.ts';
import { aFeatureSet } from './a-feature-set.ts';
import { aFrame, bad, good, SIGNALS, wave } from './a-frame.ts';

const level = (index: number, over: Partial<Frame> = {}) => aFrame(index, { level: good(2 ** index) }, over);
/** Sums powers of two: which frames are in the window can be read from their sum. */
const opened = (window: number) =>
  compileFeatureSet(
    aFeatureSet({ feature: 'mean', window }, { feature: 'slope', window, params: { min: 2 } }),
    SIGNALS.map((s) => ({ ...s, range: [-1e40, 1e40] as [number, number] })),
  ).open();
const meanOf = (...indexes: number[]) => indexes.reduce((sum, i) => sum + 2 ** i, 0) / indexes.length;
const push = (window: ReturnType<typeof opened>, frame: Frame): number => {
  const vector = window.push(frame);
  if (!vector.ok) throw new Error('expected a vector');
  return vector.x[0] as number;
};

describe('a window', () => {
  it('holds the newest frames up to its length', () => {
    const window = opened(3);
    for (const i of [1, 2, 3]) window.push(level(i));
    expect(push(window, level(4))).toBe(meanOf(2, 3, 4));
  });

  it.each([
    ['run', { run: 'life-02' }],
    ['context', { context: 'warm-up' }],
    ['asset', { asset: 'm2' }],
  ])('starts anew with another %s', (_, over) => {
    const window = opened(3);
    window.push(level(1));
    expect(push(window, level(2, over))).toBe(meanOf(2));
  });

  it('does not go on behind another context', () => {
    const window = opened(5);
    window.push(level(1));
    window.push(level(2, { context: 'warm-up' }));
    expect(push(window, level(3))).toBe(meanOf(3));
    expect(push(window, level(4))).toBe(meanOf(3, 4));
  });

  it('ends where another context began, also when the frame that says so comes late', () => {
    const window = opened(5);
    window.push(level(1));
    window.push(level(3));
    window.push(level(2, { context: 'warm-up' }));
    expect(push(window, level(4))).toBe(meanOf(3, 4));
  });

  it('says the same for a frame that is sent again', () => {
    const window = opened(3);
    for (const i of [1, 2, 3]) window.push(level(i));
    expect(push(window, level(2))).toBe(meanOf(1, 2));
    expect(push(window, { ...level(2), signals: { level: good(7) } })).toBe(meanOf(1, 2));
    expect(push(window, level(4))).toBe(meanOf(2, 3, 4));
  });

  it('puts a late frame in its place', () => {
    const window = opened(5);
    for (const i of [1, 2, 4]) window.push(level(i));
    expect(push(window, level(3))).toBe(meanOf(1, 2, 3));
    expect(push(window, level(5))).toBe(meanOf(1, 2, 3, 4, 5));
  });

  it('starts anew for a frame that is later than what it remembers, and goes on after it as if it had not come', () => {
    const window = opened(2);
    for (let i = 1; i <= 3; i++) window.push(level(100 + i));
    expect(push(window, level(1))).toBe(meanOf(1));
    expect(push(window, level(2))).toBe(meanOf(1, 2));
    expect(push(window, level(104))).toBe(meanOf(103, 104));
  });

  it('goes on after a late frame of the run before', () => {
    const window = opened(3);
    for (const i of [1, 2]) window.push(level(i));
    window.push(level(1, { run: 'life-02' }));
    expect(push(window, level(3))).toBe(meanOf(1, 2, 3));
    expect(push(window, level(2, { run: 'life-02' }))).toBe(meanOf(1, 2));
  });

  it('counts indexes, so that a lost frame does not stretch it', () => {
    const window = opened(3);
    window.push(level(1));
    window.push(level(3));
    expect(push(window, level(5))).toBe(meanOf(3, 5));
  });

  it('remembers without computing, to the same windows', () => {
    const window = opened(3);
    for (const i of [1, 2]) window.remember(level(i));
    expect(push(window, level(3))).toBe(meanOf(1, 2, 3));
  });

  it('says which features have no value', () => {
    const set = aFeatureSet({ feature: 'latest' }, { feature: 'latest', signal: 'speed' });
    expect(
      compileFeatureSet(set, SIGNALS)
        .open()
        .push(aFrame(1, { level: bad, speed: good(1) })),
    ).toEqual({
      ok: false,
      missing: ['f0'],
    });
  });

  it('takes the mean over the frames that have a waveform', () => {
    const set = aFeatureSet({ feature: 'rms', version: 2, signal: 'wave', window: 3 });
    const window = compileFeatureSet(set, SIGNALS).open();
    const flat = (amplitude: number) => wave(new Array(256).fill(amplitude));
    window.push(aFrame(1, { wave: flat(2) }));
    window.push(aFrame(2, { wave: bad }));
    expect(window.push(aFrame(3, { wave: flat(4) }))).toMatchObject({ ok: true, x: [3] });
  });

  it('is the same whatever the order of frames, none later than it may be', () => {
    const scalar = fc.oneof(fc.integer({ min: -9, max: 9 }).map(good), fc.constant(bad));
    const frames = fc.array(
      fc.record({ level: scalar, context: fc.constantFrom('a', 'a', 'a', 'b'), lost: fc.nat(9) }),
      {
        minLength: 1,
        maxLength: 150,
      },
    );
    fc.assert(
      fc.property(
        frames,
        fc.integer({ min: 1, max: 12 }),
        fc.infiniteStream(fc.nat(LATENESS_FRAMES - 1)),
        (all, n, late) => {
          const sent = all.flatMap((f, i) =>
            f.lost === 0 ? [] : [aFrame(i + 1, { level: f.level }, { context: f.context })],
          );
          const last = aFrame(all.length + 1, { level: good(1) });
          const inOrder = opened(n);
          for (const frame of sent) inOrder.push(frame);
          const mixed = opened(n);
          // Sorted by index plus a delay below the bound: no frame comes after one that is as far ahead as the bound.
          const delayed = sent.map((frame) => ({ frame, at: frame.index + (late.next().value as number) }));
          for (const { frame } of delayed.sort((a, b) => a.at - b.at)) mixed.push(frame);
          expect(mixed.push(last)).toEqual(inOrder.push(last));
          for (const frame of sent.slice(-LATENESS_FRAMES)) expect(mixed.push(frame)).toEqual(inOrder.push(frame));
        },
      ),
    );
  });
});
