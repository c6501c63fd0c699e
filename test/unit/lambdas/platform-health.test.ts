import { HealthWatch } from '../../../core/contracts/health.ts';
import { makeHandler } from '../../../lambdas/platform-health/handler.ts';

const NOW = '2026-01-31T12:00:00.000Z';

const setUp = (watch: Partial<HealthWatch>, answers: Record<string, (input: Record<string, unknown>) => unknown>) => {
  const asked: { command: string; input: Record<string, unknown> }[] = [];
  const client = {
    send: async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
      const name = command.constructor.name.replace('Command', '');
      asked.push({ command: name, input: command.input });
      return answers[name]?.(command.input) ?? {};
    },
  } as never;
  const handler = makeHandler({
    watch: HealthWatch.parse({ plane: 'plant', ...watch }),
    namespace: 'mw-local/health',
    cloudwatch: client,
    sfn: client,
    db: client,
    table: 'fleet',
    s3: client,
    evidence: { Bucket: 'evidence' },
    now: () => NOW,
  });
  const put = () => asked.find((a) => a.command === 'PutMetricData')?.input as { MetricData: unknown[] };
  return { handler, asked, put };
};

describe('platform-health', () => {
  test('counts devices over all pages of the fleet table', async () => {
    const { handler, put } = setUp(
      { silentMinutes: 30 },
      {
        Scan: ({ ExclusiveStartKey }) =>
          ExclusiveStartKey === undefined
            ? { Items: [{ pk: 'DEVICE#a', receivedAt: '2026-01-31T11:00:00.000Z' }], LastEvaluatedKey: { pk: 'x' } }
            : { Items: [{ pk: 'DEVICE#b', receivedAt: NOW }] },
      },
    );
    expect(await handler()).toEqual({ devices: 2, silent: 1 });
    expect(put()).toMatchObject({
      Namespace: 'mw-local/health',
      MetricData: [
        { MetricName: 'Devices', Value: 2, Dimensions: [{ Name: 'Plane', Value: 'plant' }] },
        { MetricName: 'SilentDevices', Value: 1 },
      ],
    });
  });

  test('looks at running executions of each workflow, over all pages', async () => {
    const { handler, asked } = setUp(
      {
        workflows: [
          { arn: 'release', allowedMinutes: 600 },
          { arn: 'wave', allowedMinutes: 60 },
        ],
      },
      {
        ListExecutions: ({ stateMachineArn, nextToken }) =>
          stateMachineArn === 'release'
            ? { executions: [{ startDate: new Date('2026-01-31T03:00:00.000Z') }] }
            : nextToken === undefined
              ? { executions: [{ startDate: new Date(NOW) }], nextToken: 't' }
              : { executions: [{ startDate: new Date('2026-01-31T10:00:00.000Z') }] },
      },
    );
    expect(await handler()).toEqual({ stuck: 1, oldest: 540 });
    expect(asked.filter((a) => a.command === 'ListExecutions').map((a) => a.input['statusFilter'])).toEqual([
      'RUNNING',
      'RUNNING',
      'RUNNING',
    ]);
  });

  const checkpoints =
    (...instants: string[]) =>
    ({ Prefix }: Record<string, unknown>) => ({
      Contents: instants
        .map((at) => ({ Key: `checkpoints/${at.slice(0, 10)}/${at}.json` }))
        .filter(({ Key }) => Key.startsWith(String(Prefix))),
    });
  test.each([
    ['of the last hour is in time', ['2026-01-31T09:00:00.000Z', '2026-01-31T11:30:00.000Z'], 30, 0],
    ['of hours ago is late', ['2026-01-31T09:00:00.000Z'], 180, 1],
    ['of yesterday counts', ['2026-01-30T23:00:00.000Z'], 780, 1],
  ])('a checkpoint %s', async (_, instants, checkpointAge, late) => {
    const { handler } = setUp({ checkpointMinutes: 150 }, { ListObjectsV2: checkpoints(...instants) });
    expect(await handler()).toEqual({ checkpointAge, late });
  });
  test('no checkpoint at all is late', async () => {
    const { handler } = setUp({ checkpointMinutes: 150 }, { ListObjectsV2: checkpoints() });
    expect(await handler()).toEqual({ late: 1 });
  });

  test('looks at nothing that it is not told to', async () => {
    const { handler, asked } = setUp({ checkpointMinutes: 150 }, {});
    await handler();
    expect(new Set(asked.map((a) => a.command))).toEqual(new Set(['ListObjectsV2', 'PutMetricData']));
  });
});
