import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { HEALTH_METRICS, type HealthWatch } from '#core/contracts/health.ts';
import { type Heard, minutesBetween, silentDevices, stuckExecutions } from '#core/health/health.ts';

export interface Deps {
  readonly watch: HealthWatch;
  readonly namespace: string;
  readonly cloudwatch: Pick<CloudWatchClient, 'send'>;
  readonly sfn: Pick<SFNClient, 'send'>;
  readonly db: Pick<DynamoDBDocumentClient, 'send'>;
  readonly table: string;
  readonly s3: Pick<S3Client, 'send'>;
  readonly evidence: { readonly Bucket: string };
  readonly now: () => string;
}

type Measures = Partial<Record<keyof typeof HEALTH_METRICS, number>>;

/** Measures how the platform itself is in one plane, and puts it as metrics; alarms on them tell the owners. */
export const makeHandler = (deps: Deps) => {
  const workflows = async (now: string): Promise<Measures> => {
    let [stuck, oldest] = [0, 0];
    for (const { arn, allowedMinutes } of deps.watch.workflows) {
      const startedAt: string[] = [];
      for (let nextToken: string | undefined; ; ) {
        const page = await deps.sfn.send(
          new ListExecutionsCommand({
            stateMachineArn: arn,
            statusFilter: 'RUNNING',
            ...(nextToken === undefined ? {} : { nextToken }),
          }),
        );
        for (const { startDate } of page.executions ?? [])
          if (startDate !== undefined) startedAt.push(startDate.toISOString());
        nextToken = page.nextToken;
        if (nextToken === undefined) break;
      }
      const found = stuckExecutions(startedAt, now, allowedMinutes);
      stuck += found.stuck;
      oldest = Math.max(oldest, found.oldestMinutes);
    }
    return { stuck, oldest };
  };

  const devices = async (now: string, silentMinutes: number): Promise<Measures> => {
    const heard: Heard[] = [];
    for (let start: Record<string, unknown> | undefined; ; ) {
      const page = await deps.db.send(
        new ScanCommand({
          TableName: deps.table,
          FilterExpression: 'attribute_exists(receivedAt)',
          ProjectionExpression: 'pk, receivedAt',
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      for (const { pk, receivedAt } of page.Items ?? []) heard.push({ device: pk, receivedAt });
      start = page.LastEvaluatedKey;
      if (start === undefined) break;
    }
    return silentDevices(heard, now, silentMinutes);
  };

  /** Keys of checkpoints carry their day and instant: the newest is looked for in today's and yesterday's. */
  const checkpoint = async (now: string, checkpointMinutes: number): Promise<Measures> => {
    const yesterday = new Date(Date.parse(now) - 86_400_000).toISOString();
    for (const day of [now.slice(0, 10), yesterday.slice(0, 10)]) {
      const page = await deps.s3.send(new ListObjectsV2Command({ ...deps.evidence, Prefix: `checkpoints/${day}/` }));
      const newest = (page.Contents ?? [])
        .map((o) => o.Key?.split('/').at(-1)?.replace('.json', '') ?? '')
        .sort()
        .at(-1);
      if (newest === undefined) continue;
      const checkpointAge = minutesBetween(newest, now);
      return { checkpointAge, late: checkpointAge > checkpointMinutes ? 1 : 0 };
    }
    return { late: 1 };
  };

  return async (): Promise<Measures> => {
    const now = deps.now();
    const { plane, silentMinutes, checkpointMinutes } = deps.watch;
    const measures: Measures = {
      ...(deps.watch.workflows.length === 0 ? {} : await workflows(now)),
      ...(silentMinutes === null ? {} : await devices(now, silentMinutes)),
      ...(checkpointMinutes === null ? {} : await checkpoint(now, checkpointMinutes)),
    };
    await deps.cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: deps.namespace,
        MetricData: Object.entries(measures).map(([name, Value]) => ({
          MetricName: HEALTH_METRICS[name as keyof Measures],
          Dimensions: [{ Name: 'Plane', Value: plane }],
          Timestamp: new Date(now),
          Value,
        })),
      }),
    );
    return measures;
  };
};
