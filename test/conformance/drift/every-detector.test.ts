import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { AnyDetector, DetectorDefinition, Watched } from '#core/drift/detector.ts';
import { DETECTORS } from '#core/drift/detectors-registry.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { pageWithTable, registrySource } from '../../../scripts/detector-files.ts';

const folder = path.join(__dirname, '../../../core/drift');
const files = readdirSync(path.join(folder, 'detectors')).filter((f) => f.endsWith('.ts'));
const names = files.map((f) => f.replace(/\.ts$/, ''));
const definitionOf = (name: string): DetectorDefinition => DETECTORS[name] as DetectorDefinition;

const OBSERVATION: Readonly<Record<Watched, fc.Arbitrary<number>>> = {
  error: fc.constantFrom(0, 1),
  loss: fc.double({ min: 0, max: 1, noNaN: true }),
  value: fc.oneof(fc.double({ min: -5, max: 5, noNaN: true }), fc.double({ min: -1e120, max: 1e120, noNaN: true })),
};
const REFUSED: Readonly<Record<Watched, readonly number[]>> = {
  error: [0.5, -1, 2, Number.NaN, Number.POSITIVE_INFINITY],
  loss: [-0.01, 1.01, Number.NaN, Number.NEGATIVE_INFINITY],
  value: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e121],
};
/** One observation of an ordinary stream; its level is that of the defaults of the e-detectors and of calibration. */
const ordinary = (name: string, random: () => number): number => {
  if (name === 'calibration') return random();
  return definitionOf(name).watches === 'value' ? random() - 0.5 : random() < 0.09 ? 1 : 0;
};

const fed = (detector: AnyDetector, observations: readonly number[]): AnyDetector =>
  observations.reduce<AnyDetector>((d, x) => d.update(x), detector);
const text = (detector: AnyDetector): string => JSON.stringify(detector);

it('has every detector of its folder in the registry, as npm run detectors writes it', () => {
  expect(readFileSync(path.join(folder, 'detectors-registry.ts'), 'utf8')).toBe(registrySource(files));
  expect(Object.keys(DETECTORS)).toEqual(names.sort());
});

it('has what every detector says in docs/detectors.md, as npm run detectors writes it', () => {
  const page = readFileSync(path.join(__dirname, '../../../docs/detectors.md'), 'utf8');
  expect(pageWithTable(page, DETECTORS)).toBe(page);
});

describe.each(names)('the detector %s', (name) => {
  const definition = definitionOf(name);
  const observations = fc.array(OBSERVATION[definition.watches], { maxLength: 300 });

  it('is named as its file, and says what it finds and where it comes from', () => {
    expect(definition.name).toBe(name);
    expect(definition.says).not.toBe('');
    expect(definition.source).toMatch(/\d{4}/);
    expect(Object.keys(definition.defaults).length).toBeGreaterThan(0);
  });

  it('goes on from its JSON to the same bits', () => {
    fc.assert(
      fc.property(observations, observations, (first, then) => {
        const kept = fed(definition.start(), first);
        const back = definition.restore(JSON.parse(text(kept)));
        expect(text(back)).toBe(text(kept));
        expect(text(fed(back, then))).toBe(text(fed(kept, then)));
        expect(fed(back, then).value).toBe(fed(kept, then).value);
      }),
      { numRuns: 40 },
    );
  });

  it('is as before its first observation once it is reset', () => {
    fc.assert(
      fc.property(observations, (all) => {
        expect(text(fed(definition.start(), all).reset())).toBe(text(definition.start()));
      }),
      { numRuns: 20 },
    );
  });

  it('leaves the detector before an observation as it was', () => {
    fc.assert(
      fc.property(observations, OBSERVATION[definition.watches], (all, x) => {
        const before = fed(definition.start(), all);
        const kept = text(before);
        before.update(x);
        expect(text(before)).toBe(kept);
      }),
      { numRuns: 20 },
    );
  });

  it('always says a finite number', () => {
    fc.assert(
      fc.property(observations, (all) => {
        let detector: AnyDetector = definition.start();
        for (const x of all) {
          detector = detector.update(x);
          expect(Number.isFinite(detector.value)).toBe(true);
          expect(typeof detector.inAlarm).toBe('boolean');
        }
      }),
      { numRuns: 20 },
    );
  });

  it('keeps a state that does not grow with what it saw: 100,000 records', () => {
    const random = seededRandom(1);
    let detector: AnyDetector = definition.start();
    let largest = 0;
    for (let i = 0; i < 100_000; i++) {
      detector = detector.update(ordinary(name, random));
      if (detector.inAlarm) detector = detector.reset();
      if (i === 10_000) largest = text(detector).length;
    }
    // Digits come and go; ADWIN has a row of buckets more each time its window doubles.
    expect(text(detector).length).toBeLessThan(largest * 1.5 + 1000);
  });

  it('does not alarm on what never changes', () => {
    const level = name === 'calibration' ? 0.5 : 0;
    let detector: AnyDetector = definition.start();
    for (let i = 0; i < 3000; i++) {
      detector = detector.update(level);
      expect(detector.inAlarm).toBe(false);
    }
  });

  it('alarms when what it watches changes a lot, and says a larger number then', () => {
    const random = seededRandom(2);
    let detector: AnyDetector = definition.start();
    for (let i = 0; i < 200; i++) {
      detector = detector.update(ordinary(name, random));
      if (detector.inAlarm) detector = detector.reset();
    }
    const quiet = detector.value;
    const changed = definition.watches === 'value' ? (i: number) => 4 + i / 100 : () => 1;
    let loudest = quiet;
    let found = false;
    for (let i = 0; i < 1000 && !found; i++) {
      detector = detector.update(changed(i));
      loudest = Math.max(loudest, detector.value);
      found = detector.inAlarm;
    }
    expect(found).toBe(true);
    expect(loudest).toBeGreaterThan(quiet);
  });

  it.each(REFUSED[definition.watches])('refuses %s, naming it', (x) => {
    expect(() => definition.start().update(x)).toThrow(RangeError);
    expect(() => definition.start().update(x)).toThrow(`${name}: expected`);
    expect(() => definition.start().update(x)).toThrow(`got ${x}`);
  });

  it('refuses options that it does not have, and values out of their range', () => {
    expect(() => definition.start({ speed: 1 })).toThrow(`${name}: no option "speed"; there is: `);
    for (const option of Object.keys(definition.defaults))
      expect(() => definition.start({ [option]: Number.NaN })).toThrow(`${name}: expected ${option} to be a`);
  });

  it('refuses to be restored from what is none of its states', () => {
    const { state: _, ...without } = JSON.parse(text(definition.start()));
    expect(() => definition.restore(null)).toThrow(`${name}: expected what its toJSON gave`);
    expect(() => definition.restore({ detector: 'other', options: {}, state: {} })).toThrow(`got one of "other"`);
    expect(() => definition.restore(without)).toThrow(`${name}: expected what its toJSON gave, but its state is none`);
    expect(() => definition.restore({ ...without, state: { n: 'many' } })).toThrow(RangeError);
  });
});
