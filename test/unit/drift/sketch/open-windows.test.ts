import fc from 'fast-check';
import { OpenWindows } from '#core/drift/sketch/open-windows.ts';
import { baselineOf, featureOn, numericCells } from '../../../support/baselines.ts';

const baseline = baselineOf([featureOn('f', numericCells([0]))]);
const rowsOf = (list: readonly (readonly [string, string])[]) =>
  list.map(([asset, context], k) => ({
    sequence: k + 1,
    asset,
    context,
    sourceTime: '2026-01-01T00:00:00.000Z',
    x: [k],
  }));

describe('the open windows of a device', () => {
  it('are one for each context that an asset is in', () => {
    const open = new OpenWindows(baseline);
    for (const row of rowsOf([
      ['m1', 'a'],
      ['m2', 'b'],
      ['m1', 'a'],
    ]))
      open.add(row);
    expect(open.all().map(({ context, sketch }) => [context, sketch.rows])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(open.complete(3)).toEqual([]);
    expect(open.complete(2).map((w) => w.context)).toEqual(['a']);
  });
  it('are complete when the last asset has left their context, however few rows they have', () => {
    const open = new OpenWindows(baseline);
    for (const row of rowsOf([
      ['m1', 'a'],
      ['m2', 'a'],
      ['m1', 'b'],
    ]))
      open.add(row);
    expect(open.complete(100)).toEqual([]);
    open.add({ ...(rowsOf([['m2', 'b']])[0] as ReturnType<typeof rowsOf>[number]), sequence: 4 });
    expect(open.complete(100).map((w) => w.context)).toEqual(['a']);
  });
  it('begin anew, and are forgotten when nobody is in their context', () => {
    const open = new OpenWindows(baseline);
    for (const row of rowsOf([
      ['m1', 'a'],
      ['m1', 'b'],
      ['m1', 'b'],
    ]))
      open.add(row);
    for (const window of open.all()) open.begin(window);
    expect(open.all().map(({ context, sketch }) => [context, sketch.rows])).toEqual([['b', 0]]);
  });
  it('count each row once, never two contexts together, and never more contexts than assets', () => {
    const pairs = fc.array(fc.tuple(fc.constantFrom('m1', 'm2', 'm3'), fc.constantFrom('a', 'b', 'c', 'd')), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 10 }), (list, every) => {
        const open = new OpenWindows(baseline);
        const sent = new Map<string, number>();
        const send = (windows: ReturnType<OpenWindows['all']>): void => {
          for (const w of windows) {
            sent.set(w.context, (sent.get(w.context) ?? 0) + w.sketch.rows);
            open.begin(w);
          }
        };
        for (const row of rowsOf(list)) {
          open.add(row);
          send(open.complete(every));
          expect(open.all().length).toBeLessThanOrEqual(3);
        }
        send(open.all());
        for (const context of ['a', 'b', 'c', 'd'])
          expect(sent.get(context) ?? 0).toBe(list.filter(([, c]) => c === context).length);
      }),
    );
  });
});
