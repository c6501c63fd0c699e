import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Frame } from '#core/contracts/frame.ts';
import type { Observation } from '#core/contracts/observation.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { makeIntake } from '#core/frames/intake.ts';
import { cpuSeconds } from '../statistics.ts';
import type { GroupOptions } from './group.ts';
import { define, frameAt, START, setOf } from './inputs.ts';

const ASSETS = 20;
const WAVEFORMS = 10;
const SCALARS = 200;
const RATE_HZ = 1000;
/** Samples of a message, and of a block. */
const CHUNK = 128;
const BLOCK = 1024;
/** About a minute, whole blocks. */
const STEP_MS = 60 * BLOCK;

const scalar = (name: string, unit: string): SignalDefinition => ({ name, unit, kind: 'scalar', range: [-1e4, 1e4] });

/** 20 machines with ten accelerometers each: chunks of samples, checked, put together to frames, and their features. */
const waveformLine = () => {
  const names = Array.from({ length: WAVEFORMS }, (_, i) => `vibration_${i}`);
  const signals: SignalDefinition[] = [
    scalar('speed', '1/min'),
    ...names.map((name): SignalDefinition => {
      return { name, unit: 'm/s2', kind: 'waveform', range: [-200, 200], sampleRateHz: RATE_HZ, samples: BLOCK };
    }),
  ];
  const compiled = compileFeatureSet(
    setOf(
      names.flatMap((name) => [
        define('rms', name, 8),
        define('kurtosis', name, 8),
        define('crest-factor', name, 8),
        define('order-band', name, 8, { order: 1, speed: 'speed' }),
        define('envelope-order', name, 8, { order: 3.5, speed: 'speed' }),
      ]),
    ),
    signals,
  );
  const framing = { everySeconds: BLOCK / RATE_HZ, latenessSeconds: 0.2 };
  const machines = Array.from({ length: ASSETS }, (_, i) => {
    const asset = `machine-${i}`;
    return { asset, intake: makeIntake({ site: 'plant-a', asset, signals, framing }), window: compiled.open() };
  });
  const chunks = Array.from({ length: 61 }, (_, k) =>
    Array.from({ length: CHUNK }, (_, i) =>
      Math.fround(5 * Math.sin(0.3 * i + k) + ((i * 7919 + k * 104_729) % 97) / 50),
    ),
  );
  let sequence = 0;
  let vectors = 0;
  return {
    /** From one time of the line to another, whole blocks of milliseconds. @returns vectors made. */
    run(from: number, to: number): number {
      const before = vectors;
      for (let ms = from; ms < to; ms += CHUNK)
        for (const { asset, intake, window } of machines) {
          const take = (signal: string, unit: string, value: number | null, samples?: readonly number[]): void => {
            const sourceTime = START + ms;
            const observation: Observation = {
              asset,
              signal,
              unit,
              value,
              quality: 'GOOD',
              sourceTime,
              receivedTime: sourceTime + 50,
              sequence: sequence++,
            };
            for (const frame of intake.take(observation, samples).frames) if (window.push(frame).ok) vectors += 1;
          };
          if (ms % BLOCK === 0) take('speed', '1/min', 1500 + (ms % 7));
          names.forEach((name, k) => {
            take(name, 'm/s2', null, chunks[(k + ms / CHUNK) % chunks.length] as number[]);
          });
        }
      return vectors - before;
    },
  };
};

/** One machine with 200 scalars a millisecond: a frame each, and level and scatter of the last 100 of every signal. */
const scalarLine = () => {
  const signals = Array.from({ length: SCALARS }, (_, i) => scalar(`signal_${i}`, 'bar'));
  const features = signals.flatMap(({ name }) => [define('mean', name, 100), define('std', name, 100)]);
  const window = compileFeatureSet(setOf(features), signals).open();
  const next = (index: number): Frame => {
    const values = signals.map(({ name }, i) => [name, { value: ((index * (i + 3)) % 101) / 7, quality: 'GOOD' }]);
    return frameAt(index, 1, Object.fromEntries(values));
  };
  let index = 0;
  return {
    /** @returns CPU seconds for some seconds of the line's time; frames are made before. */
    run(seconds: number): number {
      let used = 0;
      for (let s = 0; s < seconds; s++) {
        const frames = Array.from({ length: RATE_HZ }, () => next(++index));
        const before = process.cpuUsage();
        for (const frame of frames) window.push(frame);
        used += cpuSeconds(before);
      }
      return used;
    },
  };
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What the process has of the machine, and what of it is in use once garbage is gone, MiB. */
const memory = (): { readonly resident: number; readonly inUse: number } => {
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss / 2 ** 20, inUse: (heapUsed + external) / 2 ** 20 };
};

/** Hours of the line's time after which memory is looked at, up to those asked for. */
const checkpoints = (hours: number): readonly number[] => [...[1, 10, 100].filter((h) => h < hours), hours];

/**
 * 200 signals at 1 kHz in real time: which share of one core they take, and whether memory grows with the hours. Every
 * hour of the line takes about a minute here; the work is the whole of it, nothing is left out.
 */
export const realtime = async (o: GroupOptions): Promise<void> => {
  const { figure, note } = o.report;
  const line = waveformLine();
  const tellMemory = (when: string): void => {
    const { resident, inUse } = memory();
    figure({ name: `200 waveforms at 1 kHz: resident ${when}`, value: resident, unit: 'MiB', goal: null });
    figure({ name: `200 waveforms at 1 kHz: in use ${when}`, value: inUse, unit: 'MiB', goal: null });
  };
  let at = 0;
  // The engine's heap takes its size in the first minutes.
  for (; at < 10 * STEP_MS; at += STEP_MS) line.run(at, at + STEP_MS);
  let share = 0;
  tellMemory('at start');
  for (const hours of checkpoints(o.hours)) {
    const from = at;
    const before = process.cpuUsage();
    let vectors = 0;
    for (; at < hours * 3_600_000; at += STEP_MS) vectors += line.run(at, at + STEP_MS);
    share = cpuSeconds(before) / ((at - from) / 1000);
    note(`${hours} h: ${vectors} vectors of ${5 * WAVEFORMS} features`);
    tellMemory(`after ${hours} h`);
  }
  figure({ name: '200 waveforms at 1 kHz: share of one core', value: 100 * share, unit: '%', goal: 5 });
  const scalars = scalarLine();
  scalars.run(5);
  const seconds = 20;
  figure({
    name: '200 scalars, a frame a millisecond: share',
    value: (100 * scalars.run(seconds)) / seconds,
    unit: '%',
    goal: 25,
  });
};
