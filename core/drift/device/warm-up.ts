import type { MergedWindow } from '../sketch/merge.ts';
import { type DeviceState, KEPT_ASSETS, KEPT_CONTEXTS, type Stretch } from './device-state.ts';

/** A machine changed its context, or an event was told of it. */
export interface Begun {
  readonly asset: string;
  /** Context that it was in; null: it was not seen before. */
  readonly from: string | null;
  readonly to: string;
  /** Of an event: what comes after is left out in any case. */
  readonly isTold: boolean;
}

/**
 * A warm-up of machines begins. A context whose stretches end within their warm-up would be left out for ever; the rows of
 * training have their beginnings too, so from its next one on it is judged whole.
 */
export const warmUpBegins = (state: DeviceState, begun: readonly Begun[], rows: number): DeviceState => {
  const stretches = state.stretches ?? [];
  const before = state.shortContexts ?? [];
  const tooShort = begun.flatMap(({ asset, from, to }) =>
    from !== null && from !== to && stretches.some((s) => s.asset === asset && s.context === from) ? [from] : [],
  );
  const shortContexts = [...before.filter((c) => !tooShort.includes(c)), ...new Set(tooShort)].slice(-KEPT_CONTEXTS);
  const others = stretches.filter((s) => !begun.some((b) => b.asset === s.asset));
  const anew = begun.map(({ asset, to, isTold }): Stretch => {
    return { asset, context: to, rows, fromFirstRow: !isTold && shortContexts.includes(to) };
  });
  return { ...state, shortContexts, stretches: [...others, ...anew].slice(-KEPT_ASSETS) };
};

type Seen = Pick<MergedWindow, 'context' | 'assets'>;

const ofWindow = ({ stretches = [] }: DeviceState, { context, assets }: Seen): readonly Stretch[] =>
  stretches.filter((s) => s.context === context && assets.includes(s.asset));

/** Whether a window is within a warm-up and judged all the same. */
export const isJudgedWarmingUp = (state: DeviceState, window: Seen): boolean => {
  const within = ofWindow(state, window).filter((s) => s.rows > 0);
  return within.length > 0 && within.every((s) => s.fromFirstRow);
};

/** By one window more. @returns whether it is left out. */
export const warmedUp = (
  state: DeviceState,
  window: Seen & Pick<MergedWindow, 'rows'>,
): { readonly state: DeviceState; readonly isLeftOut: boolean } => {
  const mine = ofWindow(state, window);
  if (mine.length === 0) return { state, isLeftOut: false };
  const within = mine.filter((s) => s.rows > 0);
  const less = within.map((s) => ({ ...s, rows: Math.max(0, s.rows - window.rows) }));
  const others = (state.stretches ?? []).filter((s) => !mine.includes(s));
  const short = state.shortContexts ?? [];
  return {
    state: {
      ...state,
      // One that outlasted its warm-up.
      shortContexts: within.length < mine.length ? short.filter((c) => c !== window.context) : short,
      stretches: [...others, ...less],
    },
    isLeftOut: within.some((s) => !s.fromFirstRow),
  };
};
