import fc from 'fast-check';
import { calmHold, FREE, type Hold, type HoldSigns, isFree, stepHold } from '#core/drift/device/hold.ts';
import { WindowEValue } from '#core/drift/tolerance/window-e-value.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

const RULE = { psiWatch: 0.02, psiSerious: 0.1, threshold: 10_000, leaveAfter: 3 };
const CALM: HoldSigns = { state: 'steady', lower: 0, eValue: 0, chart: 0, ageing: [], stillAgeing: [] };
const WATCH: HoldSigns = { ...CALM, state: 'watch', lower: 0.03 };
const SERIOUS: HoldSigns = { ...CALM, state: 'serious', lower: 0.2, eValue: 1e6 };
const seen = (...signs: readonly HoldSigns[]): Hold => signs.reduce((hold, s) => stepHold(hold, s, RULE), FREE);
const of = (n: number, signs: HoldSigns): HoldSigns[] => Array.from({ length: n }, () => signs);

describe('what windows say together', () => {
  it('holds a device from the limit of the e-value on, and lets it go after windows under its root', () => {
    expect(isFree(seen({ ...CALM, eValue: 9999 }))).toBe(true);
    const held = [{ ...CALM, eValue: 10_000 }, ...of(10, { ...CALM, eValue: 100 })];
    expect(seen(...held).together).toBe(0);
    expect(seen(...held, ...of(2, CALM)).together).toBe(2);
    expect(seen(...held, ...of(3, CALM)).together).toBeNull();
    expect(seen(...held, ...of(2, CALM), { ...CALM, eValue: 100 }, ...of(2, CALM)).together).toBe(2);
  });
  it('holds it at the root already when a window alone is out too, and not when only that is', () => {
    expect(seen({ ...WATCH, eValue: 100 }).together).toBe(0);
    expect(seen({ ...WATCH, eValue: 99 }).together).toBeNull();
    expect(seen({ ...WATCH, eValue: 100 }, ...of(2, CALM), WATCH, ...of(2, CALM)).together).toBe(2);
  });
  it('hold a device that is just at what is tolerated for longer than it is out by few windows only', () => {
    // p-values that are uniform: the worst that is no change. Of 200 times the windows of a limit that few may begin.
    const next = seededRandom(5);
    const alpha = 0.01;
    let [value, hold] = [WindowEValue.start(['a']), FREE];
    let [begun, held] = [0, 0];
    const windows = 200_000;
    for (let i = 0; i < windows; i++) {
      const p = next();
      value = value.update(new Map([['a', p]]));
      const before = hold;
      const state = p <= alpha ? 'watch' : 'steady';
      hold = stepHold(hold, { ...CALM, state, eValue: value.value }, { ...RULE, leaveAfter: 5 });
      begun += Number(value.value >= RULE.threshold && before.together === null);
      held += Number(hold.together !== null && state === 'steady');
    }
    expect(begun).toBeLessThanOrEqual(windows / RULE.threshold);
    expect(held).toBeLessThan(2 * alpha * windows);
  });
});

describe('the limit of the e-value', () => {
  it('has been reached until the device is let go, and not where it is held by less', () => {
    expect(seen({ ...WATCH, eValue: 9999 }).reached).toBe(false);
    const reached = [
      { ...CALM, eValue: 10_000 },
      { ...CALM, eValue: 100 },
    ];
    expect(seen(...reached, ...of(2, CALM)).reached).toBe(true);
    expect(seen(...reached, ...of(3, CALM)).reached).toBe(false);
    expect(calmHold(seen(...reached), { ...RULE, leaveAfter: 1 }).reached).toBe(false);
    expect(calmHold(seen(...reached), { ...RULE, leaveAfter: 2 }).reached).toBe(true);
  });
});

describe('a mean that went off slowly', () => {
  it('holds a device from the limit of its chart on, until it is under half of it for long', () => {
    expect(isFree(seen({ ...CALM, chart: 1 }))).toBe(true);
    const held = [{ ...CALM, chart: 1.01 }, ...of(9, { ...CALM, chart: 0.51 })];
    expect(seen(...held).slow).toBe(0);
    expect(seen(...held, ...of(2, { ...CALM, chart: 0.5 })).slow).toBe(2);
    expect(seen(...held, ...of(3, { ...CALM, chart: 0.5 })).slow).toBeNull();
  });
});

describe('a feature that ages', () => {
  const OFF = { ...CALM, chart: 1.5 };
  const ages = (...ageing: readonly string[]): HoldSigns => ({ ...OFF, ageing, stillAgeing: ageing });
  const stays = (...stillAgeing: readonly string[]): HoldSigns => ({ ...OFF, stillAgeing });
  it('is said to until it did not for long, not even half as surely, or its chart is back', () => {
    expect(seen(stays('a')).ages).toBeNull();
    expect(seen(ages('a'), ...of(9, stays('a'))).ages).toEqual({ feature: 'a', calm: 0 });
    expect(seen(ages('a'), ...of(2, OFF)).ages).toEqual({ feature: 'a', calm: 2 });
    expect(seen(ages('a'), ...of(3, OFF)).ages).toBeNull();
    expect(seen(ages('a'), ...of(3, CALM))).toMatchObject({ ages: null, slow: null });
  });
  it('is one and the same while it does, however many others do', () => {
    expect(seen(ages('a', 'b'), ages('b', 'a'), ages('b')).ages).toEqual({ feature: 'a', calm: 1 });
    expect(seen(ages('a'), ...of(3, ages('b'))).ages).toEqual({ feature: 'b', calm: 0 });
  });
  it('is another, or none, no more often than after so many windows in a row without it', () => {
    const sign = fc.record({
      ageing: fc.subarray(['a', 'b', 'c']),
      stillAgeing: fc.subarray(['a', 'b', 'c']),
      chart: fc.constantFrom(0.2, 0.8, 1.5),
    });
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 60 }), (signs) => {
        let hold = FREE;
        const said: (string | null)[] = [];
        for (const s of signs) {
          hold = stepHold(hold, { ...CALM, ...s }, RULE);
          said.push(hold.ages?.feature ?? null);
        }
        const left = said.filter((f, i) => i > 0 && said[i - 1] !== null && f !== said[i - 1]).length;
        expect(left).toBeLessThanOrEqual(Math.floor(signs.length / RULE.leaveAfter));
      }),
    );
  });
});

describe('a window that is far off', () => {
  it('holds a device at once, until the index is under the geometric mean of its limits for long', () => {
    expect(seen(SERIOUS).serious).toBe(0);
    const mild = { ...WATCH, lower: 0.045 };
    expect(seen(SERIOUS, ...of(9, mild)).serious).toBe(0);
    expect(seen(SERIOUS, ...of(2, WATCH)).serious).toBe(2);
    expect(seen(SERIOUS, ...of(3, WATCH))).toMatchObject({ serious: null, together: 0 });
  });
  it('that comes now and then to a device that is looked at already is not enough, two in a row are', () => {
    const watched = of(4, { ...WATCH, eValue: 1e6 });
    expect(seen(...watched, SERIOUS, ...watched, SERIOUS).serious).toBeNull();
    expect(seen(...watched, SERIOUS, SERIOUS).serious).toBe(0);
  });
});

describe('a device that is looked at', () => {
  const sign = fc.record({
    state: fc.constantFrom('steady' as const, 'watch' as const, 'serious' as const),
    lower: fc.double({ min: 0, max: 1, noNaN: true }),
    eValue: fc.double({ min: 0, max: 1e12, noNaN: true }),
    chart: fc.double({ min: 0, max: 2, noNaN: true }),
    ageing: fc.subarray(['a', 'b', 'c']),
    stillAgeing: fc.subarray(['a', 'b', 'c']),
  });
  it('is free after so many calm windows, whatever was before, and never without them', () => {
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 20 }), (signs) => {
        const hold = seen(...signs);
        expect(isFree(of(RULE.leaveAfter, CALM).reduce((h, s) => stepHold(h, s, RULE), hold))).toBe(true);
        expect(isFree(of(RULE.leaveAfter, CALM).reduce((h) => calmHold(h, RULE), hold))).toBe(true);
        const counts = [hold.serious, hold.slow, hold.together].filter((n) => n !== null);
        for (const n of counts) expect(n).toBeLessThan(RULE.leaveAfter);
        const isNews = signs.at(-1)?.state === 'serious' && (signs.at(-1)?.eValue ?? 0) >= RULE.threshold;
        if (isNews) expect(hold.together).toBe(0);
      }),
    );
  });
});
