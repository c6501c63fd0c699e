import { gunzipSync } from 'node:zlib';
import { observationTopic } from '#core/contracts/observation.ts';
import type { QuarantineClass } from '#core/contracts/quarantine.ts';
import { thingName } from '#core/contracts/release.ts';
import { checkMessage, type GoodMessage, type MessageRules } from '#core/lake/check-message.ts';
import { MAX_UNPACKED_BYTES } from './frames.ts';

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
  let text: string;
  try {
    text = gunzipSync(bytes, { maxOutputLength: maxBytes }).toString('utf8');
  } catch (error) {
    return wholly(
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        ? `it unpacks to more than ${maxBytes} bytes; upload smaller objects`
        : `not gzip: ${(error as Error).message}`,
    );
  }
  const topic = observationTopic(rules.stage, site, device);
  const good: { line: number; message: GoodMessage }[] = [];
  const bad: BadLine[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const checked = checkMessage(line, topic, rules);
    if (checked.ok) good.push({ line: i + 1, message: checked });
    else bad.push({ line: i + 1, class: checked.class, reason: checked.reason, text: line.slice(0, TEXT_LENGTH) });
  }
  return { good, bad };
};
