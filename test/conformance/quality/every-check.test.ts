import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Observation } from '#core/contracts/observation.ts';
import { QualityCheck, type QualityRules } from '#core/contracts/quality.ts';
import { type Checked, makeMonitor, type Stretch, worseQuality } from '#core/quality/monitor.ts';
import { CHECKS } from '#core/quality/registry.ts';
import { observation } from '../../support/observations.ts';

const FOLDER = join(__dirname, '../../../core/quality/checks');
const RULES: QualityRules = {
  range: [0, 100],
  maxRate: 5,
  stuckSeconds: 4,
  intervalSeconds: 1,
  latenessSeconds: 3,
};

const values = fc.oneof(
  fc.constantFrom<Observation['value'][]>(1, 2, -0, 0, 50, 101, NaN, Infinity, null, 'on', '', true, false),
  fc.double({ noNaN: false }),
);
/** Series as bad as they come: disorder, repetitions, jumps of the clock, other units, late and future values. */
const series = fc.array(
  fc.record({
    step: fc.constantFrom(0, 0.5, 1, 1, 1, 1, 2, 7, -1, -2, -30, 90_000, -90_000),
    value: values,
    quality: fc.constantFrom('GOOD' as const, 'GOOD' as const, 'UNCERTAIN' as const, 'BAD' as const),
    unit: fc.constantFrom('Cel', 'Cel', 'Cel', '[degF]'),
    delay: fc.constantFrom(0, 0, 0, 2, 10, -10),
    historical: fc.boolean(),
    pause: fc.constantFrom(0, 0, 0, 60),
  }),
  { maxLength: 60 },
);
type Step = typeof series extends fc.Arbitrary<(infer S)[]> ? S : never;

const observations = (steps: readonly Step[]): readonly { readonly o: Observation; readonly pause: number }[] => {
  let time = 0;
  return steps.map((s) => {
    time += s.step;
    const o = observation(time, s.value, {
      quality: s.quality,
      unit: s.unit,
      receivedTime: observation(time + s.delay, 0).sourceTime,
      ...(s.historical ? { flags: ['historical' as const] } : {}),
    });
    return { o, pause: s.pause };
  });
};

describe('the checks of data quality', () => {
  it('are one for each name of the contract, each in a file of its name', () => {
    expect(
      readdirSync(FOLDER)
        .map((f) => f.replace('.ts', ''))
        .sort(),
    ).toEqual([...QualityCheck.options].sort());
    for (const [name, check] of Object.entries(CHECKS)) expect(check.name).toBe(name);
  });

  it.each(Object.values(CHECKS))('$name says what it is and what a failing value becomes', (check) => {
    expect(check.says.length).toBeGreaterThan(10);
    expect(check.effect.length).toBeGreaterThan(2);
  });

  it('stand in docs/data-quality.md with what they say of themselves, in their order', () => {
    const page = readFileSync(join(__dirname, '../../../docs/data-quality.md'), 'utf8');
    const table = Object.values(CHECKS).map((c) => `| \`${c.name}\` | ${c.says} | ${c.effect} |`);
    expect(page).toContain(table.join('\n'));
  });

  it.each(Object.values(CHECKS))('$name starts with a state of its own each time', (check) => {
    expect(check.start()).not.toBe(check.start());
  });

  it.each(Object.values(CHECKS))('$name keeps a state of bounded size, however much comes', (check) => {
    const state = check.start();
    const size = () => JSON.stringify(state).length;
    const take = (i: number) =>
      check.take(
        state,
        {
          raw: i,
          value: i,
          unit: 'Cel',
          quality: 'GOOD',
          sourceTime: 1e12 + 1000 * i,
          receivedTime: 1e12,
          newest: 1e12,
          missed: false,
        },
        { rules: RULES, unit: 'Cel' },
      );
    for (let i = 1000; i < 1100; i++) take(i);
    const before = size();
    for (let i = 1100; i < 5000; i++) take(i);
    expect(size()).toBeLessThanOrEqual(before + 8);
  });
});

describe('a monitor of one signal', () => {
  it('goes on after a restart at any value as if there had been none', () => {
    fc.assert(
      fc.property(series, fc.nat(60), (steps, at) => {
        const run = (restart: number): unknown[] => {
          let monitor = makeMonitor(RULES, 'Cel');
          const said: unknown[] = [];
          for (const [i, { o, pause }] of observations(steps).entries()) {
            if (i === restart) monitor = makeMonitor(RULES, 'Cel', JSON.parse(JSON.stringify(monitor.state)));
            said.push(monitor.take(o));
            if (pause > 0) said.push(monitor.flush(o.receivedTime + 1000 * pause));
          }
          return [...said, monitor.end()];
        };
        expect(run(at)).toEqual(run(-1));
      }),
    );
  });

  it('never makes a value better than it came, and gives a reason for each that is not good by its own doing', () => {
    fc.assert(
      fc.property(series, (steps) => {
        const monitor = makeMonitor(RULES, 'Cel');
        for (const { o } of observations(steps)) {
          const checked = monitor.take(o);
          expect(worseQuality(checked.quality, o.quality)).toBe(checked.quality);
          if (checked.quality !== o.quality) expect(checked.reason?.length).toBeGreaterThan(0);
          if (checked.quality === 'GOOD') expect(Number.isNaN(o.value) || o.value === null).toBe(false);
        }
      }),
    );
  });

  it('counts every value that fails exactly once, in stretches that are closed or open at the end', () => {
    fc.assert(
      fc.property(series, (steps) => {
        const monitor = makeMonitor({ range: [0, 100] }, 'Cel');
        const results: Checked[] = observations(steps).map(({ o }) => monitor.take(o));
        // A step back can give two stretches one beginning: those are told apart by the order in which they are said.
        const closed: Stretch[] = results.flatMap((r) => r.findings.filter((f) => !f.open));
        const counted = [...closed, ...monitor.end()].filter((f) => f.check === 'range');
        const failed = results.filter((r) => r.failed.includes('range')).length;
        expect(counted.reduce((sum, f) => sum + f.count, 0)).toBe(failed);
      }),
    );
  });

  it('says stretches with an end not before their beginning, at least one value and a reason', () => {
    fc.assert(
      fc.property(series, (steps) => {
        const monitor = makeMonitor(RULES, 'Cel');
        for (const { o, pause } of observations(steps))
          for (const f of [...monitor.take(o).findings, ...monitor.flush(o.receivedTime + 1000 * pause)]) {
            expect(f.to).toBeGreaterThanOrEqual(f.from);
            expect(f.count).toBeGreaterThan(0);
            expect(Number.isInteger(f.count)).toBe(true);
            expect(f.worst === null || Number.isFinite(f.worst)).toBe(true);
            expect(f.says.length).toBeGreaterThan(0);
            expect(f.says.length).toBeLessThanOrEqual(240);
          }
      }),
    );
  });
});
