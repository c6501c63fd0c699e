import { observationTopic } from '#core/contracts/observation.ts';
import type { QuarantineClass } from '#core/contracts/quarantine.ts';
import { thingName } from '#core/contracts/release.ts';
import { checkMessage, type GoodMessage, type MessageRules } from '#core/lake/check-message.ts';
import { MAX_UNPACKED_BYTES, unpackLines } from './unpack.ts';
import { NOT_UTF8 } from './utf8.ts';

/** Key of an upload of observations: site and the thing that wrote it, which the device's role sees to. */
export const OBSERVATIONS_KEY = /^raw\/observations\/site=([^/]+)\/([^/]+)\/[^/]+\.ndjson\.gz$/;

/** A line that could not land, from 1; line 0 is the object as a whole. */
export interface BadLine {
  readonly line: number;
  readonly class: QuarantineClass;
  readonly reason: string;
  readonly text: string;
}

export interface CheckedUpload {
  readonly good: readonly { readonly line: number; readonly message: GoodMessage }[];
  readonly bad: readonly BadLine[];
}

const TEXT_LENGTH = 4000;

const wholly = (reason: string): CheckedUpload => ({
  good: [],
  bad: [{ line: 0, class: 'container', reason, text: '' }],
});

/**
 * Checks the lines of an upload as if each had come on the topic of the device whose thing the key names.
 * @param maxBytes limit of what they may unpack to.
 */
export const readObservationUpload = (
  bytes: Uint8Array,
  key: string,
  rules: MessageRules,
  maxBytes = MAX_UNPACKED_BYTES,
): CheckedUpload => {
  const [, site = '', thing = ''] = OBSERVATIONS_KEY.exec(key) ?? [];
  const device = thing.slice(thingName(rules.stage, site, '').length);
  if (device === '' || thingName(rules.stage, site, device) !== thing)
    return wholly(`the key is not raw/observations/site=…/<thing of this site>/….ndjson.gz`);
  const unpacked = unpackLines(bytes, maxBytes, 'upload smaller objects');
  if (!unpacked.ok) return wholly(unpacked.reason);
  const topic = observationTopic(rules.stage, site, device);
  const good: { line: number; message: GoodMessage }[] = [];
  const bad: BadLine[] = [];
  for (const { line, text, isUtf8 } of unpacked.lines) {
    const checked = isUtf8
      ? checkMessage(text, topic, rules)
      : ({ ok: false, class: 'not-json', reason: NOT_UTF8 } as const);
    if (checked.ok) good.push({ line, message: checked });
    else bad.push({ line, class: checked.class, reason: checked.reason, text: text.slice(0, TEXT_LENGTH) });
  }
  return { good, bad };
};
