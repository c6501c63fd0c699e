import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import type { LedgerRequest } from '#core/contracts/ledger.ts';
import { decisionObject } from '#core/inference/decision-object.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { readRegistry } from '../../../cli/registry.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { aDecision, LINE } from '../../support/alerts.ts';
import { until } from '../aws/local-aws.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';
import { subscribe } from './subscribe.ts';

jest.setTimeout(300_000);

let plant: DeployedPlant;
beforeAll(async () => {
  plant = await deployPlant();
});
afterAll(() => plant?.stop());

const invoke = async (name: string, payload: unknown): Promise<unknown> => {
  const answer = await new LambdaClient(plant.client).send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString('utf8');
  if (answer.FunctionError !== undefined) throw new Error(`${name}: ${text}`);
  return JSON.parse(text);
};

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;

const publishLine = async (): Promise<void> => {
  const digest = digestOf(useCase);
  const line = aModelLine(LINE, digest);
  const records = [
    { class: 'use-case' as const, id: digest, body: useCase },
    { class: 'model-line' as const, id: LINE, body: line },
  ];
  const commands: LedgerRequest['commands'] = records.map((record) => ({
    schema: 'ledger-command/1',
    commandId: `test/${record.id}`,
    site: 'plant-a',
    actor: 'person:test',
    reason: 'test',
    record,
  }));
  await invoke(plant.names.ledgerWriter.name, { commands });
};

const upload = async (...decisions: DecisionRecord[]): Promise<void> => {
  const { key, body } = decisionObject('local', decisions);
  await new S3Client({ ...plant.client, forcePathStyle: true }).send(
    new PutObjectCommand({ Bucket: plant.names.lakeBucket, Key: key, Body: body }),
  );
};

test('the first failing decision of a run that a device uploads becomes an alert, and the people of its plant read it', async () => {
  const read = await subscribe(plant, plant.names.plantTopic('plant-a'));
  const db = DynamoDBDocumentClient.from(new DynamoDBClient(plant.client));
  const registry = readRegistry(db, plant.names.registry.name);
  await publishLine();
  await upload(aDecision(1, { verdict: 'pass', value: 30, asset: 'spindle-109' }));
  await upload(aDecision(2, { verdict: 'pass', value: 20 }), aDecision(3), aDecision(4));
  const alerts = await until(
    () => registry.list('alert'),
    (found) => found.length > 0,
    60_000,
  );
  expect(alerts).toMatchObject([
    { id: 'plant-a/spindle-101/live-01', body: { decision: 'plant-a/edge-1/boot-1/3', status: 'open' } },
  ]);
  const messages: string[] = [];
  await until(
    async () => messages.push(...(await read())),
    () => messages.length > 0,
  );
  expect(messages).toEqual([
    `"spindle-101: about 6.3 h left (alarm below 8 h). Next: ${useCase.nextAction.fail}. See: millwright alerts show plant-a/spindle-101/live-01"`,
  ]);
});

test('what operators say to an owner reaches the owners, drift only when inputs have drifted', async () => {
  const read = await subscribe(plant, plant.names.ownersTopic);
  const drift = {
    modelLine: LINE,
    site: 'plant-a',
    packageDigest: `sha256:${'a'.repeat(64)}`,
    worstFeature: 'f',
    psi: 1,
  };
  const events = [
    ['DriftJudged', { ...drift, state: 'watch' }],
    ['DriftJudged', { ...drift, state: 'drifted' }],
    ['OwnerMessage', { site: 'plant-a', modelLine: LINE, about: 'x', from: 'cli:ann', text: 'third one' }],
  ] as const;
  for (const [DetailType, detail] of events)
    await new EventBridgeClient(plant.client).send(
      new PutEventsCommand({
        Entries: [
          { EventBusName: plant.names.bus.name, Source: EVENT_SOURCE, DetailType, Detail: JSON.stringify(detail) },
        ],
      }),
    );
  const told: { 'detail-type': string; detail: Record<string, unknown> }[] = [];
  await until(
    async () => told.push(...(await read()).map((m) => JSON.parse(m))),
    () => told.filter((m) => m['detail-type'] === 'OwnerMessage').length > 0,
  );
  expect(told.filter((m) => m['detail-type'] === 'DriftJudged').map((m) => m.detail['state'])).toEqual(['drifted']);
});

test('the platform measures its health with no more than its roles allow, and a missing checkpoint is told', async () => {
  const { prefix } = plant.names;
  expect(await invoke(`${prefix}-platform-health-ml`, {})).toEqual({ stuck: 0, oldest: 0 });
  expect(await invoke(`${prefix}-platform-health-plant`, {})).toEqual({ stuck: 0, oldest: 0, devices: 0, silent: 0 });
  expect(await invoke(`${prefix}-platform-health-governance`, {})).toEqual({ late: 1 });
  const stateOf = async (): Promise<string | undefined> => {
    const { MetricAlarms } = await new CloudWatchClient(plant.client).send(
      new DescribeAlarmsCommand({ AlarmNames: [`${prefix}-latecheckpoints-governance`] }),
    );
    return MetricAlarms?.[0]?.StateValue;
  };
  await until(stateOf, (state) => state === 'ALARM', 30_000);
  await invoke(`${prefix}-ledger-checkpoint`, {});
  expect(await invoke(`${prefix}-platform-health-governance`, {})).toEqual({ late: 0, checkpointAge: 0 });
});
