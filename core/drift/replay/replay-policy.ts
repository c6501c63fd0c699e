import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { WindowEvidence } from '../../contracts/drift.ts';
import type { DriftFold } from '../../contracts/drift-fold.ts';
import type { LineState } from '../../contracts/judgement.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { judgeEvidence, type LineFacts } from '../../outcomes/line-evidence.ts';
import { compareText } from '../../text/compare.ts';
import { changesOf } from '../decision/change-evidence.ts';
import type { FeatureEvidence, RetrainEvidence } from '../decision/decision-machine.ts';
import { isAlarm } from '../decision/told.ts';
import { foldWindow } from '../device/device-fold.ts';
import type { DeviceState } from '../device/device-state.ts';
import { featureEvidence } from '../device/feature-evidence.ts';
import { type WindowsByName, windowsOf } from './fold-chain.ts';

/** What a device sent in the past. */
export interface RecordedDevice {
  readonly baseline: BaselineSpec;
  /** From its first fold on. */
  readonly chain: readonly DriftFold[];
  readonly windows: WindowsByName;
}

/**
 * What is known of a line; its outcomes are taken in the order in which they became known. What bears on it of its site
 * depends on the policy: changes of machines are those that the folds of its devices tell of.
 */
export type RecordedLine = Omit<LineFacts, 'policy' | 'features' | 'retrains' | 'changes'>;

/** Somebody would have been called. Times are of the source, and of outcomes when they became known. */
export interface ReplayedAlarm {
  readonly at: string;
  readonly says: string;
}

export interface Replayed {
  readonly windows: number;
  readonly outcomes: number;
  readonly alarms: readonly ReplayedAlarm[];
  readonly retrains: readonly { readonly at: string; readonly reason: string }[];
  /** Windows that had no vote for their data. */
  readonly held: number;
  /** Times that labels, operators or a plan were asked for. */
  readonly asks: number;
  /** State of the line from when on. */
  readonly states: readonly { readonly at: string; readonly state: LineState }[];
  /** Kind of each window by device, in order. */
  readonly kinds: readonly { readonly device: string; readonly evidence: WindowEvidence }[];
}

type Step =
  | { readonly at: string; readonly evidence: WindowEvidence }
  | { readonly at: string; readonly outcome: LineFacts['outcomes'][number] };

/** Folds what a device sent by another policy. A fold whose windows are gone ends what can be replayed of the device. */
export const refold = ({ baseline, chain, windows }: RecordedDevice, policy: JudgingPolicy): WindowEvidence[] => {
  const evidence: WindowEvidence[] = [];
  let state: DeviceState | null = null;
  for (const { evidence: recorded, events } of chain) {
    const found = windowsOf(recorded, windows);
    if (found === null) break;
    const folded = foldWindow(state, found, { baseline, policy, events, held: recorded.held });
    state = folded.state;
    evidence.push(folded.evidence);
  }
  return evidence;
};

/**
 * What a policy would have done with the windows and outcomes of the past. What was recorded goes on with the model that
 * served, so a retrain that the policy asks for counts as one in vain: its cooldown applies, and it asks again after.
 */
export const replayPolicy = (
  line: RecordedLine,
  devices: readonly RecordedDevice[],
  policy: JudgingPolicy,
): Replayed => {
  const kinds = devices.flatMap((d) => refold(d, policy).map((evidence) => ({ device: evidence.device, evidence })));
  const steps: Step[] = [
    ...kinds.map(({ evidence }) => ({ at: evidence.to, evidence })),
    ...line.outcomes.map((outcome) => ({ at: outcome.knownTime, outcome })),
  ].sort((a, b) => compareText(a.at, b.at));
  const servedSince = line.served.map((s) => s.lastAt).sort()[0] ?? kinds.map((k) => k.evidence.to).sort()[0] ?? null;
  const events = devices.flatMap((d) => d.chain.flatMap((f) => f.events));
  const changes = changesOf(policy, events, servedSince);
  const features = new Map<string, FeatureEvidence>();
  const outcomes: LineFacts['outcomes'][number][] = [];
  const retrains: RetrainEvidence[] = [];
  const asked: Replayed['retrains'][number][] = [];
  const alarms: ReplayedAlarm[] = [];
  const states: Replayed['states'][number][] = [];
  let asks = 0;
  let lastAsk: string | null = null;
  for (const step of steps) {
    if ('outcome' in step) outcomes.push(step.outcome);
    else {
      const { device, kind, says } = step.evidence;
      const before = features.get(device)?.kind;
      features.set(device, featureEvidence(step.evidence, step.at, policy));
      if (kind === 'serious' && before !== 'serious') alarms.push({ at: step.at, says: `${device}: ${says[0]}` });
      if (kind === 'steady' && before === 'steady') continue;
    }
    const facts: LineFacts = {
      ...{ ...line, policy, outcomes, features: [...features.values()], retrains },
      served: line.served.filter((s) => s.lastAt <= step.at),
      labels: line.labels.filter((l) => l.until <= step.at),
      changes: changes.filter((c) => c.knownTime <= step.at),
    };
    const { judgement, askedAt } = judgeEvidence(facts);
    // The first sentence is of outcomes; where inputs call, the second says so.
    const why = judgement.reasons.slice(0, 2).join('; ');
    const from = states.at(-1)?.state ?? 'HEALTHY';
    if (judgement.state !== from || states.length === 0) states.push({ at: step.at, state: judgement.state });
    if (isAlarm(from, judgement.state)) alarms.push({ at: step.at, says: `line is ${judgement.state}: ${why}` });
    const action = judgement.action ?? judgement.wouldHave ?? null;
    const ask = action === null || action.kind === 'retrain' ? null : action.kind;
    if (ask !== null && ask !== lastAsk) asks += 1;
    lastAsk = ask;
    if (action?.kind !== 'retrain' || (askedAt === null && judgement.wouldHave == null)) continue;
    const requestId = action.requestId ?? `shadow-${asked.length + 1}`;
    if (retrains.some((r) => r.requestId === requestId)) continue;
    asked.push({ at: step.at, reason: why });
    retrains.push({ requestId, at: askedAt ?? step.at, outcome: 'refused' });
  }
  return {
    windows: kinds.length,
    outcomes: outcomes.length,
    alarms,
    retrains: asked,
    held: kinds.filter(({ evidence }) => evidence.kind === 'data-quality').length,
    asks,
    states,
    kinds,
  };
};
