import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import type { IoTClient } from '@aws-sdk/client-iot';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoFleet } from '../../lambdas/shared/fleet-table.ts';
import { awsFleet } from '../../lambdas/shared/greengrass.ts';
import { dynamoJudgement } from '../../lambdas/shared/judgement-table.ts';
import { dynamoLanding } from '../../lambdas/shared/landing-table.ts';
import { type LedgerCommandInput, lambdaLedger } from '../../lambdas/shared/ledger-client.ts';
import { s3Files } from '../../lambdas/shared/object-files.ts';
import { s3Store } from '../../lambdas/shared/object-store.ts';
import { sqsQueues } from '../../lambdas/shared/queues.ts';
import { dynamoRegistry } from '../../lambdas/shared/registry-reader.ts';
import { ROOT } from './synth.ts';

/*
 * What the code of a Lambda calls, found in two ways: its own sources are read for SDK commands and for methods of its
 * ports; what a method of a shared port sends is not read but run, against a client that only writes down.
 */

const SERVICES: Readonly<Record<string, string>> = {
  GetObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  ListObjectsV2: 's3:ListBucket',
  DeleteObjects: 's3:DeleteObject',
  SendMessage: 'sqs:SendMessage',
  Get: 'dynamodb:GetItem',
  Put: 'dynamodb:PutItem',
  Query: 'dynamodb:Query',
  Scan: 'dynamodb:Scan',
  // Its actions are those of its items; the writer's are puts.
  TransactWrite: 'dynamodb:PutItem',
  Invoke: 'lambda:InvokeFunction',
  PutEvents: 'events:PutEvents',
  Sign: 'kms:Sign',
  DescribeExecution: 'states:DescribeExecution',
  ListExecutions: 'states:ListExecutions',
  PutMetricData: 'cloudwatch:PutMetricData',
  CreateComponentVersion: 'greengrass:CreateComponentVersion',
  GetComponent: 'greengrass:GetComponent',
  CreateDeployment: 'greengrass:CreateDeployment',
  GetDeployment: 'greengrass:GetDeployment',
  ListDeployments: 'greengrass:ListDeployments',
  ListEffectiveDeployments: 'greengrass:ListEffectiveDeployments',
  ListThingsInThingGroup: 'iot:ListThingsInThingGroup',
};

const actionOf = (command: string, where: string): string => {
  const action = SERVICES[command.replace(/Command$/, '')];
  if (action === undefined) throw new Error(`${where} sends ${command}: say in SERVICES which action that is`);
  return action;
};

/** A place is the word of a table: a bucket, a table, an index of it; empty where one action has one place only. */
interface Port {
  readonly methods: Readonly<Record<string, (port: never) => Promise<unknown>>>;
  readonly make: (client: never) => unknown;
}

const command: LedgerCommandInput = {
  schema: 'ledger-command/1',
  commandId: 'c',
  site: 's',
  actor: 'person:a',
  reason: 'r',
  record: { class: 'package', id: 'p', body: {} },
  edges: [],
};
const report = { site: 's', device: 'd', modelLine: 'm', at: '2026-01-01T00:00:00.000Z' };
const PORTS: Readonly<Record<string, Port>> = {
  s3Store: {
    make: (c: S3Client) => s3Store(c, 'PLACE'),
    methods: {
      get: (p: ReturnType<typeof s3Store>) => p.get('k'),
      find: (p: ReturnType<typeof s3Store>) => p.find('k'),
      put: (p: ReturnType<typeof s3Store>) => p.put('k', new Uint8Array()),
      list: (p: ReturnType<typeof s3Store>) => p.list('k'),
    },
  },
  dynamoRegistry: {
    make: (c: DynamoDBDocumentClient) => dynamoRegistry(c, 'PLACE'),
    methods: {
      latest: (p: ReturnType<typeof dynamoRegistry>) => p.latest('package', 'x'),
      list: (p: ReturnType<typeof dynamoRegistry>) => p.list('package'),
      edges: (p: ReturnType<typeof dynamoRegistry>) => p.edges('n', 'in'),
      versions: (p: ReturnType<typeof dynamoRegistry>) => p.versions('package', 'x'),
    },
  },
  dynamoJudgement: {
    make: (c: DynamoDBDocumentClient) => dynamoJudgement(c, 'PLACE'),
    methods: {
      get: (p: ReturnType<typeof dynamoJudgement>) => p.get({ pk: 'p', sk: 's' }),
      list: (p: ReturnType<typeof dynamoJudgement>) => p.list('p', 's'),
      next: (p: ReturnType<typeof dynamoJudgement>) => p.next('p', 's'),
      put: (p: ReturnType<typeof dynamoJudgement>) => p.put({ pk: 'p', sk: 's' }),
      putAll: (p: ReturnType<typeof dynamoJudgement>) => p.putAll([{ item: { pk: 'p', sk: 's' }, readAt: 1 }]),
    },
  },
  dynamoFleet: {
    make: (c: DynamoDBDocumentClient) => dynamoFleet(c, 'PLACE'),
    methods: {
      report: (p: ReturnType<typeof dynamoFleet>) => p.report('s', 'd', 'm'),
      putReport: (p: ReturnType<typeof dynamoFleet>) => p.putReport({ report: report as never, receivedAt: report.at }),
      ring: (p: ReturnType<typeof dynamoFleet>) => p.ring('r', 0, 'c'),
      putRing: (p: ReturnType<typeof dynamoFleet>) => p.putRing('r', { ring: 0, deviceClass: 'c' } as never),
      rings: (p: ReturnType<typeof dynamoFleet>) => p.rings('r'),
      putApproval: (p: ReturnType<typeof dynamoFleet>) => p.putApproval('r', 't'),
    },
  },
  awsFleet: {
    make: (c: GreengrassV2Client & IoTClient) => awsFleet(c, c, 'r:a'),
    methods: {
      recipe: (p: ReturnType<typeof awsFleet>) => p.recipe('n', '1.0.0'),
      createVersion: (p: ReturnType<typeof awsFleet>) => p.createVersion('{}', 't', {}),
      current: (p: ReturnType<typeof awsFleet>) => p.current('g'),
      deploy: (p: ReturnType<typeof awsFleet>) =>
        p.deploy({ thingGroup: 'g', name: 'n', components: {}, clientToken: 't', tags: {}, onFailure: 'ROLLBACK' }),
      things: (p: ReturnType<typeof awsFleet>) => p.things('g'),
      statusOn: (p: ReturnType<typeof awsFleet>) => p.statusOn('t', 'd'),
    },
  },
  s3Files: {
    make: (c: S3Client) => s3Files(c, 'PLACE'),
    methods: {
      entries: (p: ReturnType<typeof s3Files>) => p.entries('k'),
      putNew: (p: ReturnType<typeof s3Files>) => p.putNew('k', new Uint8Array(), 't'),
      remove: (p: ReturnType<typeof s3Files>) => p.remove(['k']),
    },
  },
  sqsQueues: {
    make: (c: SQSClient) => sqsQueues(c),
    methods: { send: (p: ReturnType<typeof sqsQueues>) => p.send('u', {}) },
  },
  dynamoLanding: {
    make: (c: DynamoDBDocumentClient) => dynamoLanding(c, 'PLACE'),
    methods: {
      claim: (p: ReturnType<typeof dynamoLanding>) => p.claim('a/b', { key: 'k', content: 'c', leaseUntil: 1 }),
      takeOver: (p: ReturnType<typeof dynamoLanding>) =>
        p.takeOver('a/b', { key: 'k', content: 'c', leaseUntil: 1 }, { key: 'l', content: 'c', leaseUntil: 2 }),
    },
  },
  lambdaLedger: {
    make: (c: LambdaClient) => lambdaLedger(c, 'PLACE'),
    methods: { write: (p: ReturnType<typeof lambdaLedger>) => p.write([command]) },
  },
};

/** What one method of a port sends: actions with `PLACE` where the port's table, bucket or function is. */
const sentBy = async (port: Port, method: string): Promise<string[]> => {
  const call = port.methods[method];
  if (call === undefined) throw new Error(`no example of a call of "${method}": add one to PORTS`);
  const sent: string[] = [];
  const client = {
    send: async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
      const { Bucket, TableName, IndexName, FunctionName, TransactItems } = command.input;
      const written = (TransactItems as { Put: { TableName: string } }[] | undefined)?.[0]?.Put.TableName;
      const place = [Bucket ?? TableName ?? written ?? FunctionName, IndexName]
        .filter((x) => x !== undefined)
        .join('/index/');
      sent.push(`${actionOf(command.constructor.name, method)}${place === '' ? '' : ` on ${place}`}`);
      return { deploymentId: 'd', deployments: [{ deploymentId: 'd' }], Payload: Buffer.from('null') };
    },
  };
  try {
    await call(port.make(client as never) as never);
  } catch (error) {
    // An answer that is none may be refused, but only after it was asked for.
    if (sent.length === 0) throw error;
  }
  if (sent.length === 0) throw new Error(`the example of a call of "${method}" sends nothing: make it a better one`);
  return sent;
};

/** Functions that are handed a port, and what they call of it. */
const HELPERS: Readonly<Record<string, readonly string[]>> = {
  framesOf: ['get'],
  getJson: ['get'],
  putJson: ['put'],
  putLinesAside: ['put'],
  readReport: ['get'],
  readFeatureSet: ['latest'],
  publishedFeatureSets: ['latest', 'list'],
  publishedUseCases: ['list'],
  readMessageRules: ['list'],
  readUseCase: ['latest'],
  readModelLine: ['latest'],
  useCaseOfLine: ['latest'],
  walkLineage: ['edges'],
  writeAll: ['write'],
  writeFirst: ['write'],
  writeOrFail: ['write'],
  rememberEvent: ['get', 'list', 'put', 'putAll'],
  rememberDecisions: ['get', 'put', 'putAll'],
  change: ['get', 'putAll'],
  settleUnit: ['putAll'],
  keepFindings: ['get', 'putAll'],
  knownFindings: ['list'],
  keptEvents: ['list'],
  readEvents: ['list'],
  wholeWindow: ['get', 'list', 'put'],
  keepWindow: ['find', 'put'],
};

/** `names.x` in sources to the word of the table. */
const PLACES: Readonly<Record<string, string>> = {
  'names.lakeBucket': 'lake',
  'names.artifactsBucket': 'artifacts',
  'names.workBucket': 'work',
  'names.evidenceBucket': 'evidence',
  'names.registry': 'registry',
  'names.fleetTable': 'fleet',
  'names.judgementTable': 'judgement',
  'names.landingTable': 'landing',
  'names.ledgerWriter': 'ledger-writer',
  'names.bus': 'bus',
};
const placeIn = (text: string): string | undefined =>
  Object.entries(PLACES).find(([name]) => new RegExp(`\\b${name.replace('.', '\\.')}\\b`).test(text))?.[1];

/**
 * Every action that the sources of a Lambda call, with the place where it is known: `dynamodb:GetItem on registry`.
 * @throws {Error} when the sources do what this reader does not know, so that nothing is missed in silence.
 */
export const callsOf = async (name: string): Promise<string[]> => {
  const folder = join(ROOT, 'lambdas', name);
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const files = readdirSync(folder).filter((f) => f.endsWith('.ts'));
  const index = read('index.ts');
  const rest = files
    .filter((f) => f !== 'index.ts')
    .map(read)
    .join('\n');
  const calls: string[] = [];

  const ports = new Map<string, { port: Port; place: string | undefined }>();
  for (const [, dep, factory, text] of index.matchAll(/^ {2}(\w+): (\w+)\((.*)\),$/gm)) {
    const port = PORTS[factory as string];
    if (factory === 'announceOn') calls.push(`events:PutEvents on ${placeIn(text as string)}`);
    else if (port !== undefined) ports.set(dep as string, { port, place: placeIn(text as string) });
  }
  for (const [factory] of Object.entries(PORTS)) {
    const made = [...ports.values()].filter((p) => p.port === PORTS[factory]).length;
    if ((index.match(new RegExp(`\\b${factory}\\(`, 'g')) ?? []).length !== made)
      throw new Error(`lambdas/${name}/index.ts makes a ${factory} that is no line "dep: ${factory}(…)," of its own`);
  }

  const used = new Map<string, Set<string>>([...ports.keys()].map((dep) => [dep, new Set()]));
  for (const [, dep, method] of rest.matchAll(/\bdeps\.(\w+)\s*\.(\w+)\(/g))
    used.get(dep as string)?.add(method as string);
  for (const [, helper, dep] of rest.matchAll(/\b(\w+)\(\s*deps\.(\w+)\s*[,)]/g)) {
    if (!used.has(dep as string)) continue;
    const methods = HELPERS[helper as string];
    if (methods === undefined) throw new Error(`${helper}(deps.${dep}) of ${name}: say in HELPERS what it calls`);
    for (const method of methods) used.get(dep as string)?.add(method);
  }
  if (/\blookAtRing\(deps,/.test(rest)) {
    for (const method of ['things', 'statusOn']) used.get('fleet')?.add(method);
    used.get('table')?.add('report');
  }
  if (/\b(judgeModelLine|syncRecord)\(deps,/.test(rest)) {
    used.get('registry')?.add('latest');
    used.get('ledger')?.add('write');
  }
  if (/\bjudgeModelLine\(deps,/.test(rest))
    for (const [dep, methods] of Object.entries({
      judgement: ['get', 'list', 'putAll'],
      registry: ['list'],
      lake: ['put'],
    }))
      for (const method of methods) used.get(dep)?.add(method);
  if (/\b(landMessages|landRows|quarantineMessages)\(\s*deps,/.test(rest)) {
    for (const method of ['get', 'list', 'put']) used.get('lake')?.add(method);
    for (const method of ['claim', 'takeOver']) used.get('landing')?.add(method);
  }
  if (/\bstoreFeatures\(\s*deps,/.test(rest)) {
    for (const method of ['get', 'find', 'list', 'put']) used.get('lake')?.add(method);
    for (const method of ['latest', 'versions']) used.get('registry')?.add(method);
  }
  if (/\bbackfillObjects\(\s*deps,/.test(rest)) {
    used.get('lake')?.add('list');
    for (const method of ['latest', 'versions']) used.get('registry')?.add(method);
  }
  if (/\brecordBatch\(event, deps,/.test(rest)) used.get('ledger')?.add('write');
  for (const [dep, methods] of used) {
    const { port, place } = ports.get(dep) as { port: Port; place: string | undefined };
    if (methods.size === 0) throw new Error(`lambdas/${name} makes deps.${dep} and calls nothing of it: leave it out`);
    for (const method of methods)
      calls.push(...(await sentBy(port, method)).map((call) => call.replace('PLACE', place ?? '?')));
  }

  // Commands that a handler sends itself go to the one table or bucket that its index names.
  const table = placeIn(/^ {2}table: (names\.\w+)\.name,$/m.exec(index)?.[1] ?? '');
  const bucket = placeIn(/\bBucket: (names\.\w+)/.exec(index)?.[1] ?? '');
  for (const [, command] of `${index}\n${rest}`.matchAll(/new (\w+)Command\(/g)) {
    const action = actionOf(command as string, `lambdas/${name}`);
    const indexed = action === 'dynamodb:Query' && /\bregistryQueries\.list\(/.test(rest) ? '/index/byClass' : '';
    const at = action.startsWith('dynamodb:') ? `${table}${indexed}` : action.startsWith('s3:') ? bucket : undefined;
    calls.push(at === undefined ? action : `${action} on ${at}`);
  }
  return [...new Set(calls)].sort();
};
