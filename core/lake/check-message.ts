import type { z } from 'zod';
import { digestTopic, FeatureDigest } from '../contracts/device.ts';
import { ContractError, parseAs } from '../contracts/errors.ts';
import type { LakeRow, LandedTableName } from '../contracts/lake-tables.ts';
import { ObservationMessage, observationTopic } from '../contracts/observation.ts';
import { QualityMessage, qualityTopic } from '../contracts/quality.ts';
import type { QuarantineClass } from '../contracts/quarantine.ts';
import { canonicalJson } from '../lineage/canonical-json.ts';
import { sameDimension, unitOf } from '../units/units.ts';
import { digestRows, observationRows, qualityRows } from './message-rows.ts';

/** A message that may land: `id` names it among those of its table, `content` what it says. */
export type GoodMessage = {
  [N in LandedTableName]: {
    readonly ok: true;
    readonly table: N;
    readonly site: string;
    readonly id: string;
    readonly content: string;
    readonly rows: readonly LakeRow<N>[];
  };
}[LandedTableName];

export interface BadMessage {
  readonly ok: false;
  readonly class: QuarantineClass;
  readonly reason: string;
}

/** What a message is checked against. */
export interface MessageRules {
  readonly stage: string;
  /** Units that published use cases give signals of this name; none when no use case knows it. */
  readonly unitsOf: (signal: string) => readonly string[];
}

const REASON_LENGTH = 400;
const bad = (kind: QuarantineClass, reason: string): BadMessage => ({
  ok: false,
  class: kind,
  reason: reason.slice(0, REASON_LENGTH),
});

type Sender = { readonly site: string; readonly device: string };
type Kind = 'digest' | 'observations' | 'quality';

const TOPIC = /^millwright\/([^/]+)\/([^/]+)\/([^/]+)\/(digest|observations|quality)$/;
const TOPIC_OF = { digest: digestTopic, observations: observationTopic, quality: qualityTopic } as const;

/** Throws what `checkMessage` answers as bad. */
class Wrong extends Error {
  readonly kind: QuarantineClass;
  constructor(kind: QuarantineClass, reason: string) {
    super(reason);
    this.name = 'Wrong';
    this.kind = kind;
  }
}

const read = <T extends Sender>(schema: z.ZodType<T>, document: unknown, topic: string, isOwn: (m: T) => string): T => {
  const message = parseAs(schema, document, `message on ${topic}`);
  const own = isOwn(message);
  if (own !== topic)
    throw new Wrong('sender', `a message of ${message.site}/${message.device} came on ${topic}, expected ${own}`);
  return message;
};

const checkUnits = (message: ObservationMessage, { unitsOf }: MessageRules): void => {
  for (const { asset, signal, unit } of message.series) {
    if (unitOf(unit) === undefined)
      throw new Wrong('unit', `"${unit}" of ${asset}/${signal} is no unit that is known: send a UCUM code`);
    const known = unitsOf(signal);
    if (known.length > 0 && !known.some((u) => sameDimension(u, unit)))
      throw new Wrong('unit', `"${unit}" of ${asset}/${signal} measures something else than ${known.join(' or ')}`);
  }
};

const good = (kind: Kind, document: unknown, topic: string, rules: MessageRules): GoodMessage => {
  const own = (m: Sender): string => TOPIC_OF[kind](rules.stage, m.site, m.device);
  switch (kind) {
    case 'observations': {
      const m = read(ObservationMessage, document, topic, own);
      checkUnits(m, rules);
      const { site } = m;
      const id = `${site}/${m.device}/${m.boot}/${m.sequence}`;
      return { ok: true, table: 'observations', site, id, content: canonicalJson(m), rows: observationRows(m) };
    }
    case 'quality': {
      const m = read(QualityMessage, document, topic, own);
      const { site } = m;
      const stray = m.findings.find((f) => f.site !== site);
      if (stray !== undefined)
        throw new Wrong('sender', `a finding of ${stray.asset} is of site ${stray.site}, the message is of ${site}`);
      const id = `${site}/${m.device}/${m.boot}/${m.sequence}`;
      return { ok: true, table: 'quality', site, id, content: canonicalJson(m), rows: qualityRows(m) };
    }
    case 'digest': {
      const m = read(FeatureDigest, document, topic, own);
      const { site } = m;
      const name = [m.modelLine.replace('/', '~'), m.packageDigest, m.windowStart, m.windowEnd, m.part].join('~');
      const id = `${site}/${m.device}/${m.boot}/${name}`;
      return { ok: true, table: 'telemetry', site, id, content: canonicalJson(m), rows: digestRows(m) };
    }
  }
};

/**
 * Checks a small message of a device: JSON, its contract, that it speaks for the device on whose topic it came (the
 * device's certificate is bound to that), and that its units are known and of the dimension of the signal.
 * @param text the message as it was published. @param topic the topic that the rule saw.
 */
export const checkMessage = (text: string, topic: string, rules: MessageRules): GoodMessage | BadMessage => {
  const [, stage, , , kind] = TOPIC.exec(topic) ?? [];
  if (kind === undefined || stage !== rules.stage)
    return bad('sender', `it came on ${topic}, expected millwright/${rules.stage}/<site>/<device>/<kind>`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return bad('not-json', `not JSON: ${(error as Error).message}`);
  }
  try {
    return good(kind as Kind, document, topic, rules);
  } catch (error) {
    if (error instanceof Wrong) return bad(error.kind, error.message);
    if (error instanceof ContractError) return bad('contract', error.message);
    throw error;
  }
};

/** Site of a topic of a device; null for any other topic. */
export const siteOfTopic = (topic: string | null): string | null => TOPIC.exec(topic ?? '')?.[2] ?? null;
