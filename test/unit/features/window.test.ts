import fc from 'fast-check';
import type { Frame } from '#core/contracts/frame.ts';
import { decodeFrame, decodeSamples, FrameWindow } from '#core/features/engine/window.ts';
import { aFrame, bad, encodeSamples, good, SIGNALS, wave } from './a-frame.ts';

const level = (index: number, over: Partial<Frame> = {}) => aFrame(index, { level: good(index) }, over);
const indexes = (window: FrameWindow, frame: Frame) => window.push(frame).map((f) => f.index);

describe('decodeFrame', () => {
  it('keeps good and uncertain scalars within the physical range', () => {
    const frame = aFrame(1, { level: { value: 5, quality: 'UNCERTAIN' }, speed: good(6000) });
    expect([...decodeFrame(frame, SIGNALS).scalars]).toEqual([
      ['level', 5],
      ['speed', 6000],
    ]);
  });

  it.each([
    ['BAD', bad],
    ['above its range', good(1001)],
    ['below its range', good(-1001)],
    ['not a number', good(Number.NaN)],
    ['a waveform where a scalar belongs', wave([1, 2])],
  ])('drops a scalar that is %s', (_, value) => {
    expect(decodeFrame(aFrame(1, { level: value }), SIGNALS).scalars.size).toBe(0);
  });

  it.each([
    ['too short', wave([1, 2, 3])],
    ['cut in the middle of a sample', { samples: btoa('abcde'), quality: 'GOOD' as const }],
    ['out of range in one sample', wave([...new Array(255).fill(0), 1001])],
    ['not a number in one sample', wave([...new Array(255).fill(0), Number.NaN])],
    ['a scalar', good(1)],
  ])('drops a waveform that is %s', (_, value) => {
    expect(decodeFrame(aFrame(1, { wave: value }), SIGNALS).waveforms.size).toBe(0);
  });

  it('ignores signals that the use case does not have', () => {
    expect(decodeFrame(aFrame(1, { other: good(1) }), SIGNALS).scalars.size).toBe(0);
  });
});

describe('decodeSamples', () => {
  it('gives back float32 values, little-endian', () => {
    expect([...(decodeSamples(encodeSamples([1.5, -2, 1e30])) ?? [])]).toEqual([1.5, -2, Math.fround(1e30)]);
  });

  it('gives nothing for bytes that are no whole samples', () => {
    expect(decodeSamples(btoa('abcde'))).toBeUndefined();
  });
});

describe('FrameWindow', () => {
  it('keeps the newest frames up to its length', () => {
    const window = new FrameWindow(SIGNALS, 3);
    for (const i of [1, 2, 3]) window.push(level(i));
    expect(indexes(window, level(4))).toEqual([2, 3, 4]);
  });

  it.each([
    ['run', { run: 'life-02' }],
    ['context', { context: 'warm-up' }],
    ['asset', { asset: 'm2' }],
  ])('starts anew with another %s', (_, over) => {
    const window = new FrameWindow(SIGNALS, 3);
    window.push(level(1));
    expect(indexes(window, level(2, over))).toEqual([2]);
  });

  it('gives the same window for a frame that is sent again', () => {
    const window = new FrameWindow(SIGNALS, 3);
    for (const i of [1, 2, 3]) window.push(level(i));
    expect(indexes(window, level(2))).toEqual([1, 2]);
    expect(indexes(window, level(4))).toEqual([2, 3, 4]);
  });

  it('puts a late frame in its place', () => {
    const window = new FrameWindow(SIGNALS, 5);
    for (const i of [1, 2, 4]) window.push(level(i));
    expect(indexes(window, level(3))).toEqual([1, 2, 3]);
    expect(indexes(window, level(5))).toEqual([1, 2, 3, 4, 5]);
  });

  it('starts anew at a frame older than everything it still holds', () => {
    const window = new FrameWindow(SIGNALS, 2);
    for (const i of [5, 6, 7]) window.push(level(i));
    expect(indexes(window, level(1))).toEqual([1]);
  });

  it('is the same after a rebuild from its last frames', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 30 }), (length, frames) => {
        const window = new FrameWindow(SIGNALS, length);
        for (let i = 1; i <= frames; i++) window.push(level(i));
        const rebuilt = new FrameWindow(SIGNALS, length);
        for (let i = Math.max(1, frames - length + 1); i <= frames; i++) rebuilt.push(level(i));
        expect(rebuilt.push(level(frames + 1))).toEqual(window.push(level(frames + 1)));
      }),
    );
  });
});
