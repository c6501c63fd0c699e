import type { Quality } from '../contracts/frame.ts';
import type { QualityFinding } from '../contracts/quality.ts';
import { compareText } from '../text/compare.ts';
import { type Stretch, worseQuality } from './monitor.ts';
import { CHECKS } from './registry.ts';

/** A stretch of a signal as a finding. */
export const findingOf = (
  of: { readonly site: string; readonly asset: string; readonly signal: string },
  stretch: Stretch,
): QualityFinding => ({
  schema: 'quality-finding/1',
  site: of.site,
  asset: of.asset,
  signal: of.signal,
  check: stretch.check,
  from: new Date(stretch.from).toISOString(),
  to: new Date(stretch.to).toISOString(),
  open: stretch.open,
  count: stretch.count,
  worst: stretch.worst,
  says: stretch.says,
});

/** Of each stretch the last word. @param words of one finder at one site, in the order in which they were said. */
export const lastWords = (words: readonly QualityFinding[]): readonly QualityFinding[] => [
  ...new Map(words.map((f) => [JSON.stringify([f.asset, f.signal, f.check, f.from]), f])).values(),
];

/** A finding, when it was said, and by whom: a device, or the function that read an upload. */
export interface KnownFinding {
  readonly finding: QualityFinding;
  /** UTC like the times of the finding: they compare as texts. */
  readonly foundAt: string;
  readonly foundBy: string;
}

const isLater = (a: KnownFinding, b: KnownFinding): boolean => {
  if (a.foundAt !== b.foundAt) return a.foundAt > b.foundAt;
  if (a.finding.open !== b.finding.open) return b.finding.open;
  return a.finding.count > b.finding.count;
};

/** The last word of each finder about each stretch (signal, check, `from`), in the order of the beginnings. */
export const standingFindings = (known: readonly KnownFinding[]): readonly QualityFinding[] => {
  const last = new Map<string, KnownFinding>();
  for (const k of known) {
    const { site, asset, signal, check, from } = k.finding;
    const key = JSON.stringify([site, asset, signal, check, from, k.foundBy]);
    const before = last.get(key);
    if (before === undefined || isLater(k, before)) last.set(key, k);
  }
  return [...last.values()].map((k) => k.finding).sort((a, b) => compareText(a.from, b.from));
};

/** What can be relied on of a signal in a time, and by which findings not more. */
export interface QualityInTime {
  readonly quality: Quality;
  readonly because: readonly QualityFinding[];
}

/**
 * Was a signal of bad quality in a time? By the standing findings that touch it; an open one goes on until it is said to
 * be over. What only came late, or was only sent again, is good.
 * @param time `from` and `to`, UTC, both within.
 */
export const qualityInTime = (
  known: readonly KnownFinding[],
  of: { readonly asset: string; readonly signal: string },
  time: { readonly from: string; readonly to: string },
): QualityInTime => {
  const because = standingFindings(
    known.filter(({ finding: f }) => f.asset === of.asset && f.signal === of.signal),
  ).filter((f) => CHECKS[f.check].signalIs !== 'GOOD' && f.from <= time.to && (f.open || f.to >= time.from));
  return {
    quality: because.reduce<Quality>((worst, f) => worseQuality(worst, CHECKS[f.check].signalIs), 'GOOD'),
    because,
  };
};
