import type { LabelRequest, OutcomePolicy } from '../contracts/label-request.ts';
import { compareText } from '../text/compare.ts';
import { newestInstant, type ServedUnit } from './coverage.ts';
import { chanceOf, lotOf, outcomeRules } from './selection.ts';

/** Units that one request names at most, and those that it aims at, so that chance seldom draws more than it names. */
const MOST_UNITS = 200;
const MOST_DRAWN = 150;
const DAY_MS = 86_400_000;
/** A request that nobody answered waits so long at least before others are asked for; the quota is asked for so often. */
const WEEK_DAYS = 7;

/** What is known of a line when labels are wanted. */
export interface LabelNeed {
  readonly modelLine: string;
  readonly site: string;
  readonly packageDigest: string;
  readonly policy: { readonly maturityDays: number; readonly outcomes?: OutcomePolicy | undefined };
  readonly served: readonly ServedUnit[];
  /** Units with an outcome, by when it was known. */
  readonly known: readonly { readonly unit: string; readonly knownTime: string }[];
  /** All requests of this package. */
  readonly requests: readonly LabelRequest[];
  /** How many outcomes decide; null: only the standing quota is due, where there is one. */
  readonly count: number | null;
  readonly reason: string;
}

const daysBetween = (a: string, b: string): number => (Date.parse(b) - Date.parse(a)) / DAY_MS;

/** How many of the units of a request have an outcome. */
export const answeredOf = (request: LabelRequest, known: ReadonlySet<string>): number =>
  request.units.filter((u) => known.has(u)).length;

/** Waits for its labels: fewer are known than decide, and it has not waited in vain for too long. */
const isOpen = (request: LabelRequest, known: ReadonlySet<string>, now: string, patienceDays: number): boolean =>
  answeredOf(request, known) < Math.min(request.count, request.units.length) &&
  daysBetween(request.until, now) < patienceDays;

/** Units that do not run any more: another of the same machine began after them, or they are silent for long. */
const stopped = (served: readonly ServedUnit[], now: string, maturityDays: number): readonly ServedUnit[] => {
  const newest = new Map<string, string>();
  const assetOf = (unit: string): string => unit.slice(0, unit.lastIndexOf('/'));
  for (const { unit, lastAt } of served) {
    const asset = assetOf(unit);
    if ((newest.get(asset) ?? '') < lastAt) newest.set(asset, lastAt);
  }
  return served.filter(
    ({ unit, lastAt }) => lastAt < (newest.get(assetOf(unit)) as string) || daysBetween(lastAt, now) >= maturityDays,
  );
};

/**
 * The request for labels that follows from what is known, or null: one is open, or there is no unit to ask for. Every unit
 * that stopped since the last request and has no outcome has the same chance to be drawn, so that the answers are a fair
 * sample of all; the chance is chosen so that `count` are drawn on average. Where only rejects are inspected these are left
 * out, and the chance is never below the standing quota. Units of an earlier stretch that came to be known, or stopped, only
 * since are named where the lot and the chance of that stretch say so: otherwise who reports late would never be asked, and
 * what counts for them all would be of the others only. Where more are drawn than one request names, those that wait longest
 * come first, and a quota does not wait a week for the rest. The same evidence asks for the same units.
 */
export const nextLabelRequest = (need: LabelNeed): LabelRequest | null => {
  const { modelLine, site, packageDigest, policy, count, reason } = need;
  const now = newestInstant(need.served, need.known);
  if (now === null) return null;
  const known = new Set(need.known.map((k) => k.unit));
  const newest = need.requests.reduce<LabelRequest | null>(
    (a, b) => (a === null || b.ordinal > a.ordinal ? b : a),
    null,
  );
  const after = newest?.until ?? null;
  const rules = outcomeRules(policy.outcomes);
  const rejectsAreKnown = rules.inspected === 'rejects';
  if (count === null) {
    const isFull = newest?.units.length === MOST_UNITS;
    if (!rejectsAreKnown || (after !== null && !isFull && daysBetween(after, now) < WEEK_DAYS)) return null;
  } else if (newest !== null && newest.standing !== true) {
    if (isOpen(newest, known, now, Math.max(policy.maturityDays, WEEK_DAYS))) return null;
  }
  const able = stopped(need.served, now, policy.maturityDays).filter(
    ({ unit, rejected }) => !known.has(unit) && !(rejectsAreKnown && rejected === true),
  );
  const isNew = ({ lastAt }: ServedUnit): boolean => after === null || lastAt > after;
  const candidates = able.filter(isNew);
  const wanted = candidates.length === 0 ? 0 : Math.min(1, Math.min(count ?? 0, MOST_DRAWN) / candidates.length);
  const share = rejectsAreKnown ? Math.max(rules.quota, wanted) : wanted || 1;
  const asked = new Set(need.requests.flatMap((r) => r.units));
  const units = able
    .filter((s) => !asked.has(s.unit))
    .filter((s) => lotOf(packageDigest, s.unit) < (isNew(s) ? share : chanceOf(s.lastAt, rules, need.requests)))
    .sort((a, b) => compareText(a.lastAt, b.lastAt) || compareText(a.unit, b.unit))
    .slice(0, MOST_UNITS)
    .map(({ unit }) => unit)
    .sort(compareText);
  if (units.length === 0) return null;
  const ordinal = (newest?.ordinal ?? 0) + 1;
  return {
    schema: 'label-request/1',
    requestId: `${modelLine}/${packageDigest.slice('sha256:'.length, 'sha256:'.length + 12)}/${ordinal}`,
    modelLine,
    site,
    packageDigest,
    ordinal,
    after,
    until: now,
    share,
    count: count ?? units.length,
    ...(count === null ? { standing: true } : {}),
    candidates: candidates.length,
    units,
    reason: reason.slice(0, 400),
  };
};
