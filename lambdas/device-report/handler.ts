import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { DeviceReport, reportTopic } from '#core/contracts/device.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { type BatchLog, batchFailures } from '../shared/batch.ts';
import { readDeviceMessage } from '../shared/device-message.ts';
import type { FleetTable } from '../shared/fleet-table.ts';
import type { Ledger } from '../shared/ledger-client.ts';

export interface Deps {
  readonly table: Pick<FleetTable, 'report' | 'putReport'>;
  readonly ledger: Ledger;
  readonly stage: string;
  readonly log: BatchLog;
}

/**
 * Keeps the newest report of each device and line, by when it came and not by the device's clock, and registers an
 * adoption when another package serves.
 * @throws (per message) {ContractError} | {Error} when the report is not one or speaks for another device.
 */
export const makeHandler = (deps: Deps) => {
  const take = async (body: unknown, receivedAt: string): Promise<void> => {
    const report = readDeviceMessage(DeviceReport, body, deps.stage, reportTopic);
    const before = await deps.table.report(report.site, report.device, report.modelLine);
    if (before !== null && before.receivedAt >= receivedAt) return;
    const { serving } = report;
    const known = before?.report.serving ?? null;
    // The ledger first: if the second write fails the message comes again and the command repeats itself.
    if (serving !== null && (known?.packageDigest !== serving.packageDigest || known.adoptedAt !== serving.adoptedAt)) {
      const id = `${report.site}/${report.device}/${report.modelLine}`;
      await deps.ledger.write([
        {
          schema: 'ledger-command/1',
          commandId: commandIdOf('adoption', id, serving.adoptedAt, serving.packageDigest),
          site: report.site,
          actor: `device:${report.site}/${report.device}`,
          reason: `the device serves release ${serving.releaseNumber} as ${serving.variant}`,
          record: {
            class: 'adoption',
            id,
            body: {
              schema: 'adoption/1',
              site: report.site,
              device: report.device,
              deviceClass: report.deviceClass,
              modelLine: report.modelLine,
              ...serving,
            },
          },
          edges: [
            { from: nodeRef('adoption', id), rel: 'used', to: nodeRef('package', serving.packageDigest) },
            {
              from: nodeRef('device', `${report.site}/${report.device}`),
              rel: 'deployed-to',
              to: nodeRef('adoption', id),
            },
          ],
        },
      ]);
    }
    await deps.table.putReport({ report, receivedAt });
  };
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    // Devices side by side, reports of one device in order: two of one at once would race.
    const byDevice = new Map<string, SQSEvent['Records']>();
    for (const record of event.Records) {
      const topic = /"topic":\s*"([^"]+)"/.exec(record.body)?.[1] ?? '';
      byDevice.set(topic, [...(byDevice.get(topic) ?? []), record]);
    }
    const failures = batchFailures(deps.log);
    await Promise.all(
      [...byDevice.values()].map(async (records) => {
        for (const { messageId, body, attributes } of records)
          try {
            // When the queue took it: a message that is delivered again is as old as it was.
            await take(JSON.parse(body), new Date(Number(attributes.SentTimestamp)).toISOString());
          } catch (error) {
            failures.add(messageId, error);
          }
      }),
    );
    return failures.answer();
  };
};
