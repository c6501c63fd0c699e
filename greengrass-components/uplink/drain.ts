import { gzipSync } from 'node:zlib';
import type { UplinkConfig } from '#core/contracts/device.ts';
import { lakeKeys, MAX_FRAMES_SPAN } from '#core/contracts/lake.ts';
import { observationTopic } from '#core/contracts/observation.ts';
import { thingName } from '#core/contracts/release.ts';
import { decisionObject } from '#core/inference/decision-object.ts';
import type { Spool } from '../shared/spool.ts';

export interface DrainDeps {
  readonly spool: Spool;
  readonly config: UplinkConfig;
  /** Id of this device. */
  readonly device: string;
  /** Rejects when the lake did not take the object. */
  readonly put: (key: string, body: Uint8Array, contentType: string) => Promise<void>;
  /** Rejects when the nucleus did not take the message. */
  readonly publish: (topic: string, payload: string) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Frames are bulk: fewer, larger objects than decisions. */
const FRAMES_PER_DECISION_OBJECT = 4;
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const MESSAGES_AT_ONCE = 20;
/** Messages of observations, each below 5 kB: from the first number on they go as one object, the second at most. */
const MANY_OBSERVATIONS = 500;
const OBSERVATIONS_AT_ONCE = 1000;
const PLAN = 'uplink/plan';

/**
 * Uploads one object of decisions when enough wait, or the oldest waits long enough.
 * What an object holds is fixed before its first try, so that a repetition overwrites it and never overlaps it.
 * @returns true when it uploaded one.
 */
export const drainDecisions = async (deps: DrainDeps): Promise<boolean> => {
  const { spool, config } = deps;
  const plan = spool.getMeta(PLAN);
  const waiting = spool.decisionsToSend(config.uploadEvery, plan === null ? undefined : Number(plan));
  const [first] = waiting;
  const last = waiting.at(-1);
  if (first === undefined || last === undefined) {
    if (plan !== null) spool.deleteMeta(PLAN);
    return false;
  }
  if (
    plan === null &&
    waiting.length < config.uploadEvery &&
    deps.clock() - first.at < config.uploadSeconds * 1000 &&
    // A boot that ended gets no more decisions.
    !spool.hasLaterBoot(first.record.boot)
  )
    return false;
  spool.setMeta(PLAN, String(last.row));
  const object = decisionObject(
    config.stage,
    waiting.map((w) => w.record),
  );
  await deps.put(object.key, Buffer.from(object.body), 'application/x-ndjson');
  spool.transaction(() => {
    spool.markDecisionsSent(waiting.map((w) => w.row));
    spool.deleteMeta(PLAN);
    spool.sweep();
  });
  return true;
};

/**
 * Uploads frames of one run as one object. Overlapping objects do no harm: a frame counts once, by run and index.
 * @returns true when it uploaded one.
 */
export const drainFrames = async (deps: DrainDeps): Promise<boolean> => {
  const { spool, config } = deps;
  if (config.rawFrames === 'false') {
    spool.skipFrames();
    return false;
  }
  const limit = config.uploadEvery * FRAMES_PER_DECISION_OBJECT;
  const waiting = spool.framesToSend(limit, MAX_FRAME_BYTES);
  const [oldest] = waiting;
  if (oldest === undefined) return false;
  const full = waiting.length >= limit || waiting.reduce((sum, w) => sum + w.frame.length, 0) >= MAX_FRAME_BYTES / 2;
  if (!full && deps.clock() - oldest.at < config.uploadSeconds * FRAMES_PER_DECISION_OBJECT * 1000) return false;
  const { index: first } = waiting.reduce((a, b) => (b.index < a.index ? b : a));
  // What lies further on, as after hours of standstill, goes with the next object.
  const taken = waiting.filter(({ index }) => index < first + MAX_FRAMES_SPAN).sort((a, b) => a.index - b.index);
  const { site, asset, run } = JSON.parse(oldest.frame) as { site: string; asset: string; run: string };
  const key = lakeKeys.frames({
    site,
    asset,
    run,
    thing: thingName(config.stage, config.site, deps.device),
    first,
    last: taken.at(-1)?.index ?? first,
  });
  await deps.put(key, gzipSync(taken.map((w) => `${w.frame}\n`).join('')), 'application/gzip');
  spool.transaction(() => {
    spool.markFramesSent(taken.map((w) => w.row));
    spool.sweep();
  });
  return true;
};

/**
 * Uploads the newest messages of observations as one object where an outage left many, while the oldest are published:
 * a message lands once, however it comes.
 * @returns true when it uploaded one.
 */
export const drainObservations = async (deps: DrainDeps): Promise<boolean> => {
  const { spool, device } = deps;
  const { stage, site } = deps.config;
  const waiting = spool.newestMessages(observationTopic(stage, site, device), OBSERVATIONS_AT_ONCE);
  if (waiting.length < MANY_OBSERVATIONS) return false;
  const nameOf = (i: number): string => {
    const { boot, sequence } = JSON.parse(waiting.at(i)?.payload as string) as { boot: string; sequence: number };
    return `${boot}-${sequence}`;
  };
  const key = lakeKeys.observations({
    site,
    thing: thingName(stage, site, device),
    name: `${nameOf(0)}-${nameOf(-1)}`,
  });
  await deps.put(key, gzipSync(waiting.map((m) => `${m.payload}\n`).join('')), 'application/gzip');
  spool.transaction(() => {
    for (const m of waiting) spool.deleteMessage(m.row);
  });
  return true;
};

/**
 * Publishes messages in order; one that is not taken stays, and those behind it.
 * @returns true when it published any.
 */
export const drainMessages = async (deps: DrainDeps): Promise<boolean> => {
  const messages = deps.spool.messages(MESSAGES_AT_ONCE);
  for (const m of messages) {
    await deps.publish(m.topic, m.payload);
    deps.spool.deleteMessage(m.row);
  }
  return messages.length > 0;
};

/** Keeps the spool within its limits. @returns what was dropped now. */
export const enforceLimits = (deps: DrainDeps): ReturnType<Spool['enforce']> =>
  deps.spool.enforce(deps.config.maxSpoolMiB * 2 ** 20, deps.clock() - deps.config.maxSpoolDays * 86_400_000);

/** Pause before the next try after failures in a row, milliseconds: doubles from 1 s to 60 s. */
export const backoffMs = (failures: number): number => Math.min(60_000, 1000 * 2 ** Math.max(0, failures - 1));
