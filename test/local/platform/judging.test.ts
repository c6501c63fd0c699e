import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type DecisionRecord, decisionObjectKey } from '#core/contracts/decision.ts';
import { judgementKeys, type LineJudgement } from '#core/contracts/judgement.ts';
import { LabelRequest } from '#core/contracts/label-request.ts';
import { type RecordClass, registryQueries } from '#core/contracts/ledger.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf, merkleRoot } from '#core/lineage/digest.ts';
import { lotOf } from '#core/outcomes/selection.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';

jest.setTimeout(300_000);

const LINE = 'predictive-maintenance/plant-a';
const SITE = 'plant-a';
const CHAMPION = `sha256:${'1'.repeat(64)}`;
/** A line of the same kind of which only rejects are inspected, and of the others every second one by lot. */
const REJECTS_LINE = 'only-rejects/plant-a';
const REJECTS_CHAMPION = `sha256:${'2'.repeat(64)}`;
const QUOTA = 0.5;
const SELECTED_UNITS = 45;
const UNITS = 12;
const LIFE = 10;
const published = (definitions[0] as (typeof definitions)[number]).useCase;
const useCase: UseCase = { ...published, judging: { ...published.judging, minOutcomes: 10, cooldownDays: 60 } };
const rejectsUseCase: UseCase = {
  ...useCase,
  id: 'only-rejects',
  judging: {
    ...useCase.judging,
    maturityDays: 10,
    outcomes: { inspected: 'rejects', quota: QUOTA, onlyMature: true },
  },
};
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
const lineOf = async (modelLine: string): Promise<LineJudgement | undefined> =>
  (await db.send(new GetCommand({ TableName: plant.names.judgementTable.name, Key: judgementKeys.state(modelLine) })))
    .Item?.['judgement'];
const line = () => lineOf(LINE);
/** How many units of {@link REJECTS_LINE} the judge knows of. */
const servedUnits = async (): Promise<number | undefined> => {
  const { pk, sk } = judgementKeys.served(REJECTS_LINE, REJECTS_CHAMPION, '', '');
  const answer = await db.send(
    new QueryCommand({
      TableName: plant.names.judgementTable.name,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': pk, ':sk': sk.slice(0, -1) },
      Select: 'COUNT',
    }),
  );
  return answer.Count;
};
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
/** A quarter is rejected, and the model is far off on these; on the others a little. */
const isReject = (unit: number): boolean => unit % 4 === 0;
const OFF = { reject: 0.4, pass: 0.05 };
const selectedDecision = (sequence: number): DecisionRecord => {
  const first = decision(sequence);
  const unit = Math.floor((sequence - 1) / LIFE);
  const off = isReject(unit) ? OFF.reject : OFF.pass;
  return {
    ...first,
    id: `${SITE}/edge-2/b1/${sequence}`,
    device: 'edge-2',
    modelLine: REJECTS_LINE,
    asset: `s${unit % 3}`,
    verdict: isReject(unit) ? 'fail' : 'pass',
    value: LIFE - first.index + off * useCase.label.cap,
    packageDigest: REJECTS_CHAMPION,
  };
};
const uploadDecisions = async (
  from: number,
  to: number,
  decided: (sequence: number) => DecisionRecord = decision,
): Promise<void> => {
  const records = Array.from({ length: to - from + 1 }, (_, i) => decided(from + i));
  const lines = records.map((d) => canonicalJson(d));
  const { device, packageDigest } = records[0] as DecisionRecord;
  const header = {
    schema: 'decision-object/1' as const,
    site: SITE,
    device,
    boot: 'b1',
    firstSequence: from,
    lastSequence: to,
    count: lines.length,
    merkleRoot: merkleRoot(lines),
    packageDigests: [packageDigest as string],
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
    commandId: `test/${recordClass}/${id}`,
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
      command('use-case', digestOf(rejectsUseCase), { ...rejectsUseCase }),
      command('package', REJECTS_CHAMPION, {
        modelLine: REJECTS_LINE,
        validationLoss: { mean: 0.1, upper: 0.18, runs: 20 },
      }),
      command('model-line', REJECTS_LINE, {
        ...aModelLine(REJECTS_LINE, digestOf(rejectsUseCase), REJECTS_CHAMPION),
      }),
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
    const [request] = await until(
      () => latest('judgement', `labels/${LINE}/${CHAMPION.slice('sha256:'.length)}/1`),
      (r) => r !== undefined,
    );
    for (const unit of LabelRequest.parse(request?.body).units) expect(unit).toMatch(/^m[012]\/r\d+$/);

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

describe('a line of which only rejects are inspected, on the local AWS', () => {
  const units = Array.from({ length: SELECTED_UNITS }, (_, n) => n);
  const assetOf = (n: number): string => `s${n % 3}`;
  /** Failures that became known 3 days after the unit stopped, or later. */
  const found = (of: readonly number[], laterHours = 0): string =>
    [
      'eventId,kind,site,asset,run,index,validTime,knownTime,reportedBy',
      ...of.map(
        (n) =>
          `g${n},failure,${SITE},${assetOf(n)},r${n},${LIFE},${at(20 * n + LIFE)},${at(20 * n + 80 + laterHours)},shift`,
      ),
    ].join('\n');

  it('asks for others by lot, and says a mean loss of all where what is told by itself would say another', async () => {
    const rejects = units.filter(isReject);
    await uploadDecisions(1, SELECTED_UNITS * LIFE, selectedDecision);
    await until(servedUnits, (n) => n === SELECTED_UNITS);
    await drop('inbox/events/rejects.csv', found(rejects));
    const [onlyRejects] = await until(
      () => lineOf(REJECTS_LINE),
      (j) => j?.coverage.known === rejects.length,
    );
    expect(onlyRejects?.meanLoss).toBeCloseTo(OFF.reject, 2);

    const [record] = await until(
      () => latest('judgement', `labels/${REJECTS_LINE}/${REJECTS_CHAMPION.slice('sha256:'.length)}/1`),
      (r) => r !== undefined,
    );
    const request = LabelRequest.parse(record?.body);
    expect(request).toMatchObject({ standing: true, share: QUOTA });
    const drawn = units.filter((n) => request.units.includes(`${assetOf(n)}/r${n}`));
    for (const n of drawn) expect(isReject(n)).toBe(false);
    const unasked = units.filter((n) => !isReject(n) && lotOf(REJECTS_CHAMPION, `${assetOf(n)}/r${n}`) >= QUOTA);
    expect(unasked.length).toBeGreaterThan(2);

    // Answers come five days late; two units tell by themselves that nobody asked for.
    await drop('inbox/events/asked.csv', found([...drawn, ...unasked.slice(0, 2)].reverse(), 120));
    const [judged] = await until(
      () => lineOf(REJECTS_LINE),
      (j) => j?.coverage.known === rejects.length + drawn.length + 2,
    );
    const truth = units.reduce((sum, n) => sum + (isReject(n) ? OFF.reject : OFF.pass), 0) / units.length;
    expect(Math.abs((judged?.meanLoss ?? 1) - truth)).toBeLessThan(0.05);
    expect(judged).toMatchObject({ state: 'HEALTHY', delays: { known: rejects.length + drawn.length + 2 } });
    expect(judged?.reasons.join()).toContain(
      'left out: 2 outcomes of units that were neither rejected nor drawn by lot',
    );
    expect(judged?.reasons.join()).toMatch(/outcomes do not count before their units are 10 days old/);
  });
});
