import { compareText } from '../text/compare.ts';
import { few } from '../text/few.ts';
import { type KnownFinding, qualityInTime } from './findings.ts';

/** A stretch of bad quality that covers less of the time than this says little about the values of the whole. */
const HOLDS_FROM = 0.1;
/** Checks after whose failure no value of the time can be relied on, however short it was. */
const ALWAYS: readonly string[] = ['unit', 'clock-step'];
const NAMED = 5;

/** Share of a time that stretches cover together, each clipped to it. */
const coveredShare = (stretches: readonly { from: number; to: number }[], from: number, to: number): number => {
  if (to <= from) return stretches.length > 0 ? 1 : 0;
  let covered = 0;
  let end = from;
  for (const s of [...stretches].sort((a, b) => a.from - b.from)) {
    const [first, last] = [Math.max(s.from, end), Math.min(s.to, to)];
    if (last > first) covered += last - first;
    end = Math.max(end, last);
  }
  return covered / (to - from);
};

/**
 * Why what was counted in a time cannot be judged for drift: signals of bad quality for a tenth of it or more, or whose
 * unit or clock changed in it. One wild value is no reason. @param time UTC.
 * @returns sentences, five and how many more; signals of one asset of which the same is said share one.
 */
export const heldReasons = (
  known: readonly KnownFinding[],
  of: { readonly assets: readonly string[]; readonly signals: readonly string[] },
  time: { readonly from: string; readonly to: string },
): readonly string[] => {
  const [from, to] = [Date.parse(time.from), Date.parse(time.to)];
  const reasons = of.assets.flatMap((asset) =>
    of.signals.flatMap((signal) => {
      const { because } = qualityInTime(known, { asset, signal }, time);
      const stretches = because.map((f) => ({ from: Date.parse(f.from), to: f.open ? to : Date.parse(f.to) }));
      const worst = because.find((f) => ALWAYS.includes(f.check)) ?? because[0];
      const holds = because.some((f) => ALWAYS.includes(f.check)) || coveredShare(stretches, from, to) >= HOLDS_FROM;
      return worst !== undefined && holds ? [{ asset, signal, says: worst.says }] : [];
    }),
  );
  const alike = [...Map.groupBy(reasons, (r) => `${r.asset}: ${r.says}`).values()].map((group) => ({
    ...(group[0] as (typeof group)[number]),
    signals: [...new Set(group.map((r) => r.signal))].sort(compareText),
  }));
  const inOrder = alike.sort((a, b) => compareText(`${a.asset}/${a.signals[0]}`, `${b.asset}/${b.signals[0]}`));
  const more = inOrder.slice(NAMED).reduce((sum, r) => sum + r.signals.length, 0);
  return [
    ...inOrder.slice(0, NAMED).map((r) => `${r.asset}/${few(r.signals, NAMED)}: ${r.says}`),
    ...(more === 0 ? [] : [`and ${more} more signals`]),
  ];
};
