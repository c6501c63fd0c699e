import type { JoinedOutcomeRecord } from '#core/contracts/judgement.ts';
import type { OutcomePolicy } from '#core/contracts/label-request.ts';
import { LineEValue } from '#core/drift/decision/line-e-value.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { type CountedOutcome, countOutcomes } from '#core/outcomes/counted.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { medianDelay } from '../contest.ts';
import { periodicAlarms } from '../dummy.ts';
import type { GroupOptions } from '../group.ts';

const STREAMS = 41;
const STABLE = 2000;
const CHANGED = 8000;
const SEED = 2026_1700;
const ALARM_AT = 1e6;
/** Error rate before and after, and its upper bound as 2,000 labels of a validation say it. */
const BEFORE = 0.1;
const AFTER = 0.2;
const EXPECTED = BEFORE + 1.645 * Math.sqrt((BEFORE * (1 - BEFORE)) / 2000);
const HOUR_MS = 3_600_000;
const EPOCH = Date.UTC(2025, 0, 1);
const hour = (n: number): string => new Date(EPOCH + HOUR_MS * n).toISOString();
const hoursOf = (instant: string): number => (Date.parse(instant) - EPOCH) / HOUR_MS;

/** One unit an hour. */
interface Unit {
  readonly loss: number;
  readonly rejected: boolean;
  /** Hours until its outcome is known; null: never. */
  readonly late: number | null;
}

interface Case {
  readonly name: string;
  readonly outcomes?: OutcomePolicy;
  readonly maturityDays?: number;
  readonly unit: (random: () => number, changed: boolean) => Unit;
}

const recordOf = (
  packageDigest: string,
  n: number,
  { loss, rejected, late }: Unit & { late: number },
): JoinedOutcomeRecord => ({
  schema: 'outcome-judgement/2',
  modelLine: 'bench/plant',
  site: 'plant',
  packageDigest,
  asset: 'm',
  run: `r${n}`,
  end: 'failed',
  endedAt: 1,
  validTime: hour(n),
  knownTime: hour(n + late),
  events: ['e'],
  decisions: 1,
  withValue: 1,
  loss,
  rmse: 0,
  lastError: 0,
  rejected,
});

/** What counts of one stream, in the order it is judged. */
const countedOf = (given: Case, stream: number): readonly CountedOutcome[] => {
  const random = seededRandom(SEED + stream);
  const packageDigest = digestOf({ stream });
  const units = Array.from({ length: STABLE + CHANGED }, (_, n) => given.unit(random, n >= STABLE));
  const records = units.flatMap((u, n) =>
    u.late === null ? [] : [recordOf(packageDigest, n, { ...u, late: u.late })],
  );
  const served = units.map((u, n) => ({ unit: `m/r${n}`, lastAt: hour(n), rejected: u.rejected }));
  const policy = {
    lossTolerance: 0,
    alarmAt: ALARM_AT,
    minOutcomes: 1,
    leaveAfter: 8,
    cooldownDays: 1,
    maxRetrains: 1,
    budgetDays: 1,
    maturityDays: given.maturityDays ?? 0,
    psiWatch: 0.02,
    psiSerious: 0.1,
    alpha: 0.01,
    ...(given.outcomes === undefined ? {} : { outcomes: given.outcomes }),
  };
  const { outcomes } = countOutcomes({ packageDigest, policy, outcomes: records, served, labels: [] });
  return [...outcomes].sort((a, b) => (a.knownTime < b.knownTime ? -1 : a.knownTime > b.knownTime ? 1 : 0));
};

interface Found {
  /** Hours after the change; infinite where it was not found. */
  readonly delay: number;
  readonly early: number;
}

/** The first alarm after the change; alarms before it are counted, and the detector begins anew after each. */
const judge = (outcomes: readonly CountedOutcome[], expected: number): Found => {
  const fresh = LineEValue.start(expected);
  let detector = fresh;
  let early = 0;
  for (const outcome of outcomes) {
    detector = detector.update(outcome);
    if (detector.value < ALARM_AT) continue;
    const at = hoursOf(outcome.knownTime);
    if (at >= STABLE) return { delay: at - STABLE, early };
    early++;
    detector = fresh;
  }
  return { delay: Number.POSITIVE_INFINITY, early };
};

const streams = Array.from({ length: STREAMS }, (_, s) => s);
const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** @param goal of the median delay; null: to compare with. @returns the median. */
const print = (report: GroupOptions['report'], given: Case, expected: number, goal: number | null): number => {
  const found = streams.map((s) => judge(countedOf(given, s), expected));
  const share = found.filter((f) => Number.isFinite(f.delay)).length / STREAMS;
  const early = found.reduce((sum, f) => sum + f.early, 0);
  const delay = medianDelay(found.map((f) => f.delay));
  report.figure({ name: `${given.name} [${share.toFixed(2)} found; ${early} false]`, ...delay, unit: 'hours', goal });
  return delay.value;
};

const late = (hours: number, coverage: number): Case => ({
  name: `late by ${hours}, coverage ${coverage}`,
  unit: (random, changed) => ({
    loss: random() < (changed ? AFTER : BEFORE) ? 1 : 0,
    rejected: false,
    late: random() < coverage ? hours : null,
  }),
});

/** Errors are reported at once, what was right is found right only when it is opened. */
const badFirst = (hours: number, onlyMature: boolean): Case => ({
  name: `errors at once, the rest late by ${hours}${onlyMature ? ', only mature ones count' : ''}`,
  outcomes: { onlyMature },
  maturityDays: hours / 24,
  unit: (random, changed) => {
    const loss = random() < (changed ? AFTER : BEFORE) ? 1 : 0;
    return { loss, rejected: false, late: loss === 1 ? 0 : hours };
  },
});

/** Of what is rejected, 30 %, a quarter is wrongly; of the rest, 0.1 / 0.7 · 0.25 is wrong: together 0.1 before. */
const REJECTED = 0.3;
const selected = (name: string, outcomes: OutcomePolicy | undefined, quota: number): Case => ({
  name,
  ...(outcomes === undefined ? {} : { outcomes }),
  unit: (random, changed) => {
    const rejected = random() < REJECTED;
    const wrong = rejected ? 0.25 : (BEFORE - REJECTED * 0.25 + (changed ? AFTER - BEFORE : 0)) / (1 - REJECTED);
    const loss = random() < wrong ? 1 : 0;
    // Who is drawn by lot is known by its digest; outcomes of all are there, and the policy leaves out what nobody asked for.
    return { loss, rejected, late: rejected || outcomes !== undefined || random() < quota ? 0 : null };
  },
});

const weightedMean = (outcomes: readonly CountedOutcome[]): number =>
  outcomes.reduce((sum, o) => sum + (o.weight ?? 1) * o.loss, 0) /
  outcomes.reduce((sum, o) => sum + (o.weight ?? 1), 0);

/** Prints the mean loss that is said of the units before the change, beside the true one. */
const printBias = (report: GroupOptions['report'], given: Case): void => {
  const means = streams.map((s) => weightedMean(countedOf(given, s).filter((o) => hoursOf(o.knownTime) < STABLE)));
  const mean = meanOf(means);
  const error = Math.sqrt(meanOf(means.map((m) => (m - mean) ** 2)) / STREAMS);
  report.figure({
    name: `${given.name}: mean loss said, true ${BEFORE}`,
    value: mean,
    unit: '',
    goal: null,
    interval: [mean - 1.96 * error, mean + 1.96 * error],
  });
};

/**
 * Outcomes that come late, seldom, the bad ones first, or only of what is rejected: how much later a change is found than
 * with all of them at once, and whether what is said is biased. A goal of each delay: lateness + 1.2 · (records needed / coverage).
 */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  report.note(
    `${STREAMS} streams, one unit an hour, error rate ${BEFORE} to ${AFTER} after ${STABLE}; bound ${ALARM_AT}`,
  );
  const needed = print(report, late(0, 1), EXPECTED, null);
  for (const [hours, coverage] of [
    [100, 1],
    [500, 1],
    [0, 0.5],
    [100, 0.5],
    [500, 0.2],
  ] as const)
    print(report, late(hours, coverage), EXPECTED, hours + 1.2 * (needed / coverage));
  const dummy = periodicAlarms(STABLE + CHANGED, 1000).find((at) => at > STABLE) as number;
  report.note(`a dummy that alarms every 1000: delay ${dummy - STABLE}, ${STREAMS * 2} false`);
  print(report, badFirst(500, false), EXPECTED, null);
  print(report, badFirst(500, true), EXPECTED, 500 + 1.2 * needed);
  report.note(`only rejects (${100 * REJECTED} %) are inspected; the change is in what is not rejected`);
  const naive = selected('rejects and 10 %, unweighted', undefined, 0.1);
  const weighted = selected('rejects and 10 % by lot, weighed', { inspected: 'rejects', quota: 0.1 }, 0.1);
  for (const given of [naive, weighted]) printBias(report, given);
  print(report, naive, EXPECTED, null);
  print(report, weighted, EXPECTED, null);
};
