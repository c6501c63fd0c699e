import fc from 'fast-check';
import { type DeviceState, startOf } from '#core/drift/device/device-state.ts';
import { warmedUp, warmUpBegins } from '#core/drift/device/warm-up.ts';

interface Seen {
  readonly context: string;
  readonly isLeftOut: boolean;
}

const ROWS = 100;

/** Windows of one machine that runs each stretch in its context, one after the other. */
const run = (stretches: readonly { readonly context: string; readonly windows: number }[], warmUpRows: number) => {
  let state: DeviceState = startOf('2026-01-01T00:00:00.000Z');
  let before: string | null = null;
  const seen: Seen[] = [];
  for (const { context, windows } of stretches)
    for (let i = 0; i < windows; i++) {
      if (before !== null && before !== context) state = warmUpBegins(state, { context }, warmUpRows, [before], false);
      before = context;
      const next = warmedUp(state, { context, rows: ROWS });
      state = next.state;
      seen.push({ context, isLeftOut: next.isLeftOut });
    }
  return { seen, state };
};

const cycle = fc.uniqueArray(
  fc.record({ context: fc.constantFrom('a', 'b', 'c', 'd'), windows: fc.integer({ min: 1, max: 5 }) }),
  {
    minLength: 2,
    maxLength: 4,
    selector: (s) => s.context,
  },
);
const warmUp = fc.integer({ min: 1, max: 700 });

describe('the warm-up after a change of context', () => {
  it('leaves no context out for ever that a machine comes back to, however short its stretches are', () => {
    fc.assert(
      fc.property(cycle, warmUp, (stretches, rows) => {
        const { seen } = run([...stretches, ...stretches, ...stretches], rows);
        const last = seen.slice((seen.length * 2) / 3);
        for (const { context } of stretches) expect(last.some((w) => w.context === context && !w.isLeftOut)).toBe(true);
      }),
    );
  });
  it('leaves out its rows in every stretch where all of them are longer', () => {
    fc.assert(
      fc.property(cycle, warmUp, (stretches, rows) => {
        const longer = Math.ceil(rows / ROWS);
        const long = stretches.map((s) => ({ ...s, windows: longer + s.windows }));
        const { seen, state } = run([...long, ...long], rows);
        expect(seen.filter((w) => w.isLeftOut)).toHaveLength((2 * long.length - 1) * longer);
        expect(state.shortContexts ?? []).toEqual([]);
      }),
    );
  });
  it('is left out again once a stretch outlasted it', () => {
    const [short, long] = [1, 4].map((windows) => ({ context: 'a', windows }));
    const other = { context: 'b', windows: 4 };
    const { seen } = run([other, short, other, long, other, long] as never, 150);
    const ofA = seen.filter((w) => w.context === 'a').map((w) => w.isLeftOut);
    expect(ofA).toEqual([true, false, false, false, false, true, true, false, false]);
  });
  it('after an event is left out in any case', () => {
    const { state } = run(
      [
        { context: 'a', windows: 1 },
        { context: 'b', windows: 1 },
        { context: 'a', windows: 1 },
      ],
      50,
    );
    const told = warmUpBegins(state, { context: 'b' }, 50, ['a'], true);
    expect(warmedUp(told, { context: 'b', rows: ROWS }).isLeftOut).toBe(true);
    const untold = warmUpBegins(state, { context: 'b' }, 50, ['a'], false);
    expect(warmedUp(untold, { context: 'b', rows: ROWS }).isLeftOut).toBe(false);
  });
});
