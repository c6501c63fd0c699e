import type { Quality } from '../contracts/frame.ts';
import type { Observation } from '../contracts/observation.ts';
import type { QualityCheck, QualityRules } from '../contracts/quality.ts';
import type { Breach, CheckedValue } from './check.ts';
import { CHECKS } from './registry.ts';

const RANK: Readonly<Record<Quality, number>> = { GOOD: 0, UNCERTAIN: 1, BAD: 2 };

/** The worse of two qualities. */
export const worseQuality = (a: Quality, b: Quality): Quality => (RANK[a] >= RANK[b] ? a : b);

/** A stretch of values that fail one check: a finding without the names of its signal. Times in milliseconds since 1970. */
export interface Stretch {
  readonly check: QualityCheck;
  readonly from: number;
  readonly to: number;
  readonly open: boolean;
  readonly count: number;
  readonly worst: number | null;
  readonly says: string;
}

export interface Checked {
  /** Never better than it came. */
  readonly quality: Quality;
  readonly reason?: string;
  readonly failed: readonly QualityCheck[];
  /** The same value of the same time was there before. */
  readonly isRepetition: boolean;
  readonly findings: readonly Stretch[];
}

interface OpenStretch {
  from: number;
  to: number;
  count: number;
  worst: number | null;
  says: string;
  /** Values that passed since the last that failed. */
  passed: number;
  /** Count when it was last said. */
  said: number;
}

/** State of a monitor; JSON keeps it whole. */
export interface MonitorState {
  newest: number | null;
  checks: Partial<Record<QualityCheck, object>>;
  open: Partial<Record<QualityCheck, OpenStretch>>;
}

/** Values in a row that pass before a stretch is over: a value that flickers is one finding, not hundreds. */
export const PASSES_TO_CLOSE = 5;

export interface Monitor {
  /** What it knows, as JSON keeps it. */
  readonly state: MonitorState;
  /**
   * Takes the next value, in the order of their coming.
   * @param missed the block of time that it belongs to was closed before.
   */
  take(observation: Observation, missed?: boolean): Checked;
  /** Time passed at the gateway; finds silence. @param at milliseconds since 1970. */
  flush(at: number): readonly Stretch[];
  /** Nothing more will come: every stretch that is not over, as it stands. */
  end(): readonly Stretch[];
}

/** The number in a value, true being 1; null for text, for what is not finite, and for no value. */
export const numberIn = (raw: Observation['value']): number | null => {
  if (typeof raw === 'boolean') return raw ? 1 : 0;
  return typeof raw === 'number' && Number.isFinite(raw) ? raw : null;
};

const larger = (a: number | null, b: number | null): number | null => (a === null || (b !== null && b > a) ? b : a);

/**
 * All checks of one signal of one asset. A stretch is said when it begins, each time its count has doubled, and when it
 * is over; it is named by check and `from`, and a later word about it replaces an earlier one.
 * @param unit UCUM code of the signal. @param state of an earlier monitor with the same rules, to go on from.
 * @param only these checks.
 */
export const makeMonitor = (
  rules: QualityRules,
  unit: string,
  state?: MonitorState,
  only: readonly QualityCheck[] = Object.values(CHECKS).map((c) => c.name),
): Monitor => {
  const now: MonitorState = state ?? { newest: null, checks: {}, open: {} };
  const settings = { rules, unit };
  const checks = Object.values(CHECKS).filter((c) => c.applies(rules) && only.includes(c.name));
  const allowed = 1000 * (rules.latenessSeconds ?? 0);
  const stateOf = (name: QualityCheck): object => {
    const known: object = now.checks[name] ?? CHECKS[name].start();
    now.checks[name] = known;
    return known;
  };

  const say = (check: QualityCheck, s: OpenStretch, open: boolean): Stretch => {
    s.said = s.count;
    const { from, to, count, worst, says } = s;
    return { check, from, to, open, count, worst, says };
  };
  const whole = (check: QualityCheck, b: Breach, to: number, open: boolean): Stretch => {
    const from = b.from ?? to;
    return { check, from, to: Math.max(from, to), open, count: b.count ?? 1, worst: b.deviation, says: b.says };
  };
  const grow = (check: QualityCheck, b: Breach, time: number): readonly Stretch[] => {
    const s = now.open[check];
    if (s === undefined) {
      const begun: OpenStretch = {
        from: b.from ?? time,
        to: Math.max(b.from ?? time, time),
        count: b.count ?? 1,
        worst: b.deviation,
        says: b.says,
        passed: 0,
        said: 0,
      };
      now.open[check] = begun;
      return [say(check, begun, true)];
    }
    const worst = larger(s.worst, b.deviation);
    if (worst !== s.worst) Object.assign(s, { worst, says: b.says });
    Object.assign(s, { to: Math.max(s.to, time), count: s.count + 1, passed: 0 });
    return s.count >= 2 * s.said ? [say(check, s, true)] : [];
  };
  const pass = (check: QualityCheck): readonly Stretch[] => {
    const s = now.open[check];
    if (s === undefined) return [];
    s.passed += 1;
    if (s.passed < PASSES_TO_CLOSE) return [];
    delete now.open[check];
    return [say(check, s, false)];
  };

  return {
    state: now,
    take(o, missed = false) {
      const seen: CheckedValue = {
        raw: o.value,
        value: numberIn(o.value),
        unit: o.unit,
        quality: o.quality,
        sourceTime: o.sourceTime,
        receivedTime: o.receivedTime,
        newest: now.newest,
        missed,
      };
      const isHistory = o.flags?.includes('historical') === true && now.newest !== null && o.sourceTime < now.newest;
      let quality = o.value === null && o.quality === 'GOOD' ? 'BAD' : o.quality;
      let reason = quality === o.quality ? o.reason : 'no value';
      const failed: QualityCheck[] = [];
      const findings: Stretch[] = [];
      let isRepetition = false;
      for (const check of checks) {
        if (isHistory && !check.isForHistory) continue;
        const breach = check.take(stateOf(check.name), seen, settings);
        if (breach === undefined) continue;
        if (breach === null) {
          findings.push(...pass(check.name));
          continue;
        }
        failed.push(check.name);
        if (check.name === 'duplicate-time' && breach.quality === 'GOOD') isRepetition = true;
        if (RANK[breach.quality] > RANK[quality]) {
          quality = breach.quality;
          reason = breach.says;
        }
        findings.push(
          ...(breach.isWhole === true
            ? [whole(check.name, breach, o.sourceTime, false)]
            : grow(check.name, breach, o.sourceTime)),
        );
      }
      // Disorder within the lateness leaves the newest time as it is; a step that is over sets it anew.
      const isInTime = now.newest !== null && o.sourceTime <= now.newest && now.newest - o.sourceTime <= allowed;
      if (!isHistory && !failed.includes('clock-step') && !isInTime) now.newest = o.sourceTime;
      return {
        quality,
        ...(quality === 'GOOD' || reason === undefined ? {} : { reason: reason.slice(0, 120) }),
        failed,
        isRepetition,
        findings,
      };
    },
    flush(at) {
      const findings: Stretch[] = [];
      for (const check of checks) {
        const breach = check.flush?.(stateOf(check.name), at, settings) ?? null;
        if (breach !== null) findings.push(whole(check.name, breach, at, true));
      }
      return findings;
    },
    end() {
      const open = Object.entries(now.open) as [QualityCheck, OpenStretch][];
      return open.map(([check, s]) => say(check, s, s.passed === 0));
    },
  };
};
