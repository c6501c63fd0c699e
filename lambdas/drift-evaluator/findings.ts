import { z } from 'zod';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import { type QualityFinding, QualityMessage, qualityTopic } from '#core/contracts/quality.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { KnownFinding } from '#core/quality/findings.ts';
import { compareText } from '#core/text/compare.ts';
import { readDeviceMessage } from '../shared/device-message.ts';
import { type Item, type JudgementTable, versionOf } from '../shared/judgement-table.ts';
import { topicMessage } from '../shared/topic-message.ts';
import { untilUndisturbed } from '../shared/undisturbed.ts';
import { utf8 } from '../shared/utf8.ts';

/** Stretches of one signal, check and finder that are kept: a window is judged soon after it ended. */
const KEPT = 20;

interface Words extends Item {
  readonly words: readonly KnownFinding[];
}

const AsBytes = z.looseObject({ bytes: z.string(), cameOn: z.string() });

/**
 * Findings of a device about its signals; undefined when the message is not of their topic. One that cannot be read is
 * put aside on its other way, to the lake: null. @throws {Error} when it speaks for another device.
 */
export const findingsIn = (body: string, document: unknown, stage: string): QualityMessage | null | undefined => {
  if (!AsBytes.safeParse(document).success) return undefined;
  const { topic, bytes } = topicMessage(body, document);
  try {
    const said = parseAs(z.looseObject({}), JSON.parse(utf8(bytes) ?? ''), 'message of a topic rule');
    return readDeviceMessage(QualityMessage, { ...said, cameOn: topic }, stage, qualityTopic);
  } catch (error) {
    if (error instanceof ContractError || error instanceof SyntaxError) return null;
    throw error;
  }
};

const newestOf = (words: readonly KnownFinding[]): readonly KnownFinding[] =>
  [...words].sort((a, b) => compareText(a.finding.from, b.finding.from)).slice(-KEPT);

/** Keeps what a device found, so that windows of that time are not taken for drift. The same again changes nothing. */
export const keepFindings = async (table: JudgementTable, message: QualityMessage): Promise<void> => {
  const foundBy = message.device;
  const of = (f: QualityFinding) => judgementKeys.findings(f, foundBy);
  const groups = [...Map.groupBy(message.findings, (f) => JSON.stringify(of(f))).values()];
  await inParallel(groups, async (findings) => {
    const key = of(findings[0] as QualityFinding);
    await untilUndisturbed(`findings ${key.sk}`, async () => {
      const found = (await table.get(key)) as Words | null;
      const words = new Map((found?.words ?? []).map((k) => [k.finding.from, k]));
      for (const finding of findings) {
        const known = words.get(finding.from);
        if (known === undefined || known.foundAt <= message.at)
          words.set(finding.from, { finding, foundAt: message.at, foundBy });
      }
      const item: Words = { ...key, words: newestOf([...words.values()]) };
      return (await table.putAll([{ item, readAt: versionOf(found) }])) ? true : null;
    });
  });
};

/** What is known about the signals of an asset. */
export const knownFindings = async (
  table: JudgementTable,
  site: string,
  asset: string,
): Promise<readonly KnownFinding[]> =>
  (await table.list(judgementKeys.asset(site, asset), 'FINDINGS#')).flatMap((item) => (item as Words).words);
