import fc from 'fast-check';
import { equalDimension } from '#core/units/dimension.ts';
import { nearestUnit } from '#core/units/nearest.ts';
import { REC20 } from '#core/units/rec20.ts';
import { readUcum } from '#core/units/ucum.ts';
import { convert, opcUaUnitId, rec20Of, sameDimension, ucumOfRec20, unitOf } from '#core/units/units.ts';
import { REC20_FACTORS } from './rec20-factors.ts';

const UNITS = REC20.map(([, ucum]) => ucum);

describe('the table of units', () => {
  it('has a meaning in UCUM for every unit, and says each common code and each unit once', () => {
    for (const [commonCode, ucum, name] of REC20)
      expect(unitOf(ucum)).toMatchObject({ ucum, name, rec20: commonCode, factor: expect.any(Number) });
    expect(new Set(UNITS).size).toBe(REC20.length);
    expect(new Set(REC20.map(([code]) => code)).size).toBe(REC20.length);
  });

  it.each(Object.entries(REC20_FACTORS))(
    'gives %s the conversion factor that Recommendation 20 prints',
    (code, factor) => {
      const unit = unitOf(ucumOfRec20(code) ?? '');
      // The recommendation prints five digits at least, of metres a minute and of heads of liquids fewer.
      expect(Math.abs((unit?.factor ?? 0) / factor - 1)).toBeLessThan(5e-5);
    },
  );

  it.each([
    ['CEL', 4408652],
    ['KGM', 4933453],
    ['MTR', 5067858],
    ['BAR', 4342098],
    ['4H', 13384],
  ])('gives %s the unitId %d of OPC UA', (code, id) => {
    expect(opcUaUnitId(code)).toBe(id);
    expect(ucumOfRec20(code)).toBeDefined();
  });
});

describe('a unit', () => {
  it.each([
    ['m.s-2', 'MSK'],
    ['/min', 'C94'],
    ['m/(s.s)', 'MSK'],
    ['10*3.Pa', 'KPA'],
    ['L/min', 'L2'],
    ['V.A', 'D46'],
  ])('that is spelt %s has the common code %s', (ucum, code) => expect(rec20Of(ucum)).toBe(code));

  it.each([
    ['a code that is none', 'furlong'],
    ['nothing', ''],
    ['a unit with a zero of its own in a term', 'Cel/h'],
    ['a prefix where none may stand', 'kmin'],
    ['an exponent of zero', 'm0'],
    ['an exponent beyond what occurs', 'm99'],
    ['a bracket that is not closed', 'm/(s.s'],
    ['two operators', 'm//s'],
    ['an operator at the end', 'm/'],
    ['a space', 'm s'],
    ['the name of a member of every object', 'constructor'],
    ['a text too long to be one', 'm.'.repeat(60)],
  ])('is unknown when it is %s', (_, code) => {
    expect(unitOf(code)).toBeUndefined();
    expect(rec20Of(code)).toBeUndefined();
    expect(sameDimension(code, code)).toBe(false);
    expect(convert(1, code, code)).toBeUndefined();
  });

  it('without a common code is a unit all the same, named by its code', () =>
    expect(unitOf('kg.m2/s3')).toMatchObject({ name: 'watt', rec20: 'WTT' }));

  it('that nobody has named is named by its code', () =>
    expect(unitOf('m5/kg')).toMatchObject({ name: 'm5/kg', rec20: undefined }));

  it('reads any text in bounded work and throws at none', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'mskgPaC[]{}().-/10*^%\'"') })),
        (text) => {
          const measure = readUcum(text);
          if (measure !== undefined) expect(measure.numerator / measure.denominator).toBeGreaterThan(0);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a conversion', () => {
  it.each([
    [36, 'km/h', 'm/s', 10],
    [25, 'Cel', 'K', 298.15],
    [212, '[degF]', 'Cel', 100],
    [-40, '[degF]', 'Cel', -40],
    [1, 'bar', 'kPa', 100],
    [1500, '{rev}/min', '1/s', 25],
    [180, 'deg', 'rad', Math.PI],
    [1, 'kW.h', 'MJ', 3.6],
    [1, '[in_i]', 'mm', 25.4],
    [50, '%', '1', 0.5],
    [7.5, '[pH]', '[pH]', 7.5],
  ])('of %d %s to %s gives %d', (value, from, to, expected) => {
    const converted = convert(value, from, to);
    expect(Math.abs((converted ?? Number.NaN) - expected)).toBeLessThanOrEqual(4e-13 * Math.abs(expected));
  });

  it.each([
    ['bar', 'Cel'],
    ['1/min', 'rad/s'],
    ['By/s', 'Hz'],
    ['dB', '1'],
    ['m/s2', 'mm/s'],
    ['[g]', 'g'],
  ])('from %s to %s does not exist', (from, to) => {
    expect(convert(1, from, to)).toBeUndefined();
    expect(sameDimension(from, to)).toBe(false);
  });

  it('there and back is the value again, for every pair of units of one dimension', () => {
    const pairs = UNITS.flatMap((a) => UNITS.filter((b) => sameDimension(a, b)).map((b) => [a, b] as const));
    fc.assert(
      fc.property(fc.constantFrom(...pairs), fc.integer({ min: -1e9, max: 1e9 }), ([a, b], thousandths) => {
        const value = thousandths / 1000;
        const back = convert(convert(value, a, b) as number, b, a) as number;
        // A zero of its own moves the value by up to 500 units, whose rounding stays.
        const moved = unitOf(a)?.offset !== 0 || unitOf(b)?.offset !== 0 ? 500 : 0;
        expect(Math.abs(back - value)).toBeLessThanOrEqual(1e-14 * (Math.abs(value) + moved));
      }),
      { numRuns: 3000 },
    );
  });

  it('exists exactly between units of one dimension', () => {
    fc.assert(
      fc.property(fc.constantFrom(...UNITS), fc.constantFrom(...UNITS), (a, b) => {
        const [x, y] = [unitOf(a), unitOf(b)];
        if (x === undefined || y === undefined) throw new Error(`${a} or ${b} is unknown`);
        expect(convert(1, a, b) !== undefined).toBe(equalDimension(x.dimension, y.dimension));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the unit that was meant', () => {
  it.each([
    ['°C', 'Cel'],
    ['deg C', 'Cel'],
    ['celcius', 'Cel'],
    ['m/s^2', 'm/s2'],
    ['m/s²', 'm/s2'],
    ['kWh', 'kW.h'],
    ['Nm', 'N.m'],
    ['RPM', '{rev}/min'],
    ['bar(g)', 'bar'],
    ['mm/sec', 'mm/s'],
    ['Hertz', 'Hz'],
    ['kPA', 'kPa'],
  ])('by %s is %s', (text, ucum) => expect(nearestUnit(text)).toBe(ucum));

  it('is none where nothing is like it', () => expect(nearestUnit('gazonk-feel')).toBeUndefined());

  it('is always one that is known', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const nearest = nearestUnit(text);
        expect(nearest === undefined || unitOf(nearest) !== undefined).toBe(true);
      }),
    );
  });
});
