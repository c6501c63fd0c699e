import { EVENTS } from '#core/contracts/events.ts';
import { RetrainRequest } from '#core/contracts/retrain.ts';
import { definitions } from '../../use-cases/predictive-maintenance/use-case.ts';
import { configOf, resourcesOf, type Synthesised, synthesise } from './synth.ts';

const stacks = synthesise(configOf('example-four-accounts'));

type Json = Record<string, unknown>;
interface Machine {
  readonly name: string;
  readonly definition: { StartAt: string; States: Record<string, Json> };
  readonly may: readonly { readonly action: string; readonly resources: readonly string[] }[];
}

/** Text of a value with every reference as `<id>`. */
const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const v = value as Json;
  if (Array.isArray(v['Fn::Join'])) return (v['Fn::Join'][1] as unknown[]).map(text).join(v['Fn::Join'][0] as string);
  if (v['Ref'] !== undefined) return `<${v['Ref']}>`;
  if (v['Fn::GetAtt'] !== undefined) return `<${(v['Fn::GetAtt'] as string[]).join('.')}>`;
  if (typeof v['Fn::Sub'] === 'string') return v['Fn::Sub'];
  throw new Error(`the test does not know ${JSON.stringify(value)}`);
};
const list = <T>(v: T | T[]): T[] => (Array.isArray(v) ? v : [v]);

const statementsOf = (stack: Synthesised, roleId: string) =>
  Object.values(stack.template.Resources)
    .filter((r) => r.Type === 'AWS::IAM::Policy' && (r.Properties['Roles'] as Json[]).some((x) => x['Ref'] === roleId))
    .flatMap(
      (r) =>
        (r.Properties['PolicyDocument'] as { Statement: { Action: string | string[]; Resource: unknown }[] }).Statement,
    )
    .flatMap((s) => list(s.Action).map((action) => ({ action, resources: list(s.Resource).map(text) })));

const machines: readonly Machine[] = stacks.flatMap((stack) =>
  Object.values(stack.template.Resources)
    .filter((r) => r.Type === 'AWS::StepFunctions::StateMachine')
    .map((r) => ({
      name: r.Properties['StateMachineName'] as string,
      definition: JSON.parse(text(r.Properties['DefinitionString'])),
      may: statementsOf(stack, (r.Properties['RoleArn'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0] as string),
    })),
);

/** Every state, those inside maps too, by name. */
const statesOf = (definition: Machine['definition']): [string, Json][] =>
  Object.entries(definition.States).flatMap(([name, state]) => [
    [name, state] as [string, Json],
    ...(state['ItemProcessor'] === undefined ? [] : statesOf(state['ItemProcessor'] as Machine['definition'])),
  ]);

/** What a task calls, as the actions and the resources its role needs. */
const needs = ([, state]: [string, Json]): { action: string; resource: RegExp }[] => {
  const exactly = (s: string): RegExp => new RegExp(`^${s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  if (state['ItemReader'] !== undefined) {
    const reader = (state['ItemReader'] as { Parameters: Json }).Parameters;
    return [
      { action: 's3:GetObject', resource: new RegExp(`^arn:aws:s3:::${reader['Bucket']}/(items|backfills)/\\*$`) },
      { action: 'states:StartExecution', resource: /stateMachine:/ },
      { action: 'states:DescribeExecution', resource: /execution:/ },
      { action: 'states:StopExecution', resource: /execution:/ },
    ];
  }
  if (state['Type'] !== 'Task') return [];
  const resource = state['Resource'] as string;
  const parameters = (state['Parameters'] ?? {}) as Json;
  if (resource.startsWith('arn:aws:lambda:')) return [{ action: 'lambda:InvokeFunction', resource: exactly(resource) }];
  if (resource.includes('lambda:invoke'))
    return [{ action: 'lambda:InvokeFunction', resource: exactly(parameters['FunctionName'] as string) }];
  if (resource.includes('startExecution.sync'))
    return [
      { action: 'states:StartExecution', resource: exactly(parameters['StateMachineArn'] as string) },
      { action: 'states:DescribeExecution', resource: /:execution:/ },
      { action: 'states:StopExecution', resource: /:execution:/ },
      { action: 'events:PutRule', resource: /StepFunctionsGetEventsForStepFunctionsExecutionRule$/ },
      { action: 'events:PutTargets', resource: /StepFunctionsGetEventsForStepFunctionsExecutionRule$/ },
    ];
  const [, kind] = /sagemaker:create(Training|Processing)Job\.sync$/.exec(resource) ?? [];
  if (kind === undefined) throw new Error(`the test does not know what ${resource} needs: teach it`);
  return [
    ...['Create', 'Describe', 'Stop'].map((verb) => ({
      action: `sagemaker:${verb}${kind}Job`,
      resource: new RegExp(`:${kind.toLowerCase()}-job/`),
    })),
    { action: 'sagemaker:AddTags', resource: new RegExp(`:${kind.toLowerCase()}-job/`) },
    { action: 'iam:PassRole', resource: exactly(parameters['RoleArn'] as string) },
    { action: 'events:PutRule', resource: new RegExp(`SageMaker${kind}JobsRule$`) },
    { action: 'events:PutTargets', resource: new RegExp(`SageMaker${kind}JobsRule$`) },
  ];
};

test('there are the five state machines', () => {
  expect(machines.map((m) => m.name).sort()).toEqual(
    ['backfill', 'judge-lines', 'release', 'retrain', 'wave'].map((name) => `mw-example-${name}`),
  );
});

describe.each(machines.map((m) => [m.name, m] as const))('%s', (_, machine) => {
  const states = statesOf(machine.definition);

  test('its role may make every call that its definition makes', () => {
    const missing = states
      .flatMap((s) => needs(s).map((n) => ({ state: s[0], ...n })))
      .filter(
        ({ action, resource }) =>
          !machine.may.some((m) => m.action === action && m.resources.some((r) => resource.test(r))),
      );
    expect(missing).toEqual([]);
  });

  test('its role may invoke no function that the definition does not call', () => {
    const called = JSON.stringify(machine.definition);
    const idle = machine.may
      .filter((m) => m.action === 'lambda:InvokeFunction')
      .flatMap((m) => m.resources)
      .filter((r) => !called.includes(r));
    expect(idle).toEqual([]);
  });

  test('every task has a timeout', () => {
    expect(states.filter(([, s]) => s['Type'] === 'Task' && s['TimeoutSeconds'] === undefined).map(([n]) => n)).toEqual(
      [],
    );
  });

  test('every state that is named is there, and every state can be reached', () => {
    const check = (d: Machine['definition']): void => {
      const reached = new Set<string>();
      const go = (name: string): void => {
        if (reached.has(name)) return;
        reached.add(name);
        const state = d.States[name];
        if (state === undefined) throw new Error(`state ${name} is named and not there`);
        for (const next of [
          state['Next'],
          state['Default'],
          ...((state['Choices'] ?? []) as Json[]).map((c) => c['Next']),
          ...((state['Catch'] ?? []) as Json[]).map((c) => c['Next']),
        ])
          if (typeof next === 'string') go(next);
        if (state['ItemProcessor'] !== undefined) check(state['ItemProcessor'] as Machine['definition']);
      };
      go(d.StartAt);
      expect(Object.keys(d.States).filter((n) => !reached.has(n))).toEqual([]);
    };
    check(machine.definition);
  });
});

const machine = (name: string): Machine => machines.find((m) => m.name === `mw-example-${name}`) as Machine;

test('a fault of any step of retrain goes to the recording step, under the name of the step', () => {
  const { States } = machine('retrain').definition;
  const recording = 'RecordFailure';
  for (const [name, state] of Object.entries(States)) {
    if (!['Task', 'Map'].includes(state['Type'] as string) || name === recording) continue;
    const rules = state['Catch'] as { ErrorEquals: string[]; ResultPath: string; Next: string }[];
    expect({ name, last: rules.at(-1) }).toMatchObject({
      last: { ErrorEquals: ['States.ALL'], Next: recording, ResultPath: expect.stringMatching(/^\$\.failed\.\w+$/) },
    });
  }
});

test('a map reads its items from a bucket of the account that the machine is in', () => {
  const read = stacks.flatMap((stack) =>
    resourcesOf([stack], 'AWS::StepFunctions::StateMachine').flatMap((r) =>
      statesOf(JSON.parse(text(r.Properties['DefinitionString']))).flatMap(([, state]) => {
        const bucket = (state['ItemReader'] as { Parameters: Json } | undefined)?.Parameters['Bucket'];
        return bucket === undefined ? [] : [{ bucket, account: stack.account }];
      }),
    ),
  );
  expect(read).toHaveLength(4);
  for (const { bucket, account } of read) {
    const owner = stacks.find((s) =>
      resourcesOf([s], 'AWS::S3::Bucket').some((b) => b.Properties['BucketName'] === bucket),
    );
    expect(owner?.account).toBe(account);
  }
});

test('refusals are not tried again', () => {
  for (const { definition } of machines)
    for (const [name, state] of statesOf(definition))
      for (const retry of (state['Retry'] ?? []) as { ErrorEquals: string[] }[])
        expect({
          name,
          refused: retry.ErrorEquals.some((e) =>
            ['Refused', 'Duplicate', 'States.ALL', 'States.TaskFailed'].includes(e),
          ),
        }).toEqual({ name, refused: false });
});

test('a function whose process was killed, or that has no capacity, is called again by every step', () => {
  for (const { definition } of machines)
    for (const [name, state] of statesOf(definition)) {
      if (!JSON.stringify(state['Resource'] ?? '').includes('lambda')) continue;
      const retried = ((state['Retry'] ?? []) as { ErrorEquals: string[] }[]).flatMap((r) => r.ErrorEquals);
      expect({ name, retried }).toEqual({
        name,
        retried: expect.arrayContaining(['Runtime.ExitError', 'Lambda.Unknown', 'Lambda.TooManyRequestsException']),
      });
    }
});

test('only evaluation may read test features, and training roles may not', () => {
  const readers = stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, r]) => r.Type === 'AWS::IAM::Role')
      .filter(([id]) =>
        statementsOf(stack, id).some(
          (s) => s.action === 's3:GetObject' && s.resources.some((r) => /features\/(\*|split=\*|split=test)/.test(r)),
        ),
      )
      .map(([, r]) => r.Properties['RoleName']),
  );
  expect(readers).toEqual(['mw-example-evaluate']);
});

test('the bus starts backfill, retrain and release with the detail of their events', () => {
  const rules = resourcesOf(stacks, 'AWS::Events::Rule').filter((r) => String(r.Properties['Name']).endsWith('-start'));
  expect(
    rules.map((r) => [
      (r.Properties['EventPattern'] as Json)['detail-type'],
      (r.Properties['Targets'] as Json[])[0]?.['InputPath'],
    ]),
  ).toEqual([
    [['BackfillRequested'], '$.detail'],
    [['RetrainRequested'], '$.detail'],
    [['ReleaseCandidate'], '$.detail'],
  ]);
});

test('states of the largest retrain and release stay far under 256 KiB', () => {
  // As steps leave it: the widest feature set that the contract allows, long texts everywhere.
  const useCase = definitions[0]?.useCase;
  const names = Array.from({ length: 400 }, (_, i) => `a_feature_with_a_long_name_of_forty_characters_${i}`);
  const request: RetrainRequest = {
    modelLine: `${'u'.repeat(48)}/${'s'.repeat(48)}`,
    site: 's'.repeat(48),
    cause: 'person',
    requestedBy: 'p'.repeat(256),
    reason: 'r'.repeat(4000),
    requestId: 'i'.repeat(64),
  };
  RetrainRequest.parse(request);
  const digest = `sha256:${'f'.repeat(64)}`;
  const uri = `s3://${'b'.repeat(63)}/${'k'.repeat(300)}`;
  const retrain = {
    ...request,
    plan: {
      go: true,
      execution: 'e'.repeat(80),
      executionId: 'e'.repeat(256),
      startedAt: '',
      request,
      useCaseDigest: digest,
      jobName: 'j'.repeat(63),
      champion: { packageDigest: digest, packagePrefix: uri },
    },
    snapshot: {
      digest,
      featureSetDigest: digest,
      itemsKey: uri,
      testItemsKey: uri,
      counts: {},
      snapshotUri: uri,
      trainUri: uri,
      calibrationUri: uri,
      outputUri: uri,
      candidateUri: uri,
      candidatePrefix: uri,
      hyperparameters: { feature_names: JSON.stringify(names), settings: 's'.repeat(2500) },
    },
    train: { job: 'j'.repeat(63), model: uri },
    quantize: {},
    report: { key: uri, digest },
    gate: { verdictKey: uri, admittedVariants: ['fp32', 'int8'], says: 's'.repeat(2000) },
    package: { digest, prefix: uri, releaseNumber: 1e6, bytes: 1e9 },
    registered: {},
  };
  expect(Buffer.byteLength(JSON.stringify(retrain))).toBeLessThan(128 * 1024);
  const releaseRequest = EVENTS.ReleaseCandidate.parse({
    schema: 'release-request/1',
    releaseId: 'r'.repeat(64),
    modelLine: request.modelLine,
    site: request.site,
    packageDigest: digest,
    packagePrefix: uri,
    releaseNumber: 1,
    requestedBy: request.requestedBy,
    reason: 'r'.repeat(400),
    revert: false,
  });
  const rings = Array.from({ length: 100 }, (_, ring) => ({
    ring,
    deviceClass: 'c'.repeat(48),
    thingGroup: 'g'.repeat(128),
  }));
  const plan = {
    execution: 'e'.repeat(80),
    executionId: 'e'.repeat(256),
    startedAt: '',
    request: releaseRequest,
    componentName: 'c'.repeat(128),
    componentVersion: '1.0.1',
    policy: { ...useCase?.rollout, rings: rings.map((r) => r.ring) },
    pollSeconds: 2,
    shadow: { champion: digest, expected: 0.1, differsOn: Array.from({ length: 200 }, () => 'a'.repeat(48)) },
    crowns: true,
    rings,
  };
  const release = {
    ...releaseRequest,
    prepared: { plan, riskClass: 'person' },
    approval: { approvedBy: 'p'.repeat(256), reason: 'r'.repeat(4000) },
    failed: { Rings: { Error: 'e', Cause: 'c'.repeat(32_768) } },
  };
  expect(Buffer.byteLength(JSON.stringify(release))).toBeLessThan(128 * 1024);
});

test('without rows on upload there is no function and no queue for them, and backfills go on', () => {
  const config = configOf('example-four-accounts');
  const [ingest] = synthesise({ ...config, featureStore: { onUpload: false } }).filter((s) => s.name === 'Ingest');
  const named = (type: string, property: string) =>
    resourcesOf([ingest as Synthesised], type).map((r) => String(r.Properties[property]));
  expect(named('AWS::Lambda::Function', 'FunctionName').filter((n) => n.includes('store-features'))).toEqual([]);
  expect(named('AWS::SQS::Queue', 'QueueName').filter((n) => n.includes('store-features'))).toEqual([]);
  expect(named('AWS::StepFunctions::StateMachine', 'StateMachineName')).toEqual(['mw-example-backfill']);
});
