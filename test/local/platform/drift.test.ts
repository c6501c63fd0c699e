import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { digestTopic } from '#core/contracts/device.ts';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { DriftFold } from '#core/contracts/drift-fold.ts';
import { judgementKeys, type LineJudgement } from '#core/contracts/judgement.ts';
import { artifactKeys, type DriftDevice, lakeKeys } from '#core/contracts/lake.ts';
import { type RecordClass, registryQueries } from '#core/contracts/ledger.ts';
import { LOCAL_PLANT_FILE, type LocalPlant } from '#core/contracts/local-plant.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { qualityTopic } from '#core/contracts/quality.ts';
import { foldChain, verifyFolds, windowName } from '#core/drift/replay/fold-chain.ts';
import { digestParts } from '#core/drift/sketch/digest-parts.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { connect, ROOT } from '../../../cli/connect.ts';
import { runCli } from '../../../cli/program.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { machineBaseline } from '../../support/drift-device.ts';
import {
  baseline,
  DEVICE,
  dayAt,
  FAR,
  historyOf,
  LINE,
  objectsOf,
  PACKAGE,
  SAME,
} from '../../support/drift-history.ts';
import { DriftLine } from '../../support/drift-lines.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';
import { subscribe } from './subscribe.ts';

jest.setTimeout(300_000);

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;
const recorded = historyOf([SAME, SAME, FAR, FAR, FAR]);
const windows = [...recorded.windows.values()];

const judging = { ...useCase.judging, minOutcomes: 5, leaveAfter: 5, cooldownDays: 90 };
const like = { ...useCase, judging };
const tagged = new DriftLine('tagged', like, 'edge-3', 1);
const untagged = new DriftLine('untagged', like, 'edge-4', 1);
const worn = new DriftLine('worn', like, 'edge-5', 24);
const times = <T>(n: number, of: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => of(i));
const AS_TRAINED: readonly number[] = [];
const ALL_MOVED = [1.5, 1.5, 1.5, 1.5];

let plant: DeployedPlant;
let db: DynamoDBDocumentClient;
let s3: S3Client;
/** Where the command line finds the plant. */
const plantDir = mkdtempSync(join(tmpdir(), 'millwright-drift-'));

const invoke = async (name: string, payload: unknown): Promise<unknown> => {
  const answer = await new LambdaClient(plant.client).send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError !== undefined) throw new Error(text);
  return JSON.parse(text);
};
const publish = (topic: string, document: unknown) =>
  new IoTDataPlaneClient(plant.client).send(
    new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(document)) }),
  );
const send = async (window: DriftWindow) => {
  for (const part of digestParts(window)) await publish(digestTopic('local', 'plant-a', window.device), part);
};
const until = async <T>(ask: () => Promise<T>, good: (t: T) => boolean, seconds = 60): Promise<T> => {
  for (const from = Date.now(); ; await sleep(300)) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() - from > seconds * 1000) throw new Error(`after ${seconds} s it is still ${JSON.stringify(answer)}`);
  }
};
const foldsOf = async (device: DriftDevice): Promise<readonly DriftFold[]> => {
  const Bucket = plant.names.lakeBucket;
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: lakeKeys.driftEvidences(device) }));
  const texts = (Contents ?? []).map(async ({ Key }) =>
    (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString(),
  );
  return (await Promise.all(texts)).map((text) => DriftFold.parse(JSON.parse(text ?? '')));
};
/** Up to the fold that is known of the device: of two that judge at once the second leaves an object that none names. */
const chainOf = async (of: DriftDevice): Promise<readonly DriftFold[]> => {
  const Key = judgementKeys.features(of.modelLine, of.packageDigest, of.site, of.device);
  const { Item } = await db.send(new GetCommand({ TableName: plant.names.judgementTable.name, Key }));
  return Item === undefined ? [] : foldChain(await foldsOf(of), Item['evidence']);
};
const chainNow = () => chainOf(DEVICE);
const latest = async (recordClass: RecordClass, id: string) =>
  (await db.send(new GetCommand({ TableName: plant.names.registry.name, ...registryQueries.latest(recordClass, id) })))
    .Item?.['body'] as Record<string, unknown> | undefined;
const all = async (recordClass: RecordClass) =>
  (await db.send(new QueryCommand({ TableName: plant.names.registry.name, ...registryQueries.list(recordClass) })))
    .Items as { id: string; body: Record<string, unknown> }[];
const lineOf = async ({ modelLine }: DriftLine): Promise<LineJudgement | undefined> =>
  (await db.send(new GetCommand({ TableName: plant.names.judgementTable.name, Key: judgementKeys.state(modelLine) })))
    .Item?.['judgement'];
/** Hands windows to who judges them as one batch of the queue, and says what each was. */
const judge = async (line: DriftLine, seen: readonly DriftWindow[]): Promise<readonly string[]> => {
  const cameOn = digestTopic('local', 'plant-a', line.device);
  const Records = seen
    .flatMap((window) => digestParts(window))
    .map((part, n) => ({ messageId: String(n), body: JSON.stringify({ ...part, cameOn }) }));
  expect(await invoke(`${plant.names.prefix}-drift-evaluator`, { Records })).toEqual({ batchItemFailures: [] });
  const chain = await chainOf({ ...line, site: 'plant-a' });
  return chain.slice(-seen.length).map((f) => f.evidence.kind);
};
/** Tells events and waits until who judges knows them. */
const tell = async (events: readonly PlantEvent[]): Promise<void> => {
  await invoke(plant.names.plantEvents.name, { events });
  for (const { site, asset, eventId } of events) {
    const Key = judgementKeys.event(site, asset, eventId);
    await until(
      () => db.send(new GetCommand({ TableName: plant.names.judgementTable.name, Key })),
      (r) => r.Item !== undefined,
    );
  }
};
const decide = ({ key, text }: ReturnType<DriftLine['decisions']>) =>
  s3.send(new PutObjectCommand({ Bucket: plant.names.lakeBucket, Key: key, Body: text }));
/** All messages that a reader still has. */
const everyMessage = async (read: () => Promise<string[]>): Promise<readonly string[]> => {
  const messages = await read();
  return messages.length === 0 ? [] : [...messages, ...(await everyMessage(read))];
};
/** Runs the command line on this plant. @param files by name, as it reads them. @returns the document it printed. */
const millwright = async (args: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<unknown> => {
  const printed: string[] = [];
  const refused: string[] = [];
  const code = await runCli(args, {
    connect: (o) => connect({ ...o, plantDir }),
    write: (text) => printed.push(text),
    writeError: (text) => refused.push(text),
    readText: (file) => files[file] as string,
    fetchText: async () => '',
    colour: false,
    root: ROOT,
  });
  expect([code, refused.join('')]).toEqual([0, '']);
  return JSON.parse(printed.join(''));
};

beforeAll(async () => {
  plant = await deployPlant();
  db = DynamoDBDocumentClient.from(new DynamoDBClient(plant.client));
  s3 = new S3Client({ ...plant.client, forcePathStyle: true });
  const useCaseDigest = digestOf(useCase);
  const command = (recordClass: RecordClass, id: string, body: Record<string, unknown>) => ({
    ...{ schema: 'ledger-command/1', commandId: `test/${recordClass}/${id}`, site: 'plant-a', actor: 'test' },
    ...{ reason: 'test', record: { class: recordClass, id, body } },
  });
  const commands = [
    command('use-case', useCaseDigest, { ...useCase }),
    command('package', PACKAGE, { modelLine: LINE, validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } }),
    command('model-line', LINE, { ...aModelLine(LINE, useCaseDigest, PACKAGE) }),
    ...[tagged, untagged, worn].flatMap((line) => line.records().map((record) => command(...record))),
  ];
  await invoke(plant.names.ledgerWriter.name, { commands });
  const Key = `${artifactKeys.package(LINE, PACKAGE)}baseline.json`;
  const Body = objectsOf(recorded).artifactFiles[Key];
  await s3.send(new PutObjectCommand({ Bucket: plant.names.artifactsBucket, Key, Body }));
  for (const { modelLine, packageDigest } of [tagged, untagged, worn])
    await s3.send(
      new PutObjectCommand({
        Bucket: plant.names.artifactsBucket,
        Key: `${artifactKeys.package(modelLine, packageDigest)}baseline.json`,
        Body: JSON.stringify(machineBaseline()),
      }),
    );
  const { url } = plant.aws;
  const described: LocalPlant = {
    ...{ schema: 'local-plant/1', stage: 'local', site: 'plant-a', region: 'us-east-1', account: '000000000000' },
    ...{ pid: process.pid, startedAt: dayAt(0), services: [], modelLine: LINE, data: null, seed: 1, devices: [] },
    endpoints: { aws: url, sagemaker: url, greengrass: url, mqtt: '127.0.0.1:8883' },
  };
  writeFileSync(join(plantDir, LOCAL_PLANT_FILE), JSON.stringify(described));
});

afterAll(async () => {
  await plant?.stop();
  rmSync(plantDir, { recursive: true });
});

test('windows of a device are kept, judged and recorded with evidence that is computed again to the same bytes', async () => {
  for (const [n, window] of windows.slice(0, 3).entries()) {
    await send(window);
    await until(chainNow, (c) => c.length > n);
  }
  await send(windows[1] as DriftWindow);
  const chain = await chainNow();
  const known = new Map(windows.map((w) => [windowName(w), w]));
  expect(verifyFolds(chain, baseline, known)).toEqual({ holds: true, folds: 3 });
  const record = await until(
    () => latest('judgement', `drift/${LINE}/plant-a/edge-1`),
    (r) => r?.['kind'] === 'serious',
  );
  expect(record).toMatchObject({ evidence: chain.at(-1)?.evidence.hash, worstFeature: 'speed', assets: ['m1'] });
});

test('a finding of quality that the device sent holds what would be drift', async () => {
  const finding = {
    ...{ schema: 'quality-finding/1', site: 'plant-a', asset: 'm1', signal: 'speed', check: 'stuck', open: false },
    ...{ from: dayAt(3), to: dayAt(4), count: 100, worst: null, says: 'the same value for a day' },
  };
  await publish(qualityTopic('local', 'plant-a', 'edge-1'), {
    ...{ schema: 'quality/1', site: 'plant-a', device: 'edge-1', boot: 'b1', sequence: 1, at: dayAt(4) },
    findings: [finding],
  });
  const { pk, sk } = judgementKeys.findings({ ...finding, check: 'stuck' }, 'edge-1');
  const Key = { pk, sk };
  await until(
    () => db.send(new GetCommand({ TableName: plant.names.judgementTable.name, Key })),
    (r) => r.Item !== undefined,
  );
  await send(windows[3] as DriftWindow);
  await until(chainNow, (c) => c.length >= 4);
  await send(windows[4] as DriftWindow);
  const chain = await until(chainNow, (c) => c.length >= 5);
  const kinds = new Map(chain.map((f) => [f.evidence.windows[0]?.windowStart, f.evidence.kind]));
  expect([601, 801].map((start) => kinds.get(start))).toEqual(['data-quality', 'serious']);
});

test('the scheduled judgement judges every line, and tells of a device that nobody watches', async () => {
  const deciding = judgementKeys.deciding(LINE, PACKAGE, 'plant-a', 'edge-2');
  const Item = { ...deciding, site: 'plant-a', device: 'edge-2', boot: 'b1', first: 1, last: 5000, at: dayAt(9) };
  await db.send(new PutCommand({ TableName: plant.names.judgementTable.name, Item }));
  const sfn = new SFNClient(plant.client);
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: plant.names.judging.arn, input: '{}' }),
  );
  const ended = await until(
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
    (e) => e.status !== 'RUNNING',
  );
  expect(ended.status).toBe('SUCCEEDED');
  expect(await latest('judgement', `watch/${LINE}/plant-a/edge-2`)).toMatchObject({ state: 'unwatched' });
  expect(await latest('judgement', `watch/${LINE}/plant-a/edge-1`)).toBeUndefined();
});

test('a changeover that was told is no drift: what comes after is learned, and nobody is alarmed', async () => {
  const read = await subscribe(plant, plant.names.ownersTopic);
  const shifts = [...times(3, () => AS_TRAINED), ...times(10, () => ALL_MOVED)];
  const seen = tagged.windows(shifts, 9);
  expect(await judge(tagged, seen.slice(0, 3))).toEqual(times(3, () => 'steady'));
  await tell([tagged.changeover(3)]);
  expect(await judge(tagged, seen.slice(3))).toEqual([...times(8, () => 'warm-up'), ...times(2, () => 'steady')]);
  const judged = await until(
    () => lineOf(tagged),
    (j) => j !== undefined,
  );
  expect(judged).toMatchObject({ state: 'HEALTHY', action: null });
  expect((await everyMessage(read)).filter((text) => text.includes(tagged.modelLine))).toEqual([]);
});

test('a changeover that nobody told asks the operator once while outcomes hold, and the answer ends it', async () => {
  const read = await subscribe(plant, plant.names.plantTopic('plant-a'));
  const shifts = [...times(3, () => AS_TRAINED), ...times(13, () => ALL_MOVED)];
  const seen = untagged.windows(shifts, 9);
  const units = times(6, (n) => n);
  await decide(untagged.decisions(units, 'right'));
  await tell(untagged.failures(units));
  expect(await judge(untagged, seen.slice(0, 6))).toEqual([
    ...times(3, () => 'steady'),
    ...times(3, () => 'suspected-changeover'),
  ]);
  const asked = await until(
    () => lineOf(untagged),
    (j) => j?.action?.kind === 'ask-operator' && j.outcomes === units.length,
  );
  expect(asked).toMatchObject({ state: 'SUSPECTED_CHANGEOVER', meanLoss: 0 });

  await tell([untagged.changeover(3, 6)]);
  expect(await judge(untagged, seen.slice(6))).toEqual([...times(8, () => 'warm-up'), ...times(2, () => 'steady')]);
  const answered = await until(
    () => lineOf(untagged),
    (j) => j?.state === 'HEALTHY',
  );
  expect(answered?.action).toBeNull();
  const questions = (await all('judgement')).filter((r) => r.id.startsWith(`operator/${untagged.modelLine}`));
  expect(questions).toHaveLength(1);
  // Announcements leave at least once: two judges that meet may both tell what the ledger has once.
  expect([...new Set((await everyMessage(read)).filter((text) => text.includes(untagged.modelLine)))]).toEqual([
    expect.stringMatching(/many inputs of machine-of-untagged stepped at once .*: was it changed over\?/),
  ]);
});

test('slow wear is found with the days that are left, and asks for one retrain when outcomes get worse', async () => {
  const seen = worn.windows(
    times(32, (day) => [0, 0, 0.03 * Math.max(0, day - 5)]),
    7,
  );
  const [well, worse] = [times(9, (n) => n), times(7, (n) => n + 9)];
  await decide(worn.decisions(well, 'right'));
  await tell(worn.failures(well));
  const kinds = await judge(worn, seen);
  expect(new Set(kinds.slice(0, 15))).toEqual(new Set(['steady']));
  expect(kinds).toContain('ageing');
  expect(kinds).not.toContain('suspected-changeover');
  const planned = await until(
    () => lineOf(worn),
    (j) => j?.state === 'AGEING' && j.outcomes === well.length,
  );
  expect(planned).toMatchObject({ features: ['speed'], action: { kind: 'plan' } });
  expect(planned?.action?.count).toBeGreaterThanOrEqual(5);
  expect(planned?.action?.count).toBeLessThanOrEqual(20);

  await decide(worn.decisions(worse, 'nothing wrong'));
  await tell(worn.failures(worse));
  // There is no history to learn from here: the retrain refuses, and the line rests.
  await until(
    () => lineOf(worn),
    (j) => j?.state === 'COOLDOWN',
  );
  await judge(worn, seen.slice(-1));
  await tell(worn.failures(worse));
  const of = async (recordClass: RecordClass, prefix: string) =>
    (await all(recordClass)).filter((r) => r.id.startsWith(prefix) && r.body['modelLine'] === worn.modelLine);
  expect(await of('judgement', 'request/')).toHaveLength(1);
  expect((await of('retrain', '')).map((r) => r.body['cause'])).toEqual(['drift']);
});

test('the command line proves what was said of the wear, and replays it by other policies', async () => {
  const explained = await millwright(['explain', 'drift', worn.device, '--json']);
  expect(explained).toMatchObject({
    advice: { what: expect.stringContaining('speed') },
    evidence: { device: worn.device, sequence: 32, ageing: { feature: 'speed' } },
    verified: { holds: true, folds: 32 },
  });
  const policies = ['--policy', 'wary.json', '--policy', 'patient.json'];
  const files = { 'wary.json': '{"alarmAt": 100}', 'patient.json': '{"alarmAt": 1000000000}' };
  const replayed = await millwright(['replay', '--line', worn.modelLine, ...policies, '--json'], files);
  const { rows } = replayed as { rows: { name: string; retrains: { at: string }[] }[] };
  const retrained = new Map(rows.map((r) => [r.name, r.retrains.map(({ at }) => at)]));
  expect([...retrained.values()].map((r) => r.length)).toEqual([1, 1, 0]);
  expect(retrained.get('wary')?.[0]?.localeCompare(retrained.get('as declared')?.[0] as string)).toBe(-1);
});
