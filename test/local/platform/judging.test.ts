import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type DecisionRecord, decisionObjectKey } from '#core/contracts/decision.ts';
import { judgementKeys, type LineJudgement } from '#core/contracts/judgement.ts';
import { type RecordClass, registryQueries } from '#core/contracts/ledger.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf, merkleRoot } from '#core/lineage/digest.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';

jest.setTimeout(300_000);

const LINE = 'predictive-maintenance/plant-a';
const SITE = 'plant-a';
const CHAMPION = `sha256:${'1'.repeat(64)}`;
const UNITS = 12;
const LIFE = 10;
const published = (definitions[0] as (typeof definitions)[number]).useCase;
const useCase: UseCase = { ...published, judging: { ...published.judging, minOutcomes: 10, cooldownDays: 60 } };
const at = (hour: number): string => new Date(Date.UTC(2025, 0, 1, hour)).toISOString();

let plant: DeployedPlant;
let db: DynamoDBDocumentClient;

const invoke = async (name: string, payload: unknown): Promise<void> => {
  const answer = await new LambdaClient(plant.client).send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  if (answer.FunctionError !== undefined) throw new Error(Buffer.from(answer.Payload ?? []).toString());
};
const drop = (key: string, text: string) =>
  new S3Client({ ...plant.client, forcePathStyle: true }).send(
    new PutObjectCommand({ Bucket: plant.names.lakeBucket, Key: key, Body: text }),
  );
const latest = async (recordClass: RecordClass, id: string) =>
  (await db.send(new GetCommand({ TableName: plant.names.registry.name, ...registryQueries.latest(recordClass, id) })))
    .Item as { version: number; body: Record<string, unknown> } | undefined;
const all = async (recordClass: RecordClass) =>
  (await db.send(new QueryCommand({ TableName: plant.names.registry.name, ...registryQueries.list(recordClass) })))
    .Items as { id: string; body: Record<string, unknown> }[];
const line = async (): Promise<LineJudgement | undefined> =>
  (await db.send(new GetCommand({ TableName: plant.names.judgementTable.name, Key: judgementKeys.state(LINE) })))
    .Item?.['judgement'];
/** Waits until an answer is there and is what was hoped for. @returns it and the seconds it took. */
const until = async <T>(ask: () => Promise<T>, good: (t: T) => boolean, seconds = 40): Promise<[T, number]> => {
  const from = Date.now();
  for (;;) {
    const answer = await ask();
    const took = (Date.now() - from) / 1000;
    if (good(answer)) return [answer, took];
    if (took > seconds) throw new Error(`after ${took} s it is still ${JSON.stringify(answer)}`);
    await sleep(200);
  }
};

const decision = (sequence: number): DecisionRecord => {
  const unit = Math.floor((sequence - 1) / LIFE);
  const index = ((sequence - 1) % LIFE) + 1;
  return {
    schema: 'decision/1',
    id: `${SITE}/edge-1/b1/${sequence}`,
    site: SITE,
    device: 'edge-1',
    boot: 'b1',
    sequence,
    modelLine: LINE,
    asset: `m${unit % 3}`,
    run: `r${unit}`,
    index,
    sourceTime: at(20 * unit + index),
    decidedAt: at(9000),
    verdict: 'pass',
    value: useCase.label.cap,
    reason: 'fine',
    packageDigest: CHAMPION,
    variant: 'fp32',
    featureSetDigest: digestOf(useCase.featureSet),
    inputDigest: digestOf(sequence),
    features: [1],
    latencyMs: 1,
  };
};
const uploadDecisions = async (from: number, to: number): Promise<void> => {
  const lines = Array.from({ length: to - from + 1 }, (_, i) => canonicalJson(decision(from + i)));
  const header = {
    schema: 'decision-object/1' as const,
    site: SITE,
    device: 'edge-1',
    boot: 'b1',
    firstSequence: from,
    lastSequence: to,
    count: lines.length,
    merkleRoot: merkleRoot(lines),
    packageDigests: [CHAMPION],
  };
  await drop(decisionObjectKey('local', header), [JSON.stringify(header), ...lines].join('\n'));
};
/** Failures as CSV. The first names its run, others only when it was, or which decision it answers. */
const failures = (units: readonly number[]): string =>
  [
    'eventId,kind,site,asset,run,index,decision,validTime,knownTime,reportedBy',
    ...units.map((n) => {
      const how = [`r${n},${LIFE},`, ',,', `,,${SITE}/edge-1/b1/${n * LIFE + LIFE}`][n % 3];
      return `f${n},failure,${SITE},m${n % 3},${how},${at(20 * n + LIFE)},${at(20 * n + 80)},shift`;
    }),
  ].join('\n');

beforeAll(async () => {
  plant = await deployPlant();
  db = DynamoDBDocumentClient.from(new DynamoDBClient(plant.client));
  const useCaseDigest = digestOf(useCase);
  const command = (recordClass: RecordClass, id: string, body: Record<string, unknown>) => ({
    schema: 'ledger-command/1',
    commandId: `test/${recordClass}`,
    site: SITE,
    actor: 'test',
    reason: 'test',
    record: { class: recordClass, id, body },
  });
  await invoke(plant.names.ledgerWriter.name, {
    commands: [
      command('use-case', useCaseDigest, { ...useCase }),
      command('package', CHAMPION, { modelLine: LINE, validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } }),
      command('model-line', LINE, { ...aModelLine(LINE, useCaseDigest, CHAMPION) }),
    ],
  });
});

afterAll(() => plant?.stop());

describe('the loop from outcomes to the next retrain, on the local AWS', () => {
  it('joins outcomes of a dropped file to uploaded decisions, and asks for one retrain within seconds', async () => {
    await uploadDecisions(1, UNITS * LIFE);
    await drop('inbox/events/early.csv', failures([0, 1, 2, 3, 4, 5, 6, 7]));
    const [judged] = await until(line, (j) => j?.outcomes === 8);
    expect(judged).toMatchObject({ packageDigest: CHAMPION, coverage: { known: 8 }, action: { kind: 'ask-labels' } });

    await drop('inbox/events/late.csv', `${failures([8, 9, 10, 11])}\nnonsense`);
    const [retrains, seconds] = await until(
      () => all('retrain'),
      (r) => r.length > 0,
    );
    expect(retrains[0]?.body).toMatchObject({ modelLine: LINE, cause: 'drift' });
    console.info(`from the last needed outcome to the retrain that runs: ${seconds.toFixed(1)} s`);
    expect((await latest('event-file', 'inbox/events/late.csv'))?.body).toMatchObject({ events: 4, quarantined: 1 });
    expect((await latest('plant-event', `${SITE}/f1~joined`))?.body).toMatchObject({ run: 'r1', index: LIFE });
    expect((await latest('plant-event', `${SITE}/f2~joined`))?.body).toMatchObject({ run: 'r2', index: LIFE });
  });

  it('cools down when the retrain is refused, and asks for no second one when everything comes again', async () => {
    // There is no history to learn from here: the retrain refuses, and says so.
    await until(line, (j) => j?.state === 'COOLDOWN');
    const before = await line();
    await drop('inbox/events/again.csv', failures(Array.from({ length: UNITS }, (_, n) => UNITS - 1 - n)));
    await drop(
      'inbox/events/false.csv',
      failures([0, 3, 6]).replaceAll(/^f/gm, 'false-').replaceAll(`,${LIFE},`, ',2,'),
    );
    const [file] = await until(
      () => latest('event-file', 'inbox/events/false.csv'),
      (f) => f !== undefined,
    );
    expect(file?.body).toMatchObject({ events: 3, quarantined: 0 });
    await sleep(5000);
    expect(await line()).toEqual(before);
    expect(await all('retrain')).toHaveLength(1);
    const outcomes = (await all('judgement')).filter((j) => j.id.startsWith('outcome/'));
    expect(outcomes).toHaveLength(UNITS);
  });
});
