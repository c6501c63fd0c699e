import fc from 'fast-check';
import { type DeviceState, startOf } from '#core/drift/device/device-state.ts';
import { warmedUp, warmUpBegins } from '#core/drift/device/warm-up.ts';

interface Seen {
  readonly context: string;
  readonly isLeftOut: boolean;
}

const ROWS = 100;

interface Machine {
  readonly stretches: readonly { readonly context: string; readonly windows: number }[];
}

/** Windows of machines that each run their stretches in their contexts, one after the other; in turns of any order. */
const runAll = (machines: readonly Machine[], turns: readonly number[], warmUpRows: number) => {
  let state: DeviceState = startOf('2026-01-01T00:00:00.000Z');
  const seen: Seen[] = [];
  const before: (string | undefined)[] = [];
  const toCome = machines.map((m) => m.stretches.flatMap(({ context, windows }) => Array(windows).fill(context)));
  const step = (machine: number): void => {
    const context: string | undefined = toCome[machine]?.shift();
    if (context === undefined) return;
    const left = before[machine];
    const asset = `asset-${machine}`;
    if (left !== undefined && left !== context)
      state = warmUpBegins(state, [{ asset, from: left, to: context, isTold: false }], warmUpRows);
    before[machine] = context;
    const next = warmedUp(state, { context, assets: [asset], rows: ROWS });
    state = next.state;
    seen.push({ context, isLeftOut: next.isLeftOut });
  };
  for (const turn of turns) step(turn % machines.length);
  while (toCome.some((c) => c.length > 0)) for (const machine of machines.keys()) step(machine);
  return { seen, state };
};

/** Windows of one machine that runs each stretch in its context, one after the other. */
const run = (stretches: Machine['stretches'], warmUpRows: number) => runAll([{ stretches }], [], warmUpRows);

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
  it('of one machine is its own, whatever another machine runs', () => {
    const others = (stretches: Machine['stretches']) => stretches.map((s) => ({ ...s, context: `other-${s.context}` }));
    fc.assert(
      fc.property(cycle, cycle, fc.array(fc.nat({ max: 1 }), { maxLength: 60 }), warmUp, (one, two, turns, rows) => {
        const own = [...one, ...one, ...one];
        const other = others([...two, ...two, ...two]);
        const { seen } = runAll([{ stretches: own }, { stretches: other }], turns, rows);
        const isOther = (w: Seen) => w.context.startsWith('other-');
        expect(seen.filter((w) => !isOther(w))).toEqual(run(own, rows).seen);
        expect(seen.filter(isOther)).toEqual(run(other, rows).seen);
      }),
    );
  });
  it('leaves no context out for ever that two machines come to', () => {
    fc.assert(
      fc.property(cycle, cycle, fc.array(fc.nat({ max: 1 }), { maxLength: 60 }), warmUp, (one, two, turns, rows) => {
        const machines = [one, two].map((s) => ({ stretches: [...s, ...s, ...s, ...s] }));
        const { seen } = runAll(machines, turns, rows);
        for (const { context } of [...one, ...two])
          expect(seen.some((w) => w.context === context && !w.isLeftOut)).toBe(true);
      }),
    );
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
    const begun = { asset: 'asset-0', from: 'a', to: 'b' };
    const window = { context: 'b', assets: ['asset-0'], rows: ROWS };
    const told = warmUpBegins(state, [{ ...begun, isTold: true }], 50);
    expect(warmedUp(told, window).isLeftOut).toBe(true);
    const untold = warmUpBegins(state, [{ ...begun, isTold: false }], 50);
    expect(warmedUp(untold, window).isLeftOut).toBe(false);
  });
});
