import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { digestTopic, FeatureDigest } from '#core/contracts/device.ts';
import { compareText } from '#core/text/compare.ts';
import { type BatchLog, batchFailures } from '../shared/batch.ts';
import { readDeviceMessage } from '../shared/device-message.ts';
import { findingsIn, keepFindings } from './findings.ts';
import { type JudgeWindowDeps, windowJudge } from './judge-window.ts';
import { wholeWindow } from './whole-windows.ts';

export interface Deps extends JudgeWindowDeps {
  readonly stage: string;
  readonly log: BatchLog;
}

interface Sent {
  readonly messageId: string;
  readonly digest: FeatureDigest;
}

/** Messages by window, boots by the time of their rows, windows of one boot as it sent them: the queue keeps no order. */
const asSent = (all: readonly Sent[]): readonly (readonly [Sent, ...Sent[]])[] => {
  const nameOf = ({ digest: d }: Sent): string => JSON.stringify([d.site, d.device, d.boot, d.windowStart]);
  const windows = [...Map.groupBy(all, nameOf).values()] as unknown as [Sent, ...Sent[]][];
  const boots = Map.groupBy(windows, ([{ digest: d }]) => JSON.stringify([d.site, d.device, d.boot]));
  const inOrder = [...boots.values()].map((of) =>
    of.sort(([{ digest: a }], [{ digest: b }]) => a.windowStart - b.windowStart),
  );
  const begins = (of: (typeof inOrder)[number]): string => of[0]?.[0].digest.from ?? '';
  return inOrder.sort((a, b) => compareText(begins(a), begins(b))).flat();
};

/**
 * Takes sketches of the inputs of devices and judges them by the baseline of the package that saw them; findings of data
 * quality that devices send are kept, so that windows of bad data are not taken for drift. Messages may come in any
 * order, late and again: a window counts once, whoever sends it how often.
 */
export const makeHandler = (deps: Deps) => {
  const judge = windowJudge(deps);
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failures = batchFailures(deps.log);
    const digests: Sent[] = [];
    for (const { messageId, body } of event.Records)
      try {
        const document: unknown = JSON.parse(body);
        const findings = findingsIn(body, document, deps.stage);
        if (findings === undefined)
          digests.push({ messageId, digest: readDeviceMessage(FeatureDigest, document, deps.stage, digestTopic) });
        else if (findings !== null) await keepFindings(deps.judgement, findings);
      } catch (error) {
        failures.add(messageId, error);
      }
    // One after the other: messages of one batch are mostly of the same device and would fight for its state.
    for (const sent of asSent(digests))
      try {
        const [first, ...others] = sent.map((s) => s.digest) as [FeatureDigest, ...FeatureDigest[]];
        const window = await wholeWindow(deps.lake, [first, ...others]);
        if (window !== null) await judge(window);
      } catch (error) {
        for (const { messageId } of sent) failures.add(messageId, error);
      }
    return failures.answer();
  };
};
