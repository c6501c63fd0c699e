import type { DriftWindow, WindowKey } from '#core/contracts/drift.ts';
import type { DeviceState } from '#core/drift/device/device-state.ts';
import type { Watched } from '#core/health/unwatched.ts';
import type { Item, ItemKey } from '../shared/judgement-table.ts';
import type { LedgerCommandInput } from '../shared/ledger-client.ts';

/**
 * Starts of a device, and windows of each, that its item remembers to tell a window that comes again from one that comes
 * late; starts before have an item each.
 */
const KEPT_BOOTS = 8;
const KEPT_WINDOWS = 64;
/** Windows that wait for more of their contexts, about 100 bytes each: the item has to stay well below 400 kB. */
const MOST_WAITING = 500;
/** Windows that are judged together at most, however few rows they have. */
const MOST_TOGETHER = 200;

/** What is said of a device stands so long before windows that seem older, by whatever clock, are taken for its newest. */
const STANDS_MS = 86_400_000;

/** A start of a device, and where its windows that came end. */
export interface SeenBoot {
  readonly boot: string;
  readonly ends: readonly number[];
}

export type Waiting = Pick<WindowKey, 'boot' | 'windowStart'> & { readonly rows: number };

/** What follows from a judgement and is not known to be done yet: the line is judged, after the ledger was told. */
export interface Pending {
  readonly commands: readonly LedgerCommandInput[];
}

/** What is kept of a device between its messages. */
export interface DeviceItem extends Item {
  /** Windows that came, by start of the device; the one that came last is the last. */
  readonly seen: readonly SeenBoot[];
  readonly newest: Watched | null;
  /** Windows by context that together are too few rows to judge; the context that came last is the last. */
  readonly waiting: readonly { readonly context: string; readonly windows: readonly Waiting[] }[];
  /** JSON of {@link DeviceState}: a number of the table has fewer digits than one of JSON. */
  readonly device: string | null;
  /** Newest window of the judgement that the line reads, and when it was judged; absent before the first. */
  readonly described?: Pick<Watched, 'boot' | 'windowEnd' | 'to'> & { readonly at: string };
  /** What the ledger was told last; null before the first judgement. */
  readonly said: string | null;
  /** JSON of {@link Pending}; done before anything else is judged. */
  readonly pending: string | null;
}

const EMPTY = { seen: [], newest: null, waiting: [], device: null, said: null, pending: null };

/** The item as it is kept, or as it begins; an item that is none is begun anew, at the version it has. */
export const deviceItem = (key: ItemKey, found: Item | null): DeviceItem =>
  found !== null && Array.isArray(found['waiting']) ? (found as DeviceItem) : { ...key, ...EMPTY };

/**
 * `late`: older than all that are remembered of its boot, so nobody knows whether it came before; it is kept for replay.
 * By its last decision, for a device sends windows in that order: one of a machine that is slow began long before others.
 */
export const isKnown = (
  { seen }: DeviceItem,
  { boot, windowEnd }: Pick<DriftWindow, 'boot' | 'windowEnd'>,
): 'new' | 'known' | 'late' => {
  const ends = seen.find((s) => s.boot === boot)?.ends ?? [];
  if (ends.includes(windowEnd)) return 'known';
  return ends.length === KEPT_WINDOWS && windowEnd < Math.min(...ends) ? 'late' : 'new';
};

type WaitingContext = DeviceItem['waiting'][number];

/** The contexts that came last, as many as there is room for; the last one in any case. */
const withinRoom = (waiting: readonly WaitingContext[]): readonly WaitingContext[] => {
  let windows = 0;
  const first = waiting.findLastIndex((w) => {
    windows += w.windows.length;
    return windows > MOST_WAITING;
  });
  return waiting.slice(first + 1);
};

type Ended = Pick<Watched, 'boot' | 'windowEnd' | 'to'>;
const isNewer = (a: Ended, b: Ended | null): boolean =>
  b === null || (a.boot === b.boot ? a.windowEnd > b.windowEnd : a.to > b.to);

const newestOf = (windows: readonly DriftWindow[]): DriftWindow => windows.reduce((a, b) => (isNewer(b, a) ? b : a));

/**
 * Whether windows came after newer ones were judged: what the line reads goes on to be of those. A clock that was ahead, or
 * fell behind, does not silence the device for longer than a day.
 * @param now by the clock of who judges.
 */
export const isLate = ({ described }: DeviceItem, windows: readonly DriftWindow[], now: string): boolean =>
  described !== undefined &&
  !isNewer(newestOf(windows), described) &&
  described.to <= now &&
  Date.parse(now) - Date.parse(described.at) < STANDS_MS;

/** The item with a start of its device that it had no room for. */
export const withBoot = (item: DeviceItem, { boot, ends }: SeenBoot): DeviceItem => ({
  ...item,
  seen: [{ boot, ends }, ...item.seen],
});

/** Starts that an item has no room for any more. */
export const leftBoots = (before: DeviceItem, after: DeviceItem): readonly SeenBoot[] =>
  before.seen.filter(({ boot }) => !after.seen.some((s) => s.boot === boot));

/** The item after one more window came. */
export const withWindow = (item: DeviceItem, window: DriftWindow): DeviceItem => {
  const { boot, windowStart, windowEnd, rows, context, site, device, to } = window;
  const ends = [...(item.seen.find((s) => s.boot === boot)?.ends ?? []), windowEnd]
    .sort((a, b) => a - b)
    .slice(-KEPT_WINDOWS);
  const waiting = item.waiting.find((w) => w.context === context)?.windows ?? [];
  return {
    ...item,
    seen: [...item.seen.filter((s) => s.boot !== boot), { boot, ends }].slice(-KEPT_BOOTS),
    newest: isNewer(window, item.newest) ? { site, device, boot, windowEnd, rows, to } : item.newest,
    waiting: withinRoom([
      ...item.waiting.filter((w) => w.context !== context),
      { context, windows: [...waiting, { boot, windowStart, rows }] },
    ]),
  };
};

/** The windows of a context that are judged together, once they are rows enough; null before. */
export const readyOf = ({ waiting }: DeviceItem, context: string, rows: number): readonly Waiting[] | null => {
  const windows = waiting.find((w) => w.context === context)?.windows ?? [];
  const all = windows.reduce((sum, w) => sum + w.rows, 0);
  return all >= rows || windows.length >= MOST_TOGETHER ? windows : null;
};

/** The item without windows of a context that can be read no more. */
export const withoutWindows = (item: DeviceItem, context: string, gone: readonly Waiting[]): DeviceItem => ({
  ...item,
  waiting: item.waiting.map((w) =>
    w.context === context ? { ...w, windows: w.windows.filter((window) => !gone.includes(window)) } : w,
  ),
});

/** The item after the windows of a context were judged. */
export const judgedItem = (
  item: DeviceItem,
  context: string,
  of: { readonly state: DeviceState; readonly said: string | null; readonly pending: Pending | null },
): DeviceItem => ({
  ...item,
  waiting: item.waiting.filter((w) => w.context !== context),
  device: JSON.stringify(of.state),
  said: of.said,
  pending: of.pending === null ? null : JSON.stringify(of.pending),
});

/** The item after the line was given a judgement of these windows. */
export const describedItem = (item: DeviceItem, windows: readonly DriftWindow[], at: string): DeviceItem => {
  const { boot, windowEnd, to } = newestOf(windows);
  return { ...item, described: { boot, windowEnd, to, at } };
};
