import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { DeviceReport } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { Instant } from '#core/contracts/primitives.ts';
import type { WaveResult } from '#core/contracts/release.ts';
import type { Composition } from '#core/policy/compose-deployment.ts';
import type { NotBack } from '#core/policy/wave.ts';
import { fleetKeys } from './release-run.ts';

/** What a release did to one ring: what was there before, what was deployed, how it ended. */
export interface RingItem {
  readonly ring: number;
  readonly deviceClass: string;
  readonly thingGroup: string;
  readonly previous: Composition;
  readonly deploymentId: string | null;
  readonly deployedAt: string;
  readonly wave: WaveResult | null;
  /** The way back, once it was gone. */
  readonly revert?: {
    readonly deploymentId: string;
    readonly revertedAt: string;
    /** Package that the ring had before; null when it had none. */
    readonly back: string | null;
    readonly notBack: readonly NotBack[];
  };
}

/** A report and when it came, by the cloud's clock: which one is newest must not hang on the clocks of devices. */
export interface ReceivedReport {
  readonly report: DeviceReport;
  readonly receivedAt: string;
}

export interface FleetTable {
  report(site: string, device: string, modelLine: string): Promise<ReceivedReport | null>;
  /** Keeps the report unless one that came later is there. @returns false when this one came earlier. */
  putReport(received: ReceivedReport): Promise<boolean>;
  ring(releaseId: string, ring: number, deviceClass: string): Promise<RingItem | null>;
  putRing(releaseId: string, item: RingItem): Promise<void>;
  rings(releaseId: string): Promise<readonly RingItem[]>;
  putApproval(releaseId: string, taskToken: string): Promise<void>;
}

const Received = z.object({ report: DeviceReport, receivedAt: Instant });

export const dynamoFleet = (db: DynamoDBDocumentClient, table: string): FleetTable => {
  const get = async (key: Record<string, string>) =>
    (await db.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true }))).Item;
  return {
    async report(site, device, modelLine) {
      const item = await get(fleetKeys.report(site, device, modelLine));
      return item === undefined ? null : parseAs(Received, item, `report of ${device} in the fleet table`);
    },
    async putReport({ report, receivedAt }) {
      try {
        await db.send(
          new PutCommand({
            TableName: table,
            Item: { ...fleetKeys.report(report.site, report.device, report.modelLine), receivedAt, report },
            ConditionExpression: 'attribute_not_exists(receivedAt) OR receivedAt < :at',
            ExpressionAttributeValues: { ':at': receivedAt },
          }),
        );
        return true;
      } catch (error) {
        if ((error as Error).name === 'ConditionalCheckFailedException') return false;
        throw error;
      }
    },
    async ring(releaseId, ring, deviceClass) {
      return ((await get(fleetKeys.ring(releaseId, ring, deviceClass)))?.['item'] as RingItem | undefined) ?? null;
    },
    async putRing(releaseId, item) {
      await db.send(
        new PutCommand({
          TableName: table,
          Item: { ...fleetKeys.ring(releaseId, item.ring, item.deviceClass), item },
        }),
      );
    },
    async rings(releaseId) {
      const items: RingItem[] = [];
      for (let start: Record<string, unknown> | undefined; ; ) {
        const page = await db.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :p AND begins_with(sk, :s)',
            ExpressionAttributeValues: { ':p': fleetKeys.approval(releaseId).pk, ':s': fleetKeys.ringPrefix },
            ConsistentRead: true,
            ...(start ? { ExclusiveStartKey: start } : {}),
          }),
        );
        items.push(...(page.Items ?? []).map((i) => i['item'] as RingItem));
        start = page.LastEvaluatedKey;
        if (start === undefined) return items;
      }
    },
    async putApproval(releaseId, taskToken) {
      await db.send(
        new PutCommand({ TableName: table, Item: { ...fleetKeys.approval(releaseId), releaseId, taskToken } }),
      );
    },
  };
};
