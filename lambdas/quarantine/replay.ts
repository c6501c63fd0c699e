import type { ReplayAnswer } from '#core/contracts/quarantine.ts';
import type { GoodMessage, MessageRules } from '#core/lake/check-message.ts';
import { originalOf, type QuarantineSource } from '#core/lake/quarantine.ts';
import { checkTopicMessage } from '../shared/check-messages.ts';
import { readFrames } from '../shared/frames.ts';
import { landMessages } from '../shared/land-messages.ts';
import type { LandingDeps } from '../shared/landing.ts';
import { readObservationUpload } from '../shared/observation-upload.ts';
import { readQuarantinedMessages } from '../shared/quarantine-messages.ts';
import type { Queues } from '../shared/queues.ts';
import { readAside } from './read-object.ts';

export interface Deps extends LandingDeps {
  readonly queues: Queues;
  readonly lakeBucket: string;
  /** Queues of those who take uploads, by what they take. */
  readonly queueUrls: Readonly<Record<'frames' | 'events' | 'decisions', string>>;
}

export type Outcome = Omit<ReplayAnswer['replays'][number]['result'], 'at' | 'by'> & {
  readonly stillBad: readonly string[];
  /** How many were put aside. */
  readonly records: number;
};

const REASONS = 20;
const distinct = (reasons: readonly string[]): string[] => [...new Set(reasons)].slice(0, REASONS);

type Settled = Omit<Outcome, 'records'>;

const land = async (deps: Deps, good: readonly GoodMessage[], reasons: readonly string[]): Promise<Settled> => {
  const fates = await landMessages(deps, good);
  const failed = fates.find((fate) => typeof fate === 'object');
  if (failed !== undefined) throw failed.failed;
  if (fates.includes('later'))
    throw new Error('another batch may still be writing some of these messages; replay them again in two minutes');
  const used = good.filter((_, i) => fates[i] === 'name-used').map((g) => `${g.id} landed with other content`);
  const stillBad = [...reasons, ...used];
  return {
    landed: fates.filter((fate) => fate === 'landed').length,
    known: fates.filter((fate) => fate === 'known').length,
    bad: stillBad.length,
    handedOn: false,
    stillBad: distinct(stillBad),
  };
};

const wouldLand = (good: number, reasons: readonly string[]): Settled => ({
  landed: good,
  known: 0,
  bad: reasons.length,
  handedOn: false,
  stillBad: distinct(reasons),
});

/**
 * Checks what was put aside again, as it came, by the code and the use cases of today. Messages and observations that are
 * good land, once however often they are replayed. Uploads of frames, events and decisions are given to their own way in
 * again, which registers what is good. Each is read in the version that was put aside; frames of an upload that was
 * replaced since are not registered over those that replaced them.
 */
export const replayObject = async (
  deps: Deps,
  o: {
    readonly key: string;
    readonly from: QuarantineSource;
    readonly rules: MessageRules;
    readonly dryRun: boolean;
    /** Version of the original that is registered; null where none is. */
    readonly registered: string | null;
  },
): Promise<Outcome> => {
  const aside = await deps.lake.get(o.key);
  if (o.from === 'messages') {
    const checked = readQuarantinedMessages(aside, o.key).map((m) =>
      checkTopicMessage({ topic: m.topic, bytes: Buffer.from(m.bytes, 'base64') }, o.rules, m.at),
    );
    const good = checked.filter((c) => 'ok' in c);
    const reasons = checked.flatMap((c) => ('ok' in c ? [] : [c.reason]));
    const settled = o.dryRun ? wouldLand(good.length, reasons) : await land(deps, good, reasons);
    return { ...settled, records: checked.length };
  }
  const lines = readAside(o.from, o.key, aside);
  const original = originalOf(o.key);
  const versionId = original.versionId ?? o.registered;
  if (o.from === 'observations') {
    const badLines = new Set(lines.map((l) => l.line));
    const wasBad = (line: number): boolean => badLines.has(0) || badLines.has(line);
    const { good, bad } = readObservationUpload(await deps.lake.get(original.key, versionId), original.key, o.rules);
    const again = good.filter((g) => wasBad(g.line)).map((g) => g.message);
    const reasons = bad.map((b) => b.reason);
    const settled = o.dryRun ? wouldLand(again.length, reasons) : await land(deps, again, reasons);
    return { ...settled, records: lines.length };
  }
  if (o.from === 'frames' && o.registered !== null && versionId !== o.registered)
    return {
      landed: 0,
      known: 0,
      bad: lines.length,
      handedOn: false,
      stillBad: [`version ${versionId} of ${original.key} was replaced by ${o.registered}, which is registered`],
      records: lines.length,
    };
  if (!o.dryRun)
    await deps.queues.send(deps.queueUrls[o.from], {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: deps.lakeBucket },
        object: { key: original.key, ...(versionId === null ? {} : { 'version-id': versionId }) },
      },
    });
  if (o.from === 'frames') {
    const { frames, bad } = readFrames(await deps.lake.get(original.key, versionId), original.key);
    const whole = lines.some((l) => l.line === 0);
    const mended = whole ? frames.length : Math.max(0, lines.length - bad.length);
    return {
      landed: mended,
      known: 0,
      bad: bad.length,
      handedOn: !o.dryRun,
      stillBad: distinct(bad.map((b) => b.reason)),
      records: lines.length,
    };
  }
  return { landed: 0, known: 0, bad: 0, handedOn: !o.dryRun, stillBad: [], records: lines.length };
};
