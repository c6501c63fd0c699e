import type { Frame, SignalValue } from '../contracts/frame.ts';
import type { Observation } from '../contracts/observation.ts';
import type { QualityFinding, QualityRules } from '../contracts/quality.ts';
import type { Framing, SignalDefinition } from '../contracts/use-case.ts';
import { secondsAhead } from '../quality/checks/clock-step.ts';
import { findingOf } from '../quality/findings.ts';
import {
  type Checked,
  type Monitor,
  type MonitorState,
  makeMonitor,
  type Stretch,
  worseQuality,
} from '../quality/monitor.ts';
import { type Assembler, type AssemblerState, makeAssembler } from './assembler.ts';
import { decodeSamples } from './waveform.ts';

export interface IntakeSettings {
  readonly site: string;
  readonly asset: string;
  readonly signals: readonly SignalDefinition[];
  /** Absent: the asset sends whole frames. */
  readonly framing?: Framing | undefined;
}

/** State of an intake; JSON keeps it whole. */
export interface IntakeState {
  readonly monitors: Record<string, MonitorState>;
  readonly assembler: AssemblerState | null;
  /** Of the last frames that came whole, the qualities that the checks changed. */
  readonly taken: TakenFrame[];
}

interface TakenFrame {
  readonly run: string;
  readonly index: number;
  /** Under the name of an earlier frame that of another time is another frame. */
  readonly sourceTime: string;
  readonly changed?: Record<string, Pick<SignalValue, 'quality' | 'reason'>>;
}

/** Frames that are remembered: a machine sends again what had no answer, eight at most. */
const FRAMES_REMEMBERED = 64;

/** What one asset brings, checked and put together: monitors of its signals before the assembler of its frames. */
export interface Intake {
  readonly state: IntakeState;
  /** One value. @param samples of a waveform in its place, at the signal's rate from its time on. */
  take(
    observation: Observation,
    samples?: readonly number[],
  ): {
    /** With the quality that it has after the checks. */
    readonly observation: Observation;
    readonly frames: readonly Frame[];
    readonly findings: readonly QualityFinding[];
  };
  /**
   * A frame that came whole: each value with the quality that it has after the checks. One of the last 64 that comes
   * again has the qualities of the first time, and the checks do not see it.
   */
  takeFrame(frame: Frame): { readonly frame: Frame; readonly findings: readonly QualityFinding[] };
  /** Time passed at the gateway. @param at milliseconds since 1970. */
  flush(at: number): readonly QualityFinding[];
  /** Nothing more will come: the stretches that are not over, as they stand. */
  end(): readonly QualityFinding[];
}

/** A waveform is judged by one sample, the furthest from the middle of the range: it tells outside, flat and frozen. */
const furthest = (samples: readonly number[] | Float64Array, [low, high]: readonly [number, number]): number => {
  const middle = (low + high) / 2;
  let most = samples[0] ?? Number.NaN;
  for (const v of samples) {
    if (!Number.isFinite(v)) return v;
    if (Math.abs(v - middle) > Math.abs(most - middle)) most = v;
  }
  return most;
};

const rulesOf = (signal: SignalDefinition, framing: Framing | undefined): QualityRules => {
  const { maxRate, latenessSeconds = framing?.latenessSeconds, ...quality } = signal.quality ?? {};
  return {
    ...quality,
    range: signal.range,
    ...(latenessSeconds === undefined ? {} : { latenessSeconds }),
    // From one frame to the next a waveform has no rate.
    ...(maxRate === undefined || signal.kind === 'waveform' ? {} : { maxRate }),
  };
};

/** The result of a check on a value. */
const checkedAs = ({ reason: _, ...rest }: Observation, { quality, reason }: Checked): Observation => ({
  ...rest,
  quality,
  ...(reason === undefined ? {} : { reason }),
});

const withQuality = (given: SignalValue, { quality, reason }: Pick<SignalValue, 'quality' | 'reason'>): SignalValue =>
  quality === given.quality ? given : { ...given, quality, ...(reason === undefined ? {} : { reason }) };

/** @param state of an earlier intake with the same settings, to go on from. */
export const makeIntake = (settings: IntakeSettings, state?: IntakeState): Intake => {
  const { site, asset, framing } = settings;
  const signals = new Map(settings.signals.map((s) => [s.name, s]));
  const assembler: Assembler | null =
    framing === undefined ? null : makeAssembler({ ...settings, framing }, state?.assembler ?? undefined);
  const taken: TakenFrame[] = [...(state?.taken ?? [])];
  const now: IntakeState = { monitors: state?.monitors ?? {}, assembler: assembler?.state ?? null, taken };
  const monitors = new Map<string, Monitor>();
  const monitorNamed = (name: string, make: (state: MonitorState | undefined) => Monitor): Monitor => {
    const known = monitors.get(name);
    if (known !== undefined) return known;
    const made = make(now.monitors[name]);
    monitors.set(name, made);
    now.monitors[name] = made.state;
    return made;
  };
  const monitorOf = (signal: SignalDefinition): Monitor =>
    monitorNamed(signal.name, (kept) => makeMonitor(rulesOf(signal, framing), signal.unit, kept));
  /** Of a signal that names run or context only the clock is checked: its values are told when they change. */
  const monitorOfName = (name: string): Monitor =>
    monitorNamed(name, (kept) =>
      makeMonitor({ latenessSeconds: framing?.latenessSeconds ?? 0 }, '1', kept, ['clock-step']),
    );
  const isName = (signal: string): boolean => signal === framing?.contextSignal || signal === framing?.runSignal;
  for (const name of Object.keys(now.monitors)) {
    const signal = signals.get(name);
    if (signal !== undefined) monitorOf(signal);
    else if (isName(name)) monitorOfName(name);
    else delete now.monitors[name];
  }
  const named = (signal: string, stretches: readonly Stretch[]): readonly QualityFinding[] =>
    stretches.map((s) => findingOf({ site, asset, signal }, s));
  const ofAll = (say: (monitor: Monitor) => readonly Stretch[]): readonly QualityFinding[] =>
    [...monitors].flatMap(([signal, monitor]) => named(signal, say(monitor)));

  return {
    state: now,
    take(given, samples) {
      const signal = signals.get(given.signal);
      if (signal === undefined) {
        const checked = isName(given.signal) ? monitorOfName(given.signal).take(given) : null;
        const observation = checked === null ? given : checkedAs(given, checked);
        // A time in the future would close the blocks before it, and all that is yet to come would be late.
        const isOut = observation.quality === 'BAD' || secondsAhead(given, framing?.latenessSeconds) !== null;
        return {
          observation,
          frames: isOut ? [] : (assembler?.take(observation).frames ?? []),
          findings: named(given.signal, checked?.findings ?? []),
        };
      }
      const value = samples === undefined ? given.value : furthest(samples, signal.range);
      const missed = assembler?.isClosed(given) ?? false;
      const checked = monitorOf(signal).take({ ...given, value }, missed);
      const observation = checkedAs(given, checked);
      // A time that is not known belongs to no block.
      const isOut = assembler === null || missed || checked.isRepetition || checked.failed.includes('clock-step');
      return {
        observation,
        frames: isOut ? [] : assembler.take(observation, samples).frames,
        findings: named(signal.name, checked.findings),
      };
    },
    takeFrame(frame) {
      const { run, index, sourceTime } = frame;
      const before = taken.find((t) => t.index === index && t.run === run && t.sourceTime === sourceTime);
      if (before !== undefined) {
        const again = Object.entries(frame.signals).map(([name, given]): [string, SignalValue] => {
          const changed = before.changed?.[name];
          const isWorse = changed !== undefined && worseQuality(given.quality, changed.quality) !== given.quality;
          return [name, isWorse ? withQuality(given, changed) : given];
        });
        return { frame: { ...frame, signals: Object.fromEntries(again) }, findings: [] };
      }
      const findings: QualityFinding[] = [];
      const checkedSignals = Object.entries(frame.signals).map(([name, given]): [string, SignalValue] => {
        const signal = signals.get(name);
        if (signal === undefined) return [name, given];
        const samples = given.samples === undefined ? undefined : decodeSamples(given.samples);
        const isWhole = samples !== undefined && samples.length === (signal.samples ?? samples.length);
        const came: SignalValue =
          given.samples !== undefined && !isWhole && given.quality !== 'BAD'
            ? { ...given, quality: 'BAD', reason: `expected ${signal.samples ?? 'whole'} samples` }
            : given;
        const checked = monitorOf(signal).take({
          asset: frame.asset,
          signal: name,
          unit: signal.unit,
          value: came.quality === 'BAD' ? null : (came.value ?? furthest(samples ?? [], signal.range)),
          quality: came.quality,
          ...(came.reason === undefined ? {} : { reason: came.reason }),
          sourceTime: Date.parse(frame.sourceTime),
          receivedTime: Date.parse(frame.receivedTime),
          sequence: frame.index,
        });
        findings.push(...named(name, checked.findings));
        return [name, withQuality(came, checked)];
      });
      const changed = checkedSignals.flatMap(([name, { quality, reason }]) =>
        quality === frame.signals[name]?.quality
          ? []
          : [[name, { quality, ...(reason === undefined ? {} : { reason }) }] as const],
      );
      taken.push({ run, index, sourceTime, ...(changed.length === 0 ? {} : { changed: Object.fromEntries(changed) }) });
      if (taken.length > FRAMES_REMEMBERED) taken.shift();
      return { frame: { ...frame, signals: Object.fromEntries(checkedSignals) }, findings };
    },
    flush: (at) => ofAll((m) => m.flush(at)),
    end: () => ofAll((m) => m.end()),
  };
};
