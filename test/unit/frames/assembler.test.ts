import fc from 'fast-check';
import { Frame } from '#core/contracts/frame.ts';
import type { Observation } from '#core/contracts/observation.ts';
import type { Framing, SignalDefinition } from '#core/contracts/use-case.ts';
import { type Assembler, makeAssembler } from '#core/frames/assembler.ts';
import { framingProblems, slugOf } from '#core/frames/framing.ts';
import { decodeSamples } from '#core/frames/waveform.ts';
import { observation, T0 } from '../../support/observations.ts';

const scalar = (name: string): SignalDefinition => ({ name, unit: 'Cel', kind: 'scalar', range: [-1000, 1000] });
const vibration: SignalDefinition = {
  name: 'vibration',
  unit: 'm/s2',
  kind: 'waveform',
  range: [-50, 50],
  sampleRateHz: 100,
  samples: 200,
};
const SIGNALS = [scalar('temperature'), scalar('load')];
const FRAMING: Framing = {
  everySeconds: 10,
  latenessSeconds: 5,
  scalars: { load: { take: 'mean', carrySeconds: 30 } },
  contextSignal: 'recipe',
  runSignal: 'run',
};
const PLAIN: Framing = { everySeconds: 10, latenessSeconds: 5 };

const make = (framing: Framing, signals = SIGNALS, state?: Assembler['state']): Assembler =>
  makeAssembler({ site: 'plant-a', asset: 'spindle-1', signals, framing }, state);
const at = (seconds: number): string => new Date(T0 + 1000 * seconds).toISOString();
const load = (seconds: number, value: Observation['value'], more: Partial<Observation> = {}): Observation =>
  observation(seconds, value, { signal: 'load', ...more });
const recipe = (seconds: number, value: string): Observation => observation(seconds, value, { signal: 'recipe' });
const framesOf = (framing: Framing, values: readonly Observation[], signals = SIGNALS): readonly Frame[] => {
  const assembler = make(framing, signals);
  return values.flatMap((v) => assembler.take(v).frames.map((f) => Frame.parse(f)));
};
/** Closes what is open. */
const end = observation(1000, 1);

describe('the assembler of frames', () => {
  it('makes a frame of each block of time, when a value lies beyond it by the lateness', () => {
    const assembler = make(PLAIN);
    expect(assembler.take(observation(1, 20)).frames).toEqual([]);
    expect(assembler.take(observation(9, 21)).frames).toEqual([]);
    expect(assembler.take(observation(14.9, 22)).frames).toEqual([]);
    expect(assembler.take(observation(15, 23)).frames).toEqual([
      {
        schema: 'frame/1',
        site: 'plant-a',
        asset: 'spindle-1',
        run: 'every-10-s-20260302t080000',
        index: 1,
        context: 'default',
        sourceTime: at(10),
        receivedTime: at(9),
        signals: { temperature: { value: 21, quality: 'GOOD' }, load: { quality: 'BAD', reason: 'no value' } },
      },
    ]);
  });

  it('counts blocks, so that a block without a value leaves a gap in the index', () => {
    const frames = framesOf(PLAIN, [observation(1, 1), observation(11, 2), observation(42, 3), end]);
    expect(frames.map((f) => f.index)).toEqual([1, 2, 5]);
  });

  it('takes the last value of a block by its time, or the mean, as declared', () => {
    const frames = framesOf(FRAMING, [observation(2, 8), observation(1, 7), load(1, 1), load(2, 2), load(3, 6), end]);
    expect(frames[0]?.signals).toMatchObject({ temperature: { value: 8 }, load: { value: 3 } });
  });

  it('leaves BAD values out, doubts what is left, and is BAD where nothing is', () => {
    const bad = { quality: 'BAD' as const, reason: 'wire break' };
    const frames = framesOf(FRAMING, [
      load(1, 2),
      load(2, null, bad),
      observation(3, null, bad),
      observation(12, 5, { quality: 'UNCERTAIN', reason: 'stuck' }),
      end,
    ]);
    expect(frames[0]?.signals).toEqual({
      load: { value: 2, quality: 'UNCERTAIN', reason: '1 of 2 values were BAD' },
      temperature: { quality: 'BAD', reason: 'wire break' },
    });
    expect(frames[1]?.signals['temperature']).toEqual({ value: 5, quality: 'UNCERTAIN', reason: 'stuck' });
  });

  it('carries the last value of a source that reports changes only, as long as declared', () => {
    const frames = framesOf(FRAMING, [load(1, 4), observation(61, 1), end]);
    expect(frames.map((f) => [f.index, f.signals['load']?.value])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [7, undefined],
    ]);
  });

  it('carries nothing on after a BAD value', () => {
    const frames = framesOf(FRAMING, [load(1, 4), load(2, null, { quality: 'BAD' }), observation(11, 1), end]);
    expect(frames[1]?.signals['load']).toEqual({ quality: 'BAD', reason: 'no value' });
  });

  it('says that a value came too late, and changes no frame for it', () => {
    const assembler = make(PLAIN);
    assembler.take(observation(1, 1));
    assembler.take(observation(16, 2));
    expect(assembler.isClosed(observation(9, 99))).toBe(true);
    expect(assembler.take(observation(9, 99))).toEqual({ frames: [], missed: true });
    expect(assembler.take(observation(10, 3)).missed).toBe(false);
  });

  it('begins anew where the clock was set back by more than a day', () => {
    const assembler = make(PLAIN);
    assembler.take(observation(1, 1));
    const taken = assembler.take(observation(-90_000, 1));
    expect(taken.missed).toBe(false);
    const [frame] = assembler.take(observation(-89_000, 1)).frames;
    expect(frame).toMatchObject({ run: 'every-10-s-20260301t070000', index: 1, sourceTime: at(-89_990) });
  });

  it('counts from 1 where a value comes late just after the clock was set back to the begin of its run', () => {
    const run = observation(-100_000, 'r1', { signal: 'run' });
    const values = [
      observation(0, 1),
      run,
      observation(-100_000, 1),
      observation(-100_009, 2),
      observation(-99_900, 3),
    ];
    expect(framesOf(FRAMING, values).map((f) => [f.run, f.index])).toEqual([
      ['r1', 1],
      ['r1', 2],
    ]);
  });

  it('names a run that no signal names after the block it counts from, so that without its state it is another', () => {
    const [before] = framesOf(PLAIN, [observation(1, 1), end]);
    const [after] = framesOf(PLAIN, [observation(31, 1), end]);
    expect([before?.run, after?.run]).toEqual(['every-10-s-20260302t080000', 'every-10-s-20260302t080030']);
    const [fine] = framesOf({ everySeconds: 0.5, latenessSeconds: 0 }, [observation(0.6, 1), end]);
    expect(fine?.run).toBe('every-0-5-s-20260302t080000500');
    const [unknown] = framesOf(FRAMING, [observation(1, 1), end]);
    expect(unknown?.run).toBe('unknown-20260302t080000');
  });

  it('counts a run by the same blocks again where its state was lost and its name is told again with its time', () => {
    const run = observation(1, 'life-1', { signal: 'run' });
    const values = [observation(2, 1), observation(31, 2), observation(46, 3), end];
    const whole = framesOf(FRAMING, [run, ...values]);
    const anew = framesOf(FRAMING, [observation(31, 2), run, observation(46, 3), end]);
    expect(whole.map((f) => [f.run, f.index])).toEqual([1, 4, 5].map((i) => ['life-1', i]));
    expect(anew).toEqual(whole.slice(1));
  });

  it('lets a context that is told late, and newer than the one known, hold from the oldest open block on', () => {
    const assembler = make(FRAMING);
    const frames = [
      observation(31, 1),
      recipe(-5000, 'b'),
      recipe(-6000, 'a'),
      observation(-4000, 'c', { signal: 'recipe', quality: 'BAD' }),
      observation(46, 2),
      recipe(33, 'd'),
      end,
    ].flatMap((o) => assembler.take(o).frames);
    expect(frames.map((f) => [f.index, f.context, f.sourceTime])).toEqual([
      [1, 'b', at(40)],
      [2, 'd', at(50)],
    ]);
  });

  it.each([
    ['a value that is declared historical', observation(-90_000, 7, { flags: ['historical'] })],
    ['a context that holds since long ago', recipe(-90_000, 'a')],
  ])('makes no frame of the past anew for %s', (_, old) => {
    const live = [recipe(0, 'a'), load(1, 4), observation(2, 1), observation(16, 2), observation(26, 3), end];
    const assembler = make(FRAMING);
    const frames = live.flatMap((v) => {
      const made = assembler.take(v).frames;
      expect(assembler.take(old)).toEqual({ frames: [], missed: true });
      return made;
    });
    expect(frames).toEqual(framesOf(FRAMING, live));
  });

  it('holds nothing from a time to which the clock was wrong', () => {
    const back = [observation(-90_000, 1), observation(-89_970, 2)];
    const [frame] = framesOf(FRAMING, [load(1, 4), observation(2, 1), load(20, 5), ...back]);
    const frames = framesOf(FRAMING, [load(1, 4), observation(2, 1), load(20, 5), ...back]).slice(1);
    expect(frame?.signals['load']).toMatchObject({ value: 4 });
    expect(frames.map((f) => f.signals['load']?.quality)).toEqual(['BAD']);
  });

  it('cuts a block where the context changes: a frame of each, and both count', () => {
    const frames = framesOf(FRAMING, [
      recipe(0, 'Recipe A'),
      observation(1, 1),
      recipe(4, 'Recipe B'),
      observation(5, 2),
      observation(12, 3),
      end,
    ]);
    expect(frames.map((f) => [f.context, f.index, f.sourceTime, f.signals['temperature']?.value])).toEqual([
      ['recipe-a', 1, at(4), 1],
      ['recipe-b', 2, at(10), 2],
      ['recipe-b', 3, at(20), 3],
    ]);
  });

  it('cuts not where a context is only said again, or is BAD', () => {
    const bad = observation(3, 'B', { signal: 'recipe', quality: 'BAD' });
    const frames = framesOf(FRAMING, [recipe(0, 'a'), observation(1, 1), recipe(2, 'a'), bad, observation(4, 2), end]);
    expect(frames).toHaveLength(1);
  });

  it('counts from 1 in a new run, and carries nothing into it', () => {
    const run = (s: number, v: string) => observation(s, v, { signal: 'run' });
    const frames = framesOf(FRAMING, [
      run(0, 'r1'),
      load(1, 4),
      observation(12, 1),
      run(25, 'r2'),
      recipe(25, 'x'),
      observation(26, 2),
      observation(31, 3),
      end,
    ]);
    expect(frames.map((f) => [f.run, f.context, f.index, f.signals['load']?.value])).toEqual([
      ['r1', 'unknown', 1, 4],
      ['r1', 'unknown', 2, 4],
      ['r1', 'unknown', 3, 4],
      ['r2', 'x', 1, undefined],
      ['r2', 'x', 2, undefined],
    ]);
  });

  it('gives the same frames whatever the order in which values come within the lateness', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(times, fc.infiniteStream(fc.integer({ min: 0, max: 4 })), (seconds, delays) => {
        const values = [...seconds]
          .sort((a, b) => a - b)
          .map((s) =>
            s % 7 === 3 ? recipe(s, `r${s}`) : s % 2 === 0 ? load(s, s / 3) : observation(s, s / 7, { sequence: s }),
          )
          .map((o) => ({ ...o, receivedTime: T0 }));
        const shuffled = values
          .map((o) => ({ o, key: o.sourceTime / 1000 + (delays.next().value as number) }))
          .sort((a, b) => a.key - b.key)
          .map((x) => x.o);
        const last = { ...end, receivedTime: T0 };
        expect(framesOf(FRAMING, [...shuffled, last])).toEqual(framesOf(FRAMING, [...values, last]));
      }),
    );
  });

  const anything = fc.array(
    fc.record({
      step: fc.constantFrom(0, 1, 3, 4, 8, 15, 60, -3, -9, -100_000),
      signal: fc.constantFrom('temperature', 'load', 'recipe', 'run'),
      value: fc.constantFrom<Observation['value'][]>(1, 2.5, null, 'a', 'b', true),
      quality: fc.constantFrom('GOOD' as const, 'UNCERTAIN' as const, 'BAD' as const),
    }),
    { maxLength: 50 },
  );

  it('goes on after a restart at any value as if there had been none, with frames that keep their contract', () => {
    fc.assert(
      fc.property(anything, fc.nat(50), (steps, restart) => {
        const run = (restartAt: number): readonly Frame[] => {
          let assembler = make(FRAMING);
          let time = 0;
          return steps.flatMap((s, i) => {
            if (i === restartAt) assembler = make(FRAMING, SIGNALS, JSON.parse(JSON.stringify(assembler.state)));
            time += s.step;
            const o = observation(time, s.value, { signal: s.signal, quality: s.quality, sequence: i });
            return assembler.take(o).frames.map((f) => Frame.parse(f));
          });
        };
        expect(run(restart)).toEqual(run(-1));
      }),
    );
  });

  it('never gives two frames of one run the same index while time goes forward, nor a frame of two contexts', () => {
    fc.assert(
      fc.property(anything, (steps) => {
        const assembler = make({ ...FRAMING, scalars: {} });
        let time = 0;
        const values: Observation[] = [];
        const frames: Frame[] = [];
        let runs = 0;
        for (const s of [...steps, { step: 1000, signal: 'load', value: 1, quality: 'GOOD' as const }]) {
          time += Math.max(0, s.step);
          // A run never comes back.
          const value = s.signal === 'run' ? `run-${++runs}` : s.value;
          const o = observation(time, value, { signal: s.signal, quality: s.quality });
          values.push(o);
          frames.push(...assembler.take(o).frames);
        }
        const ids = frames.map((f) => `${f.run}/${f.index}`);
        expect(new Set(ids).size).toBe(ids.length);
        const changes = values.filter((v) => v.signal === 'recipe' && v.quality !== 'BAD' && v.value !== null);
        for (const f of frames) {
          const until = changes.filter((c) => c.sourceTime < Date.parse(f.sourceTime));
          const newest = until.at(-1);
          expect(f.context).toBe(newest === undefined ? 'unknown' : slugOf(newest.value as string));
        }
      }),
    );
  });
});

describe('waveforms from samples', () => {
  const chunk = (assembler: Assembler, seconds: number, samples: readonly number[]) =>
    assembler.take(observation(seconds, null, { signal: 'vibration', unit: 'm/s2' }), samples).frames;
  const close = (assembler: Assembler) => chunk(assembler, 25, [0])[0]?.signals['vibration'];
  const ramp = (from: number, to: number): readonly number[] =>
    Array.from({ length: to - from }, (_, i) => (from + i) / 8);

  it('come whole from parts in any order, those beyond the block going to the next one', () => {
    const assembler = make(PLAIN, [vibration]);
    chunk(assembler, 1, ramp(100, 200));
    chunk(assembler, 0, ramp(0, 100));
    chunk(assembler, 9.5, [...ramp(0, 50), ...ramp(0, 200)]);
    const [first, second] = [...chunk(assembler, 25, [0]), ...chunk(assembler, 35, [0])];
    expect(first?.signals['vibration']?.quality).toBe('GOOD');
    const samples = [...(decodeSamples(first?.signals['vibration']?.samples as string) ?? [])];
    expect(samples).toEqual(ramp(0, 200));
    expect([...(decodeSamples(second?.signals['vibration']?.samples as string) ?? [])]).toEqual(ramp(0, 200));
  });

  it('are UNCERTAIN with up to 1 % drawn straight between neighbours, BAD with less', () => {
    const some = make(PLAIN, [vibration]);
    chunk(some, 0, ramp(0, 50));
    chunk(some, 0.52, ramp(52, 200));
    const value = close(some);
    expect(value).toMatchObject({
      quality: 'UNCERTAIN',
      reason: '2 of 200 samples are drawn between their neighbours',
    });
    expect([...(decodeSamples(value?.samples as string) ?? [])]).toEqual(ramp(0, 200));
    const few = make(PLAIN, [vibration]);
    chunk(few, 0, ramp(0, 197));
    expect(close(few)).toEqual({ quality: 'BAD', reason: '197 of 200 samples came' });
  });

  it('draw holes at the ends level, and take single values as samples', () => {
    const assembler = make(PLAIN, [vibration]);
    chunk(assembler, 0.01, ramp(1, 198));
    assembler.take(observation(1.98, 24.75, { signal: 'vibration', unit: 'm/s2' }));
    const samples = decodeSamples(close(assembler)?.samples as string);
    expect([samples?.[0], samples?.[198], samples?.[199]]).toEqual([0.125, 24.75, 24.75]);
  });

  it('are BAD where the block was cut', () => {
    const assembler = make({ ...PLAIN, contextSignal: 'recipe' }, [vibration]);
    chunk(assembler, 0, ramp(0, 200));
    assembler.take(recipe(5, 'b'));
    chunk(assembler, 6, ramp(0, 200));
    expect(chunk(assembler, 25, [0]).map((f) => f.signals['vibration']?.quality)).toEqual(['GOOD', 'BAD']);
  });

  it('are as good as the worst of their samples', () => {
    const assembler = make(PLAIN, [vibration]);
    const doubt = { signal: 'vibration', quality: 'UNCERTAIN' as const, reason: 'changed too fast' };
    assembler.take(observation(0, null, doubt), ramp(0, 200));
    expect(close(assembler)).toMatchObject({ quality: 'UNCERTAIN', reason: 'changed too fast' });
  });
});

describe('a framing', () => {
  it('is refused with the reason where it does not fit the signals', () => {
    const { samples: _, ...endless } = vibration;
    expect(framingProblems(PLAIN, [...SIGNALS, vibration])).toEqual([]);
    expect(
      framingProblems({ everySeconds: 1, latenessSeconds: 0, scalars: { nothing: { take: 'last' } } }, [vibration]),
    ).toEqual([
      'framing.scalars names "nothing", which is no signal',
      'signal "vibration" has 200 samples at 100 Hz, longer than a block of 1 s',
    ]);
    expect(framingProblems({ ...PLAIN, everySeconds: 0.0015 }, [endless])).toEqual([
      'framing.everySeconds must be whole milliseconds, it is 0.0015',
      'signal "vibration" needs sampleRateHz and samples to be put together from single samples',
    ]);
  });

  it('makes names of runs and contexts from whatever the source says', () => {
    expect([slugOf('Recipe #7 (A)'), slugOf(12), slugOf('---'), slugOf(true)]).toEqual([
      'recipe-7-a',
      '12',
      'unnamed',
      'true',
    ]);
  });
});
