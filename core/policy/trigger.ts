import type { RetrainRecord, RetrainRequest } from '../contracts/retrain.ts';

/** A retrain the registry knows, with when its newest version was written. */
export interface KnownRetrain {
  readonly record: RetrainRecord;
  readonly at: string;
  /** False when its execution is known to have ended without a word, for example at a power cut. */
  readonly alive: boolean;
}

export interface TriggerPolicy {
  /** After a retrain that ended, how long drift and schedule wait before the next. */
  readonly cooldownSeconds: number;
  /** The same cause asked again within this time is the same question. */
  readonly debounceSeconds: number;
}

export type TriggerAnswer = { readonly go: true } | { readonly go: false; readonly why: string };

const secondsBetween = (earlier: string, later: string): number => (Date.parse(later) - Date.parse(earlier)) / 1000;

/**
 * Does this request start a retrain? At most one runs per line: the first that was written, then the smaller id.
 * A person overrides cooldown and debounce, never a twin that is running.
 * @param now ISO instant.
 * @param known retrains of all lines, this request's own record among them or not.
 */
export const resolveTrigger = (
  request: RetrainRequest,
  known: readonly KnownRetrain[],
  now: string,
  policy: TriggerPolicy,
): TriggerAnswer => {
  const own = known.find((k) => k.record.requestId === request.requestId);
  const others = known.filter(
    (k) => k.record.modelLine === request.modelLine && k.record.requestId !== request.requestId,
  );
  const isEarlier = (k: KnownRetrain): boolean =>
    own === undefined || k.at < own.at || (k.at === own.at && k.record.requestId < request.requestId);
  const twin = others.find((k) => k.record.status === 'running' && k.alive && isEarlier(k));
  if (twin !== undefined)
    return {
      go: false,
      why: `retrain ${twin.record.requestId} of ${request.modelLine} is already running (at ${twin.record.step}); wait for it to end`,
    };
  if (request.cause === 'person' || request.cause === 'first') return { go: true };
  for (const k of others) {
    if (k.record.status === 'running' || k.record.status === 'skipped') continue;
    const since = secondsBetween(k.at, now);
    if (k.record.cause === request.cause && since < policy.debounceSeconds)
      return { go: false, why: `${request.cause} already asked ${Math.round(since)} s ago (${k.record.requestId})` };
    if (since < policy.cooldownSeconds)
      return {
        go: false,
        why: `retrain ${k.record.requestId} ended ${Math.round(since)} s ago, cooldown is ${policy.cooldownSeconds} s; a person may override it`,
      };
  }
  return { go: true };
};
