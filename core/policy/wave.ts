import type { DeviceReport } from '../contracts/device.ts';
import type { WaveResult } from '../contracts/release.ts';
import type { UseCase } from '../contracts/use-case.ts';

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

export interface WaveInput {
  readonly ring: number;
  readonly thingGroup: string;
  readonly deploymentId: string | null;
  readonly packageDigest: string;
  readonly policy: UseCase['rollout'];
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
  if (serving?.packageDigest === input.packageDigest) return { ...seen, status: silent ? 'offline' : 'adopted' };
  const nothing = { ...seen, decisions: 0, fallbackShare: 0, p99Ms: null };
  const refusal = report?.lastRefusal ?? null;
  if (
    report !== null &&
    refusal !== null &&
    refusal.packageDigest === input.packageDigest &&
    inCloudTime(refusal.at, report.at, receivedAt) >= input.deployedAt
  )
    return { ...nothing, status: 'refused', why: refusal.reason };
  if (d.deploymentStatus !== null && FAILED.has(d.deploymentStatus))
    return { ...nothing, status: 'failed', why: d.deploymentReason ?? d.deploymentStatus };
  return { ...nothing, status: silent ? 'offline' : 'waiting' };
};

/**
 * Where a ring stands. One device that refuses, fails or falls back too often reverts the ring; it goes on when every
 * device that is online serves the package, has decided often enough and the bake time is over. At the timeout, devices
 * that are offline are declared done (they join at the right version) if at least one device has proved the package.
 */
export const judgeWave = (input: WaveInput): WaveResult => {
  const { policy } = input;
  const judged = input.devices.map((d) => judge(d, input));
  const reasons: string[] = [];
  const answer = (verdict: WaveResult['verdict']): WaveResult => ({
    ring: input.ring,
    thingGroup: input.thingGroup,
    deploymentId: input.deploymentId,
    verdict,
    devices: judged.map(({ why: _, ...device }) => device),
    reasons,
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
  if (reasons.length > 0) return answer('revert');
  const age = seconds(input.deployedAt, input.now);
  const online = judged.filter((d) => d.status !== 'offline');
  if (age >= policy.bakeSeconds && judged.every((d) => proven.includes(d))) {
    reasons.push(`${proven.length} of ${judged.length} devices serve it and have decided enough`);
    return answer('continue');
  }
  if (age < policy.waveTimeoutSeconds) {
    reasons.push(`${proven.length} of ${judged.length} devices have proved it after ${Math.round(age)} s`);
    return answer('wait');
  }
  if (proven.length > 0 && online.every((d) => proven.includes(d))) {
    reasons.push(`${judged.length - online.length} of ${judged.length} devices are offline and join later`);
    return answer('continue');
  }
  const late = online.filter((d) => !proven.includes(d));
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
