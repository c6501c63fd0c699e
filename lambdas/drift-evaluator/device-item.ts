import type { DriftWindow, WindowKey } from '#core/contracts/drift.ts';
import type { DeviceState } from '#core/drift/device/device-state.ts';
import type { Watched } from '#core/health/unwatched.ts';
import type { Item, ItemKey } from '../shared/judgement-table.ts';
import type { LedgerCommandInput } from '../shared/ledger-client.ts';

/** Starts of a device, and windows of each, that are remembered to tell a window that comes again from one that comes late. */
const KEPT_BOOTS = 8;
const KEPT_WINDOWS = 64;
/** Contexts whose windows wait for more of them. */
const KEPT_CONTEXTS = 16;
/** Windows that are judged together at most, however few rows they have. */
const MOST_TOGETHER = 200;

type Waiting = Pick<WindowKey, 'boot' | 'windowStart'> & { readonly rows: number };

/** What follows from a judgement and is not known to be done yet: the line is judged, after the ledger was told. */
export interface Pending {
  readonly commands: readonly LedgerCommandInput[];
}

/** What is kept of a device between its messages. */
export interface DeviceItem extends Item {
  /** Windows that came, by start of the device; the one that came last is the last. */
  readonly seen: readonly { readonly boot: string; readonly starts: readonly number[] }[];
  readonly newest: Watched | null;
  /** Windows by context that together are too few rows to judge; the context that came last is the last. */
  readonly waiting: readonly { readonly context: string; readonly windows: readonly Waiting[] }[];
  /** JSON of {@link DeviceState}: a number of the table has fewer digits than one of JSON. */
  readonly device: string | null;
  /** What the ledger was told last; null before the first judgement. */
  readonly said: string | null;
  /** JSON of {@link Pending}; done before anything else is judged. */
  readonly pending: string | null;
}

const EMPTY = { seen: [], newest: null, waiting: [], device: null, said: null, pending: null };

/** The item as it is kept, or as it begins; an item that is none is begun anew, at the version it has. */
export const deviceItem = (key: ItemKey, found: Item | null): DeviceItem =>
  found !== null && Array.isArray(found['waiting']) ? (found as DeviceItem) : { ...key, ...EMPTY };

/** `late`: older than all that are remembered of its boot, so nobody knows whether it came before; it is kept for replay. */
export const isKnown = ({ seen }: DeviceItem, window: WindowKey): 'new' | 'known' | 'late' => {
  const starts = seen.find((s) => s.boot === window.boot)?.starts ?? [];
  if (starts.includes(window.windowStart)) return 'known';
  return starts.length === KEPT_WINDOWS && window.windowStart < Math.min(...starts) ? 'late' : 'new';
};

const isNewer = (a: DriftWindow, b: Watched | null): boolean =>
  b === null || (a.boot === b.boot ? a.windowEnd > b.windowEnd : a.to > b.to);

/** The item after one more window came. */
export const withWindow = (item: DeviceItem, window: DriftWindow): DeviceItem => {
  const { boot, windowStart, windowEnd, rows, context, site, device, to } = window;
  const starts = [...(item.seen.find((s) => s.boot === boot)?.starts ?? []), windowStart]
    .sort((a, b) => a - b)
    .slice(-KEPT_WINDOWS);
  const waiting = item.waiting.find((w) => w.context === context)?.windows ?? [];
  return {
    ...item,
    seen: [...item.seen.filter((s) => s.boot !== boot), { boot, starts }].slice(-KEPT_BOOTS),
    newest: isNewer(window, item.newest) ? { site, device, boot, windowEnd, rows, to } : item.newest,
    waiting: [
      ...item.waiting.filter((w) => w.context !== context),
      { context, windows: [...waiting, { boot, windowStart, rows }] },
    ].slice(-KEPT_CONTEXTS),
  };
};

/** The windows of a context that are judged together, once they are rows enough; null before. */
export const readyOf = ({ waiting }: DeviceItem, context: string, rows: number): readonly Waiting[] | null => {
  const windows = waiting.find((w) => w.context === context)?.windows ?? [];
  const all = windows.reduce((sum, w) => sum + w.rows, 0);
  return all >= rows || windows.length >= MOST_TOGETHER ? windows : null;
};

/** The item after the windows of a context were judged. */
export const judgedItem = (
  item: DeviceItem,
  context: string,
  of: { readonly state: DeviceState; readonly said: string; readonly pending: Pending | null },
): DeviceItem => ({
  ...item,
  waiting: item.waiting.filter((w) => w.context !== context),
  device: JSON.stringify(of.state),
  said: of.said,
  pending: of.pending === null ? null : JSON.stringify(of.pending),
});
