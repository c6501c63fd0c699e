import type { Frame, Quality, SignalValue } from '../contracts/frame.ts';
import type { Observation } from '../contracts/observation.ts';
import type { Framing, SignalDefinition } from '../contracts/use-case.ts';
import { numberIn, worseQuality } from '../quality/monitor.ts';
import { slugOf } from './framing.ts';
import { waveformOf } from './waveform.ts';

/** A checked value as it waits for its block to close; short names, since many wait and all are kept. */
interface Item {
  readonly s: string;
  readonly t: number;
  readonly r: number;
  readonly n: number;
  readonly v: Observation['value'];
  readonly q: Quality;
  readonly why?: string;
  /** Samples from `t` on, in place of `v`. */
  readonly w?: readonly number[];
}

interface Held {
  readonly t: number;
  readonly v: number;
  readonly q: Quality;
  readonly why?: string;
}

/** State of an assembler; JSON keeps it whole. */
export interface AssemblerState {
  /** Null before the first block, which names it where no signal does. */
  run: string | null;
  context: string;
  /** Source time of the newest value of each signal that named run or context. */
  applied: Record<string, number>;
  /** Block in which the run began; null before the first. */
  origin: number | null;
  /** Blocks of the run that a change of context cut: each made one frame more. */
  cuts: number;
  /** Oldest block that is not closed; null before the first value. */
  next: number | null;
  /** Newest source time. */
  watermark: number;
  /** Values of the blocks that are not closed, by block. */
  waiting: Record<string, Item[]>;
  held: Record<string, Held>;
}

/**
 * A run that no signal names is named after the block that it counts from: whoever begins anew, on another device or
 * without the state of before, gives no frame the name of an earlier one.
 */
const runFrom = (kind: string, start: number): string =>
  slugOf(`${kind}-${new Date(start).toISOString().replace(/\.000Z|[-:.Z]/g, '')}`);

/** A source time that is so much before what was closed is a clock that was set, not a late value. */
const REBASE_MS = 86_400_000;

export interface Taken {
  readonly frames: readonly Frame[];
  /** Its block was closed before: it is in no frame. */
  readonly missed: boolean;
}

export interface Assembler {
  readonly state: AssemblerState;
  /** Would a value come too late? One that is declared historical, or of no signal, tells nothing of how clocks are set. */
  isClosed(observation: Pick<Observation, 'signal' | 'sourceTime' | 'flags'>): boolean;
  /** Takes a value that was checked. @param samples in place of its value, at the signal's rate from its time on. */
  take(observation: Observation, samples?: readonly number[]): Taken;
}

interface Part {
  readonly start: number;
  readonly run: string;
  readonly context: string;
  readonly index: number;
  readonly isNewRun: boolean;
  readonly items: Item[];
}

const scalarValue = (value: number, quality: Quality, why: string | undefined): SignalValue => ({
  value,
  quality,
  ...(quality === 'GOOD' || why === undefined ? {} : { reason: why }),
});

/**
 * Puts the values of one asset together to frames of aligned blocks of time. Within the lateness the order in which
 * values come changes nothing: a block is made when it closes, from its values in order of their time. An asset that is
 * silent gives no frame; what its silence was worth is made with the first value after it. Frames count by time: a block
 * without any value leaves a gap in the index.
 * - Scalar: the last usable value of the block, or the mean of all; UNCERTAIN where others were BAD. Without a value in
 *   the block the last one holds for `carrySeconds`; a BAD value ends that.
 * - A change of context or run cuts the block: two frames, from the values before and from those after it. What is held
 *   is held through a change of context, not of run.
 * @param state of an earlier assembler with the same settings, to go on from.
 */
export const makeAssembler = (
  settings: {
    readonly site: string;
    readonly asset: string;
    readonly signals: readonly SignalDefinition[];
    readonly framing: Framing;
  },
  state?: AssemblerState,
): Assembler => {
  const { site, asset, signals, framing } = settings;
  const every = Math.round(framing.everySeconds * 1000);
  const lateness = framing.latenessSeconds * 1000;
  const { contextSignal, runSignal } = framing;
  const now: AssemblerState = state ?? {
    run: null,
    context: contextSignal === undefined ? 'default' : 'unknown',
    applied: {},
    origin: null,
    cuts: 0,
    next: null,
    watermark: 0,
    waiting: {},
    held: {},
  };
  const rates = new Map(signals.map((s) => [s.name, s.sampleRateHz ?? 1]));
  const isControl = (s: string): boolean => s === contextSignal || s === runSignal;
  const carryOf = (s: string): number => 1000 * (framing.scalars?.[s]?.carrySeconds ?? 0);

  const { applied } = now;

  const begin = (block: number, start: number, isNewRun = false): Part => ({
    start,
    run: now.run as string,
    context: now.context,
    index: block - (now.origin as number) + 1 + now.cuts,
    isNewRun,
    items: [],
  });

  /** A change of context or run that is one: the part after it, or the same where that begins with it. */
  const cut = (block: number, part: Part, item: Item): Part => {
    const name = slugOf(item.v as string);
    applied[item.s] = item.t;
    if (name === (item.s === runSignal ? now.run : now.context)) return part;
    const isFirst = part.items.length === 0 && (item.t === part.start || Object.keys(now.held).length === 0);
    const isNewRun = item.s === runSignal;
    if (isNewRun) Object.assign(now, { run: name, origin: block, cuts: 0 });
    else {
      now.context = name;
      if (!isFirst) now.cuts += 1;
    }
    return begin(block, isFirst ? part.start : item.t, isNewRun || (isFirst && part.isNewRun));
  };

  const partsOf = (block: number, items: readonly Item[]): readonly Part[] => {
    const parts: Part[] = [];
    let part = begin(block, block * every);
    for (const item of items) {
      if (!isControl(item.s)) {
        part.items.push(item);
        continue;
      }
      if (item.q === 'BAD' || item.v === null) continue;
      const after = cut(block, part, item);
      if (after !== part && after.start !== part.start) parts.push(part);
      part = after;
    }
    return [...parts, part];
  };

  const scalarOf = (signal: SignalDefinition, items: readonly Item[], end: number): SignalValue => {
    const usable = items.flatMap((i) => {
      const value = i.q === 'BAD' ? null : numberIn(i.v);
      return value === null ? [] : [{ ...i, value }];
    });
    const last = usable.at(-1);
    const newest = items.at(-1);
    if (last === undefined) {
      if (newest !== undefined) {
        delete now.held[signal.name];
        return { quality: 'BAD', reason: newest.why ?? 'no usable value' };
      }
      const held = now.held[signal.name];
      return held === undefined || end - held.t > carryOf(signal.name)
        ? { quality: 'BAD', reason: 'no value' }
        : scalarValue(held.v, held.q, held.why);
    }
    const used = framing.scalars?.[signal.name]?.take === 'mean' ? usable : [last];
    const value = used.length === 1 ? last.value : used.reduce((sum, i) => sum + i.value, 0) / used.length;
    const worst = used.reduce<Item>((w, i) => (worseQuality(w.q, i.q) === w.q ? w : i), last);
    const bad = items.length - usable.length;
    if (newest?.q === 'BAD') delete now.held[signal.name];
    else
      now.held[signal.name] = {
        t: last.t,
        v: last.value,
        q: last.q,
        ...(last.why === undefined ? {} : { why: last.why }),
      };
    return bad > 0 && worst.q === 'GOOD'
      ? scalarValue(value, 'UNCERTAIN', `${bad} of ${items.length} values were BAD`)
      : scalarValue(value, worst.q, worst.why);
  };

  const waveform = (signal: SignalDefinition, part: Part, items: readonly Item[]): SignalValue => {
    if (part.start % every !== 0) return { quality: 'BAD', reason: 'the block was cut' };
    const usable = items.filter((i) => i.q !== 'BAD');
    const made = waveformOf(
      signal,
      part.start,
      usable.map((i) => ({ time: i.t, samples: i.w ?? [numberIn(i.v) ?? Number.NaN] })),
    );
    const worst = usable.find((i) => i.q === 'UNCERTAIN');
    if (made.quality === 'BAD') return { quality: 'BAD', reason: items.find((i) => i.q === 'BAD')?.why ?? made.reason };
    return made.quality === 'GOOD' && worst !== undefined
      ? { ...made, quality: 'UNCERTAIN', ...(worst.why === undefined ? {} : { reason: worst.why }) }
      : made;
  };

  const frameOf = (part: Part, end: number, received: number): Frame | null => {
    const bySignal = Map.groupBy(part.items, (i) => i.s);
    const values = signals.map((s): [string, SignalValue] => {
      const items = bySignal.get(s.name) ?? [];
      return [s.name, s.kind === 'scalar' ? scalarOf(s, items, end) : waveform(s, part, items)];
    });
    if (part.items.length === 0 && values.every(([, v]) => v.quality === 'BAD')) return null;
    return {
      schema: 'frame/1',
      site,
      asset,
      run: part.run,
      index: part.index,
      context: part.context,
      sourceTime: new Date(end).toISOString(),
      receivedTime: new Date(part.items.reduce((max, i) => Math.max(max, i.r), 0) || received).toISOString(),
      signals: Object.fromEntries(values),
    };
  };

  const close = (block: number, received: number): readonly Frame[] => {
    const items = (now.waiting[block] ?? []).sort(
      (a, b) => a.t - b.t || Number(isControl(b.s)) - Number(isControl(a.s)) || a.n - b.n,
    );
    delete now.waiting[block];
    now.origin ??= block;
    // With other blocks the frames of a run count otherwise: that is another run.
    now.run ??= runFrom(runSignal === undefined ? `every-${every / 1000}-s` : 'unknown', now.origin * every);
    const parts = partsOf(block, items);
    return parts.flatMap((part, i) => {
      if (part.isNewRun) now.held = {};
      const frame = frameOf(part, parts[i + 1]?.start ?? (block + 1) * every, received);
      return frame === null ? [] : [frame];
    });
  };

  /** The first block from `block` on that can have a frame; from `last` on none is looked for. */
  const following = (block: number, last: number): number => {
    // Most values close no block, and what is held is long to look through.
    if (block >= last) return last;
    const isHeld = Object.entries(now.held).some(([s, h]) => (block + 1) * every - h.t <= carryOf(s));
    return isHeld ? block : Math.min(last, ...Object.keys(now.waiting).map(Number));
  };

  const isClosed: Assembler['isClosed'] = ({ signal, sourceTime, flags }) => {
    const back = now.next === null ? 0 : now.next * every - sourceTime;
    const saysTheTime = rates.has(signal) && flags?.includes('historical') !== true;
    return back > 0 && (back <= REBASE_MS || !saysTheTime);
  };

  /** A name of run or context that comes late holds from the oldest block that is open, if none newer was there. */
  const nameLate = ({ signal, sourceTime, value, quality }: Observation): void => {
    if (!isControl(signal) || quality === 'BAD' || value === null) return;
    if (sourceTime <= (applied[signal] ?? Number.NEGATIVE_INFINITY)) return;
    applied[signal] = sourceTime;
    const slug = slugOf(value as string);
    if (signal !== runSignal) now.context = slug;
    else if (slug !== now.run)
      Object.assign(now, { run: slug, origin: Math.floor(sourceTime / every), cuts: 0, held: {} });
  };

  /** The clock was set back: what was of a time that was none goes. */
  const rebase = (sourceTime: number): void => {
    const isNamed = runSignal !== undefined && applied[runSignal] !== undefined;
    for (const [signal, time] of Object.entries(applied)) applied[signal] = Math.min(time, sourceTime);
    Object.assign(now, { waiting: {}, held: {} });
    if (!isNamed) Object.assign(now, { run: null, origin: null, cuts: 0 });
    // A late value may open a block before that of the value that told of the clock.
    else if (now.origin !== null && (now.next as number) < now.origin) Object.assign(now, { origin: null, cuts: 0 });
  };

  /** Puts a value to those of its block; samples that lie beyond go to the next ones. */
  const put = (item: Item, rate: number): void => {
    const block = Math.floor(item.t / every);
    const end = (block + 1) * every;
    const room = Math.ceil(((end - item.t) * rate) / 1000 - 1e-6);
    const waiting = now.waiting[block] ?? [];
    waiting.push(item.w === undefined || item.w.length <= room ? item : { ...item, w: item.w.slice(0, room) });
    now.waiting[block] = waiting;
    now.watermark = Math.max(now.watermark, item.t);
    if (item.w !== undefined && item.w.length > room)
      put({ ...item, t: Math.max(end, item.t + (1000 * room) / rate), w: item.w.slice(room) }, rate);
  };

  return {
    state: now,
    isClosed,
    take(o, samples) {
      if (isClosed(o)) {
        nameLate(o);
        return { frames: [], missed: true };
      }
      const block = Math.floor(o.sourceTime / every);
      if (now.next === null || block < now.next) {
        now.next = Math.floor((o.sourceTime - lateness) / every);
        now.watermark = o.sourceTime;
        rebase(o.sourceTime);
      }
      put(
        {
          s: o.signal,
          t: o.sourceTime,
          r: o.receivedTime,
          n: o.sequence,
          v: samples === undefined ? o.value : null,
          q: o.quality,
          ...(o.reason === undefined ? {} : { why: o.reason }),
          ...(samples === undefined ? {} : { w: samples }),
        },
        rates.get(o.signal) ?? 1,
      );
      const frames: Frame[] = [];
      // The first block that stays open.
      const last = Math.floor((now.watermark - lateness) / every);
      for (let b = following(now.next, last); b < last; b = following(b + 1, last)) {
        frames.push(...close(b, o.receivedTime));
        now.next = b + 1;
      }
      now.next = Math.max(now.next, last);
      return { frames, missed: false };
    },
  };
};
