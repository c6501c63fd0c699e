import type { MergedWindow } from '../sketch/merge.ts';
import { type DeviceState, KEPT_CONTEXTS } from './device-state.ts';

/**
 * A warm-up begins: a machine changed its context, or an event was told of it. A context whose stretches end within their
 * warm-up would be left out for ever; the rows of training have their beginnings too, so from its next one on it is judged whole.
 * @param left contexts that machines came from. @param isTold of an event: what comes after is left out in any case.
 */
export const warmUpBegins = (
  state: DeviceState,
  { context }: Pick<MergedWindow, 'context'>,
  rows: number,
  left: readonly string[],
  isTold: boolean,
): DeviceState => {
  const before = state.shortContexts ?? [];
  const tooShort = state.stretch?.outlasted === false ? left : [];
  const shortContexts = [...before.filter((c) => !tooShort.includes(c)), ...tooShort].slice(-KEPT_CONTEXTS);
  return {
    ...state,
    warmUpRows: rows,
    shortContexts,
    stretch: { context, fromFirstRow: !isTold && shortContexts.includes(context), outlasted: false },
  };
};

/** Whether windows are within a warm-up and judged all the same. */
export const isJudgedWarmingUp = (state: DeviceState): boolean =>
  state.warmUpRows > 0 && state.stretch?.fromFirstRow === true;

/** By one window more. @returns whether it is left out. */
export const warmedUp = (
  state: DeviceState,
  { context, rows }: Pick<MergedWindow, 'context' | 'rows'>,
): { readonly state: DeviceState; readonly isLeftOut: boolean } => {
  if (state.warmUpRows > 0)
    return {
      state: { ...state, warmUpRows: Math.max(0, state.warmUpRows - rows) },
      isLeftOut: !isJudgedWarmingUp(state),
    };
  if (state.stretch?.outlasted !== false || state.stretch.context !== context) return { state, isLeftOut: false };
  return {
    state: {
      ...state,
      shortContexts: (state.shortContexts ?? []).filter((c) => c !== context),
      stretch: { ...state.stretch, outlasted: true },
    },
    isLeftOut: false,
  };
};
