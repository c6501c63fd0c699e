import { FrameHistory, INDEX } from '#core/features/engine/history.ts';
import { aFrame } from './a-frame.ts';

const HELD = 10;
const opened = (keepsFrames = false) => new FrameHistory(aFrame(1, {}), 1, HELD, keepsFrames);
const take = (history: FrameHistory, index: number, context = 'a') => {
  const { at, known } = history.take(aFrame(index, {}, { context }));
  if (!known) (history.columns.at(-1) as Float64Array)[at] = index * 10;
  return at;
};
const own = (history: FrameHistory, at: number, length: number): number[] => {
  const start = history.start(at, length);
  return [...(history.columns.at(-1) as Float64Array).subarray(start, at + 1)];
};

describe('the frames of a run', () => {
  it('stay in order of their index for as long as the run goes on, with some late', () => {
    const history = opened();
    for (let index = 2; index < 500; index += 2) {
      take(history, index + 1);
      const at = take(history, index);
      expect((history.columns[INDEX] as Float64Array)[at]).toBe(index);
      expect(own(history, at, 4)).toEqual(
        [index - 3, index - 2, index - 1, index].filter((i) => i > 1).map((i) => i * 10),
      );
    }
  });

  it('are forgotten when they are as far behind as is held', () => {
    const history = opened();
    for (let index = 1; index <= 30; index++) take(history, index);
    expect(history.newest).toBe(30);
    expect(history.accepts(aFrame(20, {}))).toBe(false);
    expect(history.accepts(aFrame(21, {}))).toBe(true);
    expect(history.accepts(aFrame(31, {}, { run: 'life-02' }))).toBe(false);
    expect(own(history, take(history, 31), 100)).toHaveLength(HELD);
  });

  it('are given away once as they came, where they are kept for that', () => {
    const history = opened(true);
    for (let index = 1; index <= 45; index++) take(history, index);
    const at = take(history, 46);
    expect(history.waiting(at)?.index).toBe(46);
    expect(history.waiting(at)).toBeNull();
    expect(history.waiting(at - 1)?.index).toBe(45);
    const without = opened();
    expect(without.waiting(take(without, 1))).toBeNull();
  });
});
