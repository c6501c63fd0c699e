import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { ValidationLoss } from '#core/contracts/evaluation.ts';
import type { JoinedOutcomeRecord, LineState } from '#core/contracts/judgement.ts';
import type { Digest } from '#core/contracts/primitives.ts';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import type { FeatureEvidence, RetrainEvidence } from '#core/drift/decision/decision-machine.ts';
import { isAlarm, isTold } from '#core/drift/decision/told.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import type { DeviceState } from '#core/drift/device/device-state.ts';
import { featureEvidence } from '#core/drift/device/feature-evidence.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { judgeEvidence } from '#core/outcomes/line-evidence.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { validationLossOf } from '#core/policy/validation-loss.ts';
import { announcedState } from '../../lambdas/drift-evaluator/tell.ts';
import { baselineOfRows, windowOfRows } from './baseline-of-rows.ts';
import { normalsOf } from './streams.ts';

/** What may happen to a line: it loses more everywhere, on one machine, with a step of an input, or with wear. */
export const CHANGES = ['everywhere', 'one machine', 'input steps', 'wear'] as const;
export type Change = (typeof CHANGES)[number];

export interface FleetOptions {
  /** Lines to which nothing happens; the site has so many. */
  readonly lines: number;
  readonly days: number;
  /** Further lines that really change, once, between a quarter and a half of the time. */
  readonly changes: number;
  readonly policy: JudgingPolicy;
  readonly seed: number;
}

export interface Found {
  readonly change: Change;
  /** Null: not until the end. */
  readonly days: number | null;
  readonly by: string | null;
}

export interface FleetResult {
  /** Alarms with nothing changed, by what called. */
  readonly falseAlarms: Readonly<Record<string, number>>;
  /** Messages that owners got about the lines to which nothing happened. */
  readonly messages: number;
  readonly found: readonly Found[];
  readonly outcomes: number;
  readonly windows: number;
}

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const at = (day: number): string => new Date(START + Math.round(day * DAY)).toISOString();

const FEATURES = ['flow', 'load', 'speed', 'heat'] as const;
const ROWS = 100;
/** Rows are like those before, and features have something in common. */
const AUTOCORRELATION = 0.5;
const COMMON = 0.6;
const BASELINES = 8;
const SEALED_RUNS = 60;
const ASSETS = 3;
const WINDOW_DAYS = 3;
/** Each outcome on the way is seen all the same: who only counts calls need not look each day. */
const JUDGE_DAYS = { changing: 7, steady: 28 } as const;

interface Chance {
  readonly uniform: () => number;
  readonly normal: () => number;
}
const chanceOf = (seed: number): Chance => {
  const uniform = seededRandom(seed);
  return { uniform, normal: normalsOf(uniform) };
};

/** Standard normal features, each row like the one before. */
const machine = ({ normal }: Chance) => {
  const step = (before: number): number => AUTOCORRELATION * before + Math.sqrt(1 - AUTOCORRELATION ** 2) * normal();
  let common = normal();
  let own = FEATURES.map(() => normal());
  return (shift: number): number[] => {
    common = step(common);
    own = own.map(step);
    return own.map((x, i) => COMMON * common + Math.sqrt(1 - COMMON ** 2) * x + (i === 2 ? shift : 0));
  };
};

const baselines = new Map<number, BaselineSpec>();
const baselineOf = (seed: number): BaselineSpec => {
  const known = baselines.get(seed);
  if (known !== undefined) return known;
  const next = machine(chanceOf(seed));
  const rows = Array.from({ length: 120 * ROWS }, () => next(0));
  const made = baselineOfRows(FEATURES, { rows, window: ROWS, cells: 10 });
  baselines.set(seed, made);
  return made;
};

/** What a change does, days after it began. */
const effectOf = (change: Change | null, asset: number, since: number): { loss: number; shift: number } => {
  if (change === null || since < 0) return { loss: 0, shift: 0 };
  switch (change) {
    case 'everywhere':
      return { loss: 0.25, shift: 0 };
    case 'one machine':
      return { loss: asset === 1 ? 0.5 : 0, shift: 0 };
    case 'input steps':
      return { loss: 0.2, shift: 1 };
    case 'wear':
      return { loss: 0.003 * since, shift: 0.02 * since };
  }
};

/** One line for some time: an outcome a day, a window of inputs every third, judged by what the platform judges with. */
class Line {
  readonly #modelLine: string;
  readonly #of: FleetOptions;
  readonly #chance: Chance;
  readonly #next: (shift: number) => number[];
  readonly #change: Change | null;
  readonly #changesAt: number;
  readonly #meanLoss: number;
  #baseline: BaselineSpec;
  #packageDigest: Digest;
  #validationLoss: ValidationLoss | null;
  #outcomes: JoinedOutcomeRecord[] = [];
  readonly #pending: JoinedOutcomeRecord[] = [];
  #retrains: RetrainEvidence[] = [];
  #device: DeviceState | null = null;
  #seen: FeatureEvidence | null = null;
  #announced: ReturnType<typeof announcedState> = 'steady';
  #state: LineState = 'HEALTHY';
  #judged = 0;
  #learntAt: number | null = null;
  #asked: { readonly requestId: string; readonly endsAt: number } | null = null;
  readonly alarms: { readonly day: number; readonly by: string }[] = [];
  outcomes = 0;
  messages = 0;

  constructor(number: number, change: Change | null, of: FleetOptions) {
    this.#modelLine = `bench/line-${number}`;
    this.#of = of;
    this.#chance = chanceOf(of.seed * 100_003 + number);
    this.#next = machine(this.#chance);
    this.#change = change;
    this.#changesAt = of.days * (0.25 + 0.25 * this.#chance.uniform());
    this.#meanLoss = 0.08 + 0.08 * this.#chance.uniform();
    this.#baseline = baselineOf(of.seed * 1009 + (number % BASELINES));
    this.#packageDigest = digestOf({ number, champion: 1 });
    this.#validationLoss = this.#validated();
  }

  #loss(asset: number, more: number): number {
    const mean = this.#meanLoss * (1 + 0.1 * (asset - 1)) + more;
    return Math.min(1, -mean * Math.log(1 - this.#chance.uniform()));
  }

  #validated(): ValidationLoss | null {
    const runs = Array.from({ length: SEALED_RUNS }, (_, i) => ({
      run: `r${i}`,
      rows: 1,
      sumLoss: this.#loss(i % ASSETS, 0),
    }));
    // By chance of its own: the life of a line does not depend on how many resamples its bound is made of.
    return validationLossOf(runs, seededRandom(this.#chance.uniform() * 2 ** 32));
  }

  #effect(asset: number, day: number): { loss: number; shift: number } {
    return this.#learntAt === null ? effectOf(this.#change, asset, day - this.#changesAt) : effectOf(null, asset, 0);
  }

  get changesAt(): number {
    return this.#changesAt;
  }
  #facts(served: readonly JoinedOutcomeRecord[]) {
    return {
      modelLine: this.#modelLine,
      site: 'plant-a',
      packageDigest: this.#packageDigest,
      policy: this.#of.policy,
      validationLoss: this.#validationLoss,
      outcomes: this.#outcomes,
      features: this.#seen === null ? [] : [this.#seen],
      served: served.map((o) => ({ unit: `${o.asset}/${o.run}`, lastAt: o.validTime })),
      retrains: this.#retrains,
      labels: [],
      ...(this.#of.policy.drift?.alertsPerMonth === undefined ? {} : { lines: this.#of.lines }),
    };
  }

  #call(day: number, from: LineState, to: LineState): LineState {
    if (isAlarm(from, to)) this.alarms.push({ day, by: to });
    return to;
  }

  #judge(day: number): void {
    const { judgement, askedAt, path } = judgeEvidence(this.#facts([...this.#outcomes, ...this.#pending]));
    const tell = (from: LineState, to: LineState): void => {
      if (from !== to && isTold(from, { ...judgement, state: to }, this.#of.policy)) this.messages += 1;
    };
    for (let i = this.#judged; i < path.length; i++) tell(path[i - 1]?.state ?? 'HEALTHY', path[i]?.state ?? 'HEALTHY');
    if (judgement.state !== path.at(-1)?.state) tell(this.#state, judgement.state);
    // Path states say what outcomes alone say: where they say nothing, inputs may have called before.
    for (const [i, step] of path.entries())
      if (i >= this.#judged && step.state !== 'HEALTHY') {
        const known = Date.parse(this.#knownAt(step.unit)) / DAY - START / DAY;
        this.#state = this.#call(known, this.#state, step.state);
      }
    this.#judged = path.length;
    this.#state = this.#call(day, this.#state, judgement.state);
    const requestId = judgement.action?.kind === 'retrain' ? judgement.action.requestId : null;
    if (requestId === null || askedAt === null) return;
    this.#retrains = [...this.#retrains, { requestId, at: askedAt, outcome: 'running' }];
    this.#asked = { requestId, endsAt: day + 2 };
  }

  #knownAt(unit: string): string {
    return this.#outcomes.find((o) => `${o.asset}/${o.run}` === unit)?.knownTime ?? at(0);
  }

  /** A retrain makes a better model where something changed, and is refused by the gate where nothing did. */
  #endRetrain(day: number): void {
    if (this.#asked === null || day < this.#asked.endsAt) return;
    const { requestId } = this.#asked;
    this.#asked = null;
    const changed = this.#change !== null && day >= this.#changesAt && this.#learntAt === null;
    const packageDigest = digestOf({ requestId });
    this.#retrains = this.#retrains.map((r) =>
      r.requestId !== requestId
        ? r
        : changed
          ? { ...r, outcome: 'candidate', released: packageDigest }
          : { ...r, outcome: 'refused' },
    );
    if (!changed) return;
    this.#learntAt = day;
    this.#packageDigest = packageDigest;
    this.#validationLoss = this.#validated();
    this.#baseline = baselineOf(this.#of.seed * 1009 + BASELINES);
    this.#outcomes = [];
    this.#pending.length = 0;
    this.#device = null;
    this.#seen = null;
    this.#judged = 0;
  }

  /** A unit ends each day; what became of it is known some days later. */
  #work(day: number): void {
    const asset = day % ASSETS;
    const known = day + Math.min(20, -4 * Math.log(1 - this.#chance.uniform()));
    this.#pending.push({
      schema: 'outcome-judgement/2',
      modelLine: this.#modelLine,
      site: 'plant-a',
      packageDigest: this.#packageDigest,
      asset: `m${asset}`,
      run: `r${day}`,
      end: 'failed',
      endedAt: 100,
      validTime: at(day),
      knownTime: at(known),
      events: [`e${day}`],
      decisions: 100,
      withValue: 100,
      loss: this.#loss(asset, this.#effect(asset, day).loss),
      rmse: null,
      lastError: null,
    });
    const now = at(day);
    const ready = this.#pending.filter((o) => o.knownTime <= now);
    for (const outcome of ready) this.#pending.splice(this.#pending.indexOf(outcome), 1);
    this.#outcomes = [...this.#outcomes, ...ready];
    this.outcomes += ready.length;
  }

  /** @returns whether the line is to be judged for it. */
  #watch(day: number): boolean {
    const { shift } = this.#effect(0, day);
    const rows = Array.from({ length: ROWS }, () => this.#next(shift));
    const window = windowOfRows(this.#baseline, {
      rows,
      sequence: 1 + (day / WINDOW_DAYS) * ROWS,
      at: START + day * DAY,
      every: (WINDOW_DAYS * DAY) / ROWS,
    });
    const folded = foldWindow(this.#device, [window], {
      baseline: this.#baseline,
      policy: this.#of.policy,
      events: [],
      held: [],
    });
    this.#device = folded.state;
    const announced = announcedState(folded.evidence);
    if (announced === 'drifted' && this.#announced !== 'drifted') {
      this.alarms.push({ day, by: 'device drifted' });
      this.messages += 1;
    }
    const isNews = announced !== 'steady' || this.#announced !== 'steady';
    this.#announced = announced;
    this.#seen = featureEvidence(folded.evidence, at(day), this.#of.policy);
    return isNews;
  }

  live(): this {
    const every = this.#change === null ? JUDGE_DAYS.steady : JUDGE_DAYS.changing;
    for (let day = 0; day < this.#of.days; day++) {
      this.#endRetrain(day);
      this.#work(day);
      const isNews = day % WINDOW_DAYS === 0 && this.#watch(day);
      if (isNews || day % every === every - 1) this.#judge(day);
    }
    return this;
  }
}

/** A fleet of model lines for some time, of which a few really change. */
export const simulateFleet = (of: FleetOptions): FleetResult => {
  const falseAlarms: Record<string, number> = {};
  const found: Found[] = [];
  let outcomes = 0;
  let messages = 0;
  for (let n = 0; n < of.lines + of.changes; n++) {
    const change = n < of.lines ? null : (CHANGES[(n - of.lines) % CHANGES.length] as Change);
    const line = new Line(n, change, of).live();
    outcomes += line.outcomes;
    if (change === null) messages += line.messages;
    const isReal = ({ day }: { readonly day: number }) => change !== null && day >= line.changesAt;
    for (const { by } of line.alarms.filter((a) => !isReal(a))) falseAlarms[by] = (falseAlarms[by] ?? 0) + 1;
    if (change === null) continue;
    const first = line.alarms.find(isReal);
    found.push({ change, days: first === undefined ? null : first.day - line.changesAt, by: first?.by ?? null });
  }
  return {
    falseAlarms,
    messages,
    found,
    outcomes,
    windows: (of.lines + of.changes) * Math.ceil(of.days / WINDOW_DAYS),
  };
};
