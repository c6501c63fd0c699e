import type { DeviceReport } from '../contracts/device.ts';
import type { WaveResult } from '../contracts/release.ts';
import type { UseCase } from '../contracts/use-case.ts';
import { few } from '../text/few.ts';
import { type ShadowTestResult, shadowTest } from './shadow-test.ts';

/** What is known of one device of the ring. */
export interface WaveDevice {
  readonly device: string;
  /** Its newest report for this line; null when it never spoke. */
  readonly report: DeviceReport | null;
  /** When that report came, by the cloud's clock: the device's own may be wrong. */
  readonly receivedAt: string | null;
  /** Status of the ring's deployment on it, in Greengrass's words; null when it has not seen it. */
  readonly deploymentStatus: string | null;
  readonly deploymentReason?: string;
}

/** The champion that a package is held against, frame by frame. */
export interface ShadowPlan {
  readonly champion: string;
  /** Share of disagreement that the package's evaluation expects; null when it was not measured. */
  readonly expected: number | null;
  /** Assets on which the two are known to differ. */
  readonly differsOn: readonly string[];
}

export interface WaveInput {
  readonly ring: number;
  readonly thingGroup: string;
  readonly deploymentId: string | null;
  readonly packageDigest: string;
  readonly policy: UseCase['rollout'];
  /** Null: there is no champion, or this goes back to another package on purpose. */
  readonly shadow: ShadowPlan | null;
  /** ISO instants. */
  readonly deployedAt: string;
  readonly now: string;
  readonly devices: readonly WaveDevice[];
}

/** A device that has not reported for this long is taken as offline. */
const SILENT_SECONDS = 60;
const FAILED = new Set(['FAILED', 'REJECTED', 'TIMED_OUT', 'CANCELED']);

const ARRIVED = new Set(['SUCCEEDED', 'COMPLETED']);

const seconds = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / 1000;

const isSilent = (receivedAt: string | null, now: string): boolean =>
  receivedAt === null || seconds(receivedAt, now) > SILENT_SECONDS;

/**
 * An instant of the device by the cloud's clock. A report that was sent later than it came is of a clock that is ahead,
 * by that much at least; one that was sent before it came may be late or of a clock that is behind, and is taken as it is.
 */
const inCloudTime = (at: string, sentAt: string, receivedAt: string | null): string => {
  const ahead = receivedAt === null ? 0 : Math.max(0, Date.parse(sentAt) - Date.parse(receivedAt));
  return new Date(Date.parse(at) - ahead).toISOString();
};

const judge = (d: WaveDevice, input: WaveInput): WaveResult['devices'][number] & { why?: string } => {
  const { report, receivedAt } = d;
  const since = report?.sinceAdoption;
  const serving = report?.serving ?? null;
  const decisions = since === undefined ? 0 : since.decided + since.undecided + since.fallback + since.held;
  const seen = {
    device: d.device,
    decisions,
    fallbackShare: since === undefined || decisions === 0 ? 0 : since.fallback / decisions,
    p99Ms: since?.latencyP99Ms ?? null,
    variant: serving?.variant ?? null,
  };
  const silent = isSilent(receivedAt, input.now);
  const hasFailed = d.deploymentStatus !== null && FAILED.has(d.deploymentStatus);
  // Where the deployment failed, the nucleus takes the package away again.
  if (serving?.packageDigest === input.packageDigest && !hasFailed)
    return { ...seen, status: silent ? 'offline' : 'adopted' };
  const nothing = { ...seen, decisions: 0, fallbackShare: 0, p99Ms: null };
  const refusal = report?.lastRefusal ?? null;
  if (
    report !== null &&
    refusal !== null &&
    refusal.packageDigest === input.packageDigest &&
    inCloudTime(refusal.at, report.at, receivedAt) >= input.deployedAt
  )
    return { ...nothing, status: 'refused', why: refusal.reason };
  if (hasFailed) return { ...nothing, status: 'failed', why: d.deploymentReason ?? d.deploymentStatus ?? '' };
  return { ...nothing, status: silent ? 'offline' : 'waiting' };
};

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
const eValueOf = (value: number): string => (value >= 1e4 ? value.toExponential(1).replace('+', '') : String(value));

/** The comparison of a ring's devices with the champion; null when none of them can make one. */
const compare = (devices: readonly WaveDevice[], input: WaveInput): ShadowTestResult | null => {
  const { shadow, policy } = input;
  if (shadow === null) return null;
  const compared = devices.map(({ device, report }) => ({
    device,
    assets:
      report?.serving?.packageDigest === input.packageDigest && report.shadow?.packageDigest === shadow.champion
        ? report.shadow.assets
        : null,
  }));
  if (compared.every((d) => d.assets === null)) return null;
  const { expected, differsOn } = shadow;
  return shadowTest({ policy: policy.shadow, expected, differsOn, devices: compared });
};

const against = ({ far, ...test }: ShadowTestResult, policy: WaveInput['policy']): string =>
  `${few(far.devices, 3)} and the champion disagree on ${percent(far.disagreement ?? 0)} of ${far.frames} frames, ${percent(test.acceptable)} is acceptable (e-value ${eValueOf(test.against)} ≥ ${Math.round(1 / policy.shadow.alpha)})`;

const inFavour = (test: ShadowTestResult, policy: WaveInput['policy']): string =>
  `it agrees with the champion on ${percent(1 - (test.disagreement ?? 0))} of ${test.frames} frames (e-value ${eValueOf(test.inFavour)} ≥ ${Math.round(1 / policy.shadow.beta)})`;

/**
 * Where a ring stands. One device that refuses, fails or falls back too often reverts the ring, and so do decisions that
 * are further from the champion's than is acceptable. Evidence that they are not ends the wave at once when every device
 * that is online serves the package and has decided enough; those that are offline join at the right version. Where the
 * champion is no reference, the bake time decides: every device serves it, has decided enough, and the time is over.
 * At the timeout a comparison without an answer reverts; without a comparison, devices that are offline are declared done
 * if at least one device has proved the package.
 */
export const judgeWave = (input: WaveInput): WaveResult => {
  const { policy } = input;
  // What a device said before the deployment is of an earlier release, also where that was of the same package.
  const devices = input.devices.map((d) => ((d.receivedAt ?? '') < input.deployedAt ? { ...d, report: null } : d));
  const judged = devices.map((d) => judge(d, input));
  const test = compare(devices, input);
  const reasons: string[] = [];
  const answer = (verdict: WaveResult['verdict']): WaveResult => ({
    ring: input.ring,
    thingGroup: input.thingGroup,
    deploymentId: input.deploymentId,
    verdict,
    devices: judged.map(({ why: _, ...device }) => device),
    reasons,
    shadow:
      test === null || input.shadow === null
        ? null
        : {
            champion: input.shadow.champion,
            expected: test.acceptable,
            batches: test.batches,
            disagreement: test.disagreement,
            against: test.against,
            inFavour: test.inFavour,
            noReference: [...test.noReference],
          },
  });
  if (judged.length === 0 || input.deploymentId === null) {
    reasons.push(judged.length === 0 ? 'no device in the ring' : 'the ring is not commissioned: nothing was deployed');
    return answer('empty');
  }
  for (const d of judged)
    if (d.status === 'refused' || d.status === 'failed') reasons.push(`${d.device} ${d.status}: ${d.why}`);
  const proven = judged.filter((d) => d.status === 'adopted' && d.decisions >= policy.minDecisionsPerDevice);
  for (const d of proven)
    if (d.fallbackShare > policy.maxFallbackShare)
      reasons.push(
        `${d.device} fell back on ${d.fallbackShare.toFixed(3)} of its decisions, ${policy.maxFallbackShare} is allowed`,
      );
  if (test?.verdict === 'against') reasons.push(against(test, policy));
  if (reasons.length > 0) return answer('revert');
  const age = seconds(input.deployedAt, input.now);
  const online = judged.filter((d) => d.status !== 'offline');
  const isProven = online.length > 0 && online.every((d) => proven.includes(d));
  const joinLater = `${judged.length - online.length} of ${judged.length} devices are offline and join later`;
  if (test?.verdict === 'in-favour' && isProven) {
    reasons.push(inFavour(test, policy), ...(online.length < judged.length ? [joinLater] : []));
    return answer('continue');
  }
  const isCompared = test !== null && test.verdict !== 'no-reference';
  if (test?.verdict === 'no-reference')
    reasons.push(`no reference: ${test.noReference.join(', ') || 'the two may differ on nearly every frame'}`);
  if (!isCompared && age >= policy.bakeSeconds && judged.every((d) => proven.includes(d))) {
    reasons.unshift(`${proven.length} of ${judged.length} devices serve it and have decided enough`);
    return answer('continue');
  }
  if (age < policy.waveTimeoutSeconds) {
    reasons.unshift(
      `${proven.length} of ${judged.length} devices have proved it after ${Math.round(age)} s${isCompared ? `; compared on ${test.frames} frames (e-value ${eValueOf(test.inFavour)} of ${Math.round(1 / policy.shadow.beta)})` : ''}`,
    );
    return answer('wait');
  }
  const late = online.filter((d) => !proven.includes(d));
  if (isCompared && isProven) {
    reasons.push(
      `not enough evidence within ${policy.waveTimeoutSeconds} s: compared with the champion on ${test.frames} frames (e-value ${eValueOf(test.inFavour)}, ${Math.round(1 / policy.shadow.beta)} is needed)`,
    );
    return answer('revert');
  }
  if (isProven) {
    reasons.unshift(joinLater);
    return answer('continue');
  }
  reasons.push(
    late.length === 0
      ? `no device was online within ${policy.waveTimeoutSeconds} s: nobody has proved the package`
      : `after ${policy.waveTimeoutSeconds} s: ${late.map((d) => `${d.device} is ${d.status} with ${d.decisions} of ${policy.minDecisionsPerDevice} decisions`).join(', ')}`,
  );
  return answer('revert');
};

export interface BackInput {
  /** Package that was taken back. */
  readonly packageDigest: string;
  /** Package that the ring had before; null when it had none. */
  readonly back: string | null;
  /** ISO instants. */
  readonly revertedAt: string;
  readonly now: string;
  /** How long devices that are online may take. */
  readonly withinSeconds: number;
  /** With the status of the deployment that goes back. */
  readonly devices: readonly WaveDevice[];
}

/** A device that has not confirmed that it is as before. */
export interface NotBack {
  readonly device: string;
  readonly why: string;
  readonly online: boolean;
}

/**
 * Who of a reverted ring is as before. A device confirms by its deployment and by a report since then: with a package
 * before the release, that it serves that one; without, that it serves the package of the release no longer. Devices that
 * are offline are not waited for: their nucleus brings them back when they return.
 */
export const judgeBack = (
  input: BackInput,
): { readonly verdict: 'wait' | 'done'; readonly notBack: readonly NotBack[] } => {
  const notBack: NotBack[] = [];
  let waiting = false;
  for (const { device, report, receivedAt, deploymentStatus, deploymentReason } of input.devices) {
    const serves = report?.serving?.packageDigest ?? null;
    const isRight = input.back === null ? serves !== input.packageDigest : serves === input.back;
    const hasArrived = deploymentStatus !== null && ARRIVED.has(deploymentStatus);
    if (isRight && hasArrived && receivedAt !== null && receivedAt >= input.revertedAt) continue;
    const online = !isSilent(receivedAt, input.now);
    const hasFailed = deploymentStatus !== null && FAILED.has(deploymentStatus);
    if (online && !hasFailed) waiting = true;
    const why = !online
      ? receivedAt === null
        ? 'it never reported'
        : `offline, last heard of at ${receivedAt}`
      : hasFailed
        ? `its way back failed: ${deploymentReason ?? deploymentStatus}; it serves ${serves ?? 'no package'}`
        : `it serves ${serves ?? 'no package'}, its deployment is ${deploymentStatus ?? 'not begun'}`;
    notBack.push({ device, why, online });
  }
  const isLate = seconds(input.revertedAt, input.now) >= input.withinSeconds;
  return { verdict: waiting && !isLate ? 'wait' : 'done', notBack };
};
