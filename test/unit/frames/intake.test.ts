import fc from 'fast-check';
import type { Frame } from '#core/contracts/frame.ts';
import type { Observation } from '#core/contracts/observation.ts';
import { Reading } from '#core/contracts/reading.ts';
import type { Framing, SignalDefinition } from '#core/contracts/use-case.ts';
import { makeIntake } from '#core/frames/intake.ts';
import { pointsOf } from '#core/frames/reading.ts';
import { encodeSamples } from '#core/frames/waveform.ts';
import { aFrameAt, observation, T0 } from '../../support/observations.ts';

const SIGNALS: readonly SignalDefinition[] = [
  { name: 'temperature', unit: 'Cel', kind: 'scalar', range: [0, 100], quality: { maxRate: 50, stuckSeconds: 25 } },
  {
    name: 'vibration',
    unit: 'm/s2',
    kind: 'waveform',
    range: [-50, 50],
    sampleRateHz: 1,
    samples: 8,
    quality: { maxRate: 1e-9, stuckSeconds: 25 },
  },
];
const FRAMING: Framing = { everySeconds: 10, latenessSeconds: 5, contextSignal: 'recipe' };
const of = { site: 'plant-a', asset: 'spindle-1', signals: SIGNALS };

describe('the intake of single values', () => {
  it('puts the quality after the checks into the frame, and its reason', () => {
    const intake = makeIntake({ ...of, framing: FRAMING });
    intake.take(observation(1, 140));
    const { frames } = intake.take(observation(20, 30));
    expect(frames[0]?.signals['temperature']).toEqual({
      quality: 'BAD',
      reason: '140 Cel is outside 0 … 100',
    });
  });

  it('keeps values of a time that is not known out of frames, and repetitions', () => {
    const intake = makeIntake({ ...of, framing: { ...FRAMING, scalars: { temperature: { take: 'mean' } } } });
    intake.take(observation(1, 10));
    intake.take(observation(2, 40));
    intake.take(observation(2, 40));
    const future = intake.take(observation(4000, 90, { receivedTime: T0 + 3000 }));
    expect([future.frames, future.observation.quality]).toEqual([[], 'UNCERTAIN']);
    const { frames } = intake.take(observation(15, 30));
    expect(frames[0]?.signals['temperature']).toEqual({ value: 25, quality: 'GOOD' });
  });

  it('finds values that came after their frame late, and leaves the frame as it was made', () => {
    const intake = makeIntake({ ...of, framing: FRAMING });
    intake.take(observation(12, 10));
    intake.take(observation(26, 11));
    const late = intake.take(observation(13, 12));
    expect(late.frames).toEqual([]);
    expect(late.findings.map((f) => [f.check, f.says])).toEqual([
      ['clock-step', 'its time is 13 s before that of an earlier value'],
      ['late', 'its frame was made before it came'],
    ]);
  });

  it('lets signals that name run and context pass with no check but of the clock, unless they are BAD', () => {
    const intake = makeIntake({ ...of, framing: FRAMING });
    intake.take(observation(0, 'A', { signal: 'recipe' }));
    intake.take(observation(1, 'B', { signal: 'recipe', quality: 'BAD' }));
    intake.take(observation(2, 20));
    expect(intake.take(observation(20, 21)).frames.map((f) => f.context)).toEqual(['a']);
  });

  it('loses no frame to a context, or a signal that nobody declared, whose time lies in the future', () => {
    const framesOf = (more: readonly Observation[]) => {
      const intake = makeIntake({ ...of, framing: FRAMING });
      const list = [observation(1, 20), ...more, observation(12, 30), observation(26, 40), observation(41, 50)];
      const taken = list.map((o) => intake.take(o));
      return {
        frames: taken.flatMap((t) => t.frames),
        findings: taken.flatMap((t) => t.findings),
        open: intake.end(),
      };
    };
    const ahead = (signal: string): Observation => observation(3602, 'B', { signal, receivedTime: T0 + 2000 });
    const { frames } = framesOf([]);
    expect(frames).toHaveLength(3);
    expect(framesOf([ahead('other')])).toMatchObject({ frames, findings: [] });
    expect(framesOf([ahead('recipe')])).toMatchObject({
      frames,
      findings: [{ signal: 'recipe', check: 'clock-step', worst: 3600 }],
      open: [{ signal: 'recipe', check: 'clock-step', open: true, count: 1 }],
    });
  });

  it('takes a context that is told with the time of its last change, however long ago, and finds nothing', () => {
    const intake = makeIntake({ ...of, framing: FRAMING });
    intake.take(observation(1, 20));
    const told = intake.take(observation(-7200, 'A', { signal: 'recipe', receivedTime: T0 + 2000 }));
    expect(told.findings).toEqual([]);
    expect(intake.take(observation(26, 30)).frames.map((f) => f.context)).toEqual(['a']);
  });

  it('makes no frame without a framing, but checks', () => {
    const intake = makeIntake(of);
    expect(intake.take(observation(1, 140)).findings).toHaveLength(1);
    expect(intake.take(observation(100, 20)).frames).toEqual([]);
    expect(intake.end()).toEqual([expect.objectContaining({ check: 'range', open: false, count: 1 })]);
  });

  it('judges samples by the one furthest from the middle of the range', () => {
    const intake = makeIntake({ ...of, framing: FRAMING });
    const wave = (s: number) => observation(s, null, { signal: 'vibration', unit: 'm/s2' });
    expect(intake.take(wave(0), [0, 1, -51, 0]).observation).toMatchObject({ quality: 'BAD' });
    expect(intake.take(wave(10), [0, Number.NaN]).observation.reason).toBe('NaN is no finite number');
    expect(intake.take(wave(20), [0, 50, -49]).observation.quality).toBe('GOOD');
  });

  it('finds a frozen source of waveforms, and no rate from one to the next', () => {
    const intake = makeIntake(of);
    const frozen = [0, 10, 20, 30].map(
      (s) => intake.take(observation(s, null, { signal: 'vibration', unit: 'm/s2' }), [1, 9, 3]).observation,
    );
    expect(frozen.map((o) => o.quality)).toEqual(['GOOD', 'GOOD', 'GOOD', 'UNCERTAIN']);
  });

  it('goes on after a restart at any value as if there had been none', () => {
    const steps = fc.array(
      fc.record({
        step: fc.constantFrom(0, 1, 4, 11, -2, 60),
        value: fc.constantFrom<Observation['value'][]>(1, 2, 140, null, 'x'),
        signal: fc.constantFrom('temperature', 'recipe', 'vibration'),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, fc.nat(40), (list, restart) => {
        const run = (at: number): unknown[] => {
          let intake = makeIntake({ ...of, framing: FRAMING });
          let time = 0;
          return list.map((s, i) => {
            if (i === at) intake = makeIntake({ ...of, framing: FRAMING }, JSON.parse(JSON.stringify(intake.state)));
            time += s.step;
            const o = observation(time, s.value, { signal: s.signal, unit: s.signal === 'vibration' ? 'm/s2' : 'Cel' });
            return [intake.take(o), intake.flush(o.receivedTime + 100_000)];
          });
        };
        expect(run(restart)).toEqual(run(-1));
      }),
    );
  });

  it('forgets what it knows of a signal that is no longer declared', () => {
    const intake = makeIntake(of);
    intake.take(observation(1, 140));
    const state = JSON.parse(JSON.stringify(intake.state));
    expect(makeIntake({ ...of, signals: SIGNALS.slice(1) }, state).end()).toEqual([]);
  });
});

describe('the intake of whole frames', () => {
  const frame = (index: number, signals: Frame['signals']): Frame => aFrameAt(10 * index, index, signals);

  it('leaves a frame that passes as it is', () => {
    const good = frame(1, {
      temperature: { value: 20, quality: 'GOOD' },
      vibration: { samples: encodeSamples([1, 2, 3, 4, 5, 6, 7, 8]), quality: 'GOOD' },
      unknown: { value: 1e9, quality: 'UNCERTAIN', reason: 'guessed' },
    });
    expect(makeIntake(of).takeFrame(good)).toEqual({ frame: good, findings: [] });
  });

  it('never makes a value better, and keeps the reason it came with', () => {
    const bad = frame(1, { temperature: { quality: 'BAD', reason: 'wire break' } });
    expect(makeIntake(of).takeFrame(bad)).toEqual({ frame: bad, findings: [] });
  });

  it('makes BAD a waveform that is cut off or out of range', () => {
    const { frame: checked } = makeIntake(of).takeFrame(
      frame(1, { vibration: { samples: encodeSamples([1, 2, 3]), quality: 'GOOD' } }),
    );
    expect(checked.signals['vibration']).toMatchObject({ quality: 'BAD', reason: 'expected 8 samples' });
    const loud = makeIntake(of).takeFrame(
      frame(1, { vibration: { samples: encodeSamples([0, 0, 0, 99, 0, 0, 0, 0]), quality: 'GOOD' } }),
    );
    expect(loud.frame.signals['vibration']?.quality).toBe('BAD');
    expect(loud.findings).toHaveLength(1);
  });

  it('gives frames that are sent again after a reconnect the qualities of the first time, and finds nothing', () => {
    const list = [1, 2, 3, 4, 5, 6, 7, 8].map((i) =>
      frame(i, { temperature: { value: i === 4 ? 140 : 20 + i, quality: 'GOOD' } }),
    );
    let intake = makeIntake(of);
    const first = list.map((f) => intake.takeFrame(f).frame);
    intake = makeIntake(of, JSON.parse(JSON.stringify(intake.state)));
    const before = JSON.stringify(intake.state);
    const again = list.slice(2).map((f) => intake.takeFrame(f));
    expect(again.map((a) => a.frame)).toEqual(first.slice(2));
    expect(again.flatMap((a) => a.findings)).toEqual([]);
    expect(JSON.stringify(intake.state)).toBe(before);
    // What is worse than the first time stays so.
    const worse = frame(4, { temperature: { quality: 'BAD', reason: 'wire break' } });
    expect(intake.takeFrame(worse).frame).toEqual(worse);
    // The same index in another run, or of another time, is another frame.
    expect(intake.takeFrame({ ...(list[2] as Frame), run: 'r2' }).findings).not.toEqual([]);
    const hot = frame(9, { temperature: { value: 140, quality: 'GOOD' } });
    expect(intake.takeFrame({ ...hot, index: 8 }).frame.signals['temperature']?.quality).toBe('BAD');
  });

  it('remembers the last 64 frames', () => {
    const intake = makeIntake(of);
    for (let i = 1; i <= 200; i++) intake.takeFrame(frame(i, { temperature: { value: i % 50, quality: 'GOOD' } }));
    expect(intake.state.taken?.map((t) => t.index)).toEqual(Array.from({ length: 64 }, (_, i) => 137 + i));
  });

  it('finds a signal stuck over frames', () => {
    const intake = makeIntake(of);
    const qualities = [1, 2, 3, 4, 5].map(
      (i) => intake.takeFrame(frame(i, { temperature: { value: 33, quality: 'GOOD' } })).frame.signals['temperature'],
    );
    expect(qualities.at(-1)).toEqual({ value: 33, quality: 'UNCERTAIN', reason: 'the same value 33 for 40 s' });
  });
});

describe('a reading of a machine', () => {
  const read = (points: readonly object[], more: object = {}) =>
    pointsOf(Reading.parse({ schema: 'reading/1', session: 's1', n: 3, points, ...more }), SIGNALS, {
      asset: 'spindle-1',
      receivedTime: T0,
    });
  const t = new Date(T0).toISOString();

  it('has values in the unit that is declared, where it says none, and 1 where nothing is declared', () => {
    const points = read([
      { signal: 'temperature', t, v: 1 },
      { signal: 'temperature', t, v: 1, unit: 'K' },
      { signal: 'recipe', t, v: 'A' },
    ]);
    expect(points.map((p) => p.observation.unit)).toEqual(['Cel', 'K', '1']);
    expect(points.map((p) => p.observation.sequence)).toEqual([6144, 6145, 6146]);
  });

  it('is of the machine at the address, where it names no other', () => {
    const points = [{ signal: 'temperature', t, v: 1 }];
    expect(read(points)[0]?.observation.asset).toBe('spindle-1');
    expect(read(points, { asset: 'spindle-2' })[0]?.observation.asset).toBe('spindle-2');
  });

  it('has samples as float32, and is BAD where they are none', () => {
    const [whole, broken] = read([
      { signal: 'vibration', t, samples: encodeSamples([1, 2]) },
      { signal: 'vibration', t, samples: 'AAAAAAA=' },
    ]);
    expect(whole).toMatchObject({ samples: [1, 2], observation: { quality: 'GOOD', value: null } });
    expect(broken?.observation).toMatchObject({ quality: 'BAD', reason: 'the samples are no float32' });
  });

  it('keeps quality, reason, code and flags as they came', () => {
    const [point] = read([
      { signal: 'temperature', t, v: null, q: 'BAD', why: 'wire break', raw: '24', flags: ['historical'] },
    ]);
    expect(point?.observation).toMatchObject({
      value: null,
      quality: 'BAD',
      reason: 'wire break',
      raw: '24',
      flags: ['historical'],
    });
  });

  it('is refused with null as a good value, and with both or none of value and samples', () => {
    for (const wrong of [{ v: null }, {}, { v: 1, samples: 'AAAAAA==' }])
      expect(() => read([{ signal: 'temperature', t, ...wrong }])).toThrow();
  });
});
