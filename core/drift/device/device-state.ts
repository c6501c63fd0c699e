import type { DriftWindow, WindowKind } from '../../contracts/drift.ts';
import type { PlantEvent } from '../../contracts/plant-event.ts';
import type { Digest, Instant } from '../../contracts/primitives.ts';
import { daysAfter } from '../../policy/days-after.ts';
import type { Learned } from '../baselines/learned.ts';
import type { Regime } from '../baselines/regimes.ts';
import type { Rolling } from '../baselines/rolling.ts';
import type { Chart } from './charts.ts';
import { FREE, type Hold } from './hold.ts';

/** After a tagged change windows that differ are learned, by declared rule, once for each context. */
export interface Accepting {
  readonly eventId: string;
  /** When the machine was changed. */
  readonly since: Instant;
  /** Contexts that begin to differ later are not learned. */
  readonly until: Instant;
  /** Of each context how many windows were as before, until one differed: a change may come a little after it is told. */
  readonly contexts: Readonly<Record<string, number | 'learn'>>;
}

/** Windows of a machine in one context, since it came to it or an event, until one comes after the warm-up. */
export interface Stretch {
  readonly asset: string;
  readonly context: string;
  /** That are still of the warm-up. */
  readonly rows: number;
  /** The stretch before it in this context ended within its warm-up, so this one is judged from its first row. */
  readonly fromFirstRow: boolean;
}

/**
 * What the judgement of a device keeps between windows: plain JSON, opaque to whoever stores it. Bounded: with 100 features
 * of 28 cells about 20 kB while nothing moves, 70 kB while all age and three regimes were left, and 7 kB more for each
 * context or cell of the season that was learned after a change, eight at most; with fewer features more of them.
 */
export interface DeviceState {
  readonly schema: 'drift-state/1';
  /** Of the newest evidence. */
  readonly sequence: number;
  readonly head: Digest | null;
  readonly kind: WindowKind;
  readonly since: Instant;
  /** Of the machines that were seen last the context that each was in. */
  readonly contexts: Readonly<Record<string, string>>;
  readonly last: Pick<DriftWindow, 'boot' | 'windowStart' | 'from' | 'assets'> | null;
  /** Those that began last, one of each machine; absent: no warm-up was declared, or none began. */
  readonly stretches?: readonly Stretch[];
  /** Contexts that were left within their warm-up; absent: none was. */
  readonly shortContexts?: readonly string[];
  readonly mutedUntil: Instant | null;
  /** Plant events up to then are past: before the first window, or so many others came since. */
  readonly eventsFrom: Instant;
  /** Newest events that were taken into account. */
  readonly events: readonly (Pick<PlantEvent, 'eventId' | 'validTime'> & Partial<Pick<PlantEvent, 'kind' | 'asset'>>)[];
  readonly accepting: Accepting | null;
  readonly own: Readonly<Record<string, Learned>>;
  readonly regimes: readonly Regime[];
  readonly rolling: Rolling | null;
  readonly suspected: { readonly since: Instant; readonly until: Instant } | null;
  /** Share of the features that differed in the last window that was judged; null before the first. */
  readonly moved: number | null;
  readonly farOffWindows: number;
  /** Why it is looked at; absent: a state of before that was kept. */
  readonly hold?: Hold;
  /** e-values by feature; null before the first window. */
  readonly eValues: unknown;
  /** The same, together no more than the limit, by which the device is let go again; absent: as the others. */
  readonly recent?: unknown;
  readonly charts: Readonly<Record<string, Chart>>;
  /** Windows by context, of late. */
  readonly mix: Readonly<Record<string, number>>;
}

/** What was seen of changes is forgotten: it was of another machine, or is explained. */
export const afresh = () =>
  ({ farOffWindows: 0, hold: FREE, eValues: null, recent: null, charts: {} }) satisfies Partial<DeviceState>;

export const startOf = (from: Instant): DeviceState => ({
  schema: 'drift-state/1',
  sequence: 0,
  head: null,
  kind: 'steady',
  since: from,
  contexts: {},
  last: null,
  mutedUntil: null,
  eventsFrom: from,
  events: [],
  accepting: null,
  own: {},
  regimes: [],
  rolling: null,
  suspected: null,
  moved: null,
  mix: {},
  ...afresh(),
});

/** A state that was kept before learning had an end: it has one from the window that it is read for on. */
export const withEnd = (state: DeviceState, from: Instant, learnDays: number): DeviceState => {
  const { accepting } = state;
  if (accepting === null || accepting.until !== undefined) return state;
  const since = state.events.find((e) => e.eventId === accepting.eventId)?.validTime ?? state.eventsFrom;
  return {
    ...state,
    accepting: { ...accepting, since, until: daysAfter(from, learnDays) },
  };
};

/** Contexts of which something is kept. */
export const KEPT_CONTEXTS = 32;

/** Machines of which the context is kept. */
export const KEPT_ASSETS = 64;

/** The `most` entries that were added last. */
export const newest = <T>(of: Readonly<Record<string, T>>, most: number): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(of).slice(-most));

/** As it was, with one entry more or another; it becomes the newest. */
export const withEntry = <T>(of: Readonly<Record<string, T>>, key: string, value: T): Readonly<Record<string, T>> => {
  const { [key]: _, ...others } = of;
  return { ...others, [key]: value };
};
