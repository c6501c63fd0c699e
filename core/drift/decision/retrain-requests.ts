import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { digestOf } from '../../lineage/digest.ts';
import type { LineEvidence, RetrainEvidence } from './evidence.ts';

/** A retrain of the judged champion; `asked`: by this very judgement, nobody knows of it yet. */
export interface Request {
  readonly requestId: string;
  readonly at: string;
  readonly outcome: RetrainEvidence['outcome'] | 'asked';
}

const DAY_MS = 86_400_000;
const WAITING: readonly Request['outcome'][] = ['asked', 'running', 'candidate'];

/** Id of the n-th retrain (from 1) that the machine asks for under a champion: the same whoever asks, and however often. */
export const retrainRequestId = (modelLine: string, packageDigest: string, ordinal: number): string =>
  `drift-${digestOf({ modelLine, ordinal, packageDigest }).slice('sha256:'.length, 'sha256:'.length + 16)}`;

/** Whether the newest request runs, or its candidate is being released. */
export const isWaiting = (requests: readonly Request[]): boolean => {
  const last = requests.at(-1);
  return last !== undefined && WAITING.includes(last.outcome);
};

/** Consecutive requests at the end that made no champion. */
const inVain = (requests: readonly Request[]): number =>
  requests.length - 1 - requests.findLastIndex((r) => WAITING.includes(r.outcome));

/** End of the cooldown after the newest request, in ms since the epoch; 0 when there is none. */
export const coolUntil = (requests: readonly Request[], days: number): number => {
  const vain = inVain(requests);
  const last = requests.at(-1);
  return last === undefined || vain === 0 ? 0 : Date.parse(last.at) + days * DAY_MS * 2 ** (vain - 1);
};

/** The retrains of a line: which were asked for under the judged champion, and whether another one may be. */
export class RetrainBook {
  readonly #policy: JudgingPolicy;
  readonly #idOf: (ordinal: number) => string;
  readonly #known: ReadonlyMap<string, RetrainEvidence>;
  /** Asked for under the judged champion, the first one first. */
  readonly own: readonly RetrainEvidence[];
  /** Asked for under other champions. */
  readonly others: readonly RetrainEvidence[];

  constructor({ modelLine, packageDigest, policy, retrains }: LineEvidence) {
    this.#policy = policy;
    this.#idOf = (ordinal) => retrainRequestId(modelLine, packageDigest, ordinal);
    this.#known = new Map(retrains.map((r) => [r.requestId, r]));
    const own: RetrainEvidence[] = [];
    for (let r = this.#known.get(this.#idOf(1)); r !== undefined; r = this.#known.get(this.#idOf(own.length + 1)))
      own.push(r);
    this.own = own;
    this.others = retrains.filter((r) => !own.includes(r));
  }

  /** Whether the budget of retrains is spent. @param now event time. */
  isSpent(requests: readonly Request[], now: string): boolean {
    const { budgetDays, maxRetrains } = this.#policy;
    const since = Date.parse(now) - budgetDays * DAY_MS;
    return [...this.others, ...requests].filter((r) => Date.parse(r.at) > since).length >= maxRetrains;
  }

  /** @returns the requests with one more, unless one is under way, the line rests, or the budget is spent. */
  ask(requests: readonly Request[], now: string): readonly Request[] {
    const resting = Date.parse(now) < coolUntil(requests, this.#policy.cooldownDays);
    if (isWaiting(requests) || resting || this.isSpent(requests, now)) return requests;
    const requestId = this.#idOf(requests.length + 1);
    const found = this.#known.get(requestId);
    const at = found !== undefined && found.at < now ? found.at : now;
    return [...requests, { requestId, at, outcome: found?.outcome ?? 'asked' }];
  }
}
