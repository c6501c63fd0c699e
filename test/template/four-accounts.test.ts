import { platformNames } from '#core/contracts/names.ts';
import { rolesOf } from './permissions.ts';
import { configOf, type Resource, resourcesOf, type Synthesised, synthesise } from './synth.ts';

/*
 * What AWS does only within one account: each such step must have both its ends there, or a policy at the other end that
 * lets it in.
 */

const aws = configOf('example-four-accounts');
const local = configOf('local');
const names = platformNames(aws);

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal: unknown;
  readonly Action: string | readonly string[];
  readonly Condition?: unknown;
}
const statements = (document: unknown): readonly Statement[] =>
  (document as { Statement: readonly Statement[] }).Statement;

const queuesOf = (stacks: readonly Synthesised[]) =>
  stacks.flatMap((stack) =>
    resourcesOf([stack], 'AWS::SQS::Queue').map((q) => ({
      url: `https://sqs.${aws.planes.data.region}.amazonaws.com/${stack.account}/${q.Properties['QueueName']}`,
      account: stack.account,
      policies: resourcesOf([stack], 'AWS::SQS::QueuePolicy')
        .filter((p) => JSON.stringify(p.Properties['Queues']).includes(`"${q.id}"`))
        .flatMap((p) => statements(p.Properties['PolicyDocument'])),
    })),
  );

const rootOf = (account: string) => ({
  AWS: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:iam::${account}:root`]] },
});

/** Whom the policy of a resource lets do what: `action account`, of every resource with one, by service and name. */
const letIn = (stacks: readonly Synthesised[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const found = new Map<string, Set<string>>();
  const add = (resource: string, all: readonly Statement[]): void => {
    const known = found.get(resource) ?? new Set();
    for (const { Effect, Principal, Action } of all)
      if (Effect === 'Allow')
        for (const [, account] of JSON.stringify(Principal).matchAll(/(?:iam::|"AWS":")(\d{12})/g))
          for (const action of [Action].flat()) known.add(`${action} ${account}`);
    found.set(resource, known);
  };
  for (const stack of stacks) {
    const nameOf = (reference: unknown, property: string): string => {
      const id = Object.keys(stack.template.Resources).find((key) => JSON.stringify(reference).includes(`"${key}"`));
      return String(stack.template.Resources[id as string]?.Properties[property]);
    };
    for (const { Type, Properties: p } of Object.values(stack.template.Resources)) {
      if (Type === 'AWS::S3::BucketPolicy')
        add(`s3 ${nameOf(p['Bucket'], 'BucketName')}`, statements(p['PolicyDocument']));
      if (Type === 'AWS::SQS::QueuePolicy')
        for (const queue of p['Queues'] as unknown[])
          add(`sqs ${nameOf(queue, 'QueueName')}`, statements(p['PolicyDocument']));
      if (Type === 'AWS::KMS::Key') add(`kms of ${stack.account}`, statements(p['KeyPolicy']));
      if (Type === 'AWS::Lambda::Permission')
        add(`lambda ${nameOf(p['FunctionName'], 'FunctionName')}`, [
          { Effect: 'Allow', Principal: { AWS: p['Principal'] }, Action: p['Action'] as string },
        ]);
      if (Type === 'AWS::DynamoDB::GlobalTable')
        for (const { ResourcePolicy } of p['Replicas'] as { ResourcePolicy?: { PolicyDocument: unknown } }[])
          if (ResourcePolicy !== undefined)
            add(`dynamodb ${p['TableName']}`, statements(ResourcePolicy.PolicyDocument));
      if (Type === 'AWS::Events::EventBusPolicy') add(`events of ${stack.account}`, [p['Statement'] as Statement]);
    }
  }
  return found;
};

it('lets a role do nothing in another account that the policy there does not let in', () => {
  const stacks = synthesise(aws);
  const buckets = new Map(
    stacks.flatMap((s) =>
      resourcesOf([s], 'AWS::S3::Bucket').map((b) => [b.Properties['BucketName'] as string, s.account] as const),
    ),
  );
  const policies = letIn(stacks);
  const across: string[] = [];
  const shut: string[] = [];
  for (const stack of stacks)
    for (const [role, { may }] of Object.entries(rolesOf([stack], [])))
      for (const line of may) {
        const [, action = '', service = '', owner = '', rest = ''] =
          /^(\S+) on arn:aws:([a-z0-9]+):[a-z0-9-]*:(\d*):([^\s]+)/.exec(line) ?? [];
        const name = rest.replace(/^(?:table\/|function:)/, '').split('/')[0] as string;
        const account = service === 's3' ? buckets.get(name) : owner;
        if (service === '' || service === 'here' || account === stack.account) continue;
        across.push(`${role}: ${line}`);
        const place = ['kms', 'events'].includes(service) ? `${service} of ${account}` : `${service} ${name}`;
        if (policies.get(place)?.has(`${action} ${stack.account}`) !== true) shut.push(`${role}: ${line}`);
      }
  expect(shut).toEqual([]);
  // Each of the kinds was seen.
  for (const service of ['s3', 'kms', 'sqs', 'lambda', 'dynamodb', 'events'])
    expect(across.some((line) => line.includes(`arn:aws:${service}:`))).toBe(true);
});

describe('what devices say', () => {
  it('is taken by rules of the account that they speak to', () => {
    const rules = resourcesOf(synthesise(aws), 'AWS::IoT::TopicRule');
    expect(new Set(rules.map((r) => r.stack))).toEqual(new Set(['Fleet']));
  });

  it('goes as digest to the lake and to the drift evaluator, into queues that let exactly that rule in', () => {
    const rule = resourcesOf(synthesise(aws), 'AWS::IoT::TopicRule').find((r) =>
      String(r.Properties['RuleName']).endsWith('_digests'),
    ) as Resource;
    const payload = rule.Properties['TopicRulePayload'] as { Actions: { Sqs: { QueueUrl: string } }[] };
    const urls = payload.Actions.map((a) => a.Sqs.QueueUrl);
    expect(urls).toEqual([names.messageQueue.url, names.digestQueue.url]);
    for (const url of urls) {
      const queue = queuesOf(synthesise(aws)).find((q) => q.url === url);
      expect(queue?.account).not.toBe(aws.planes.plant.account);
      expect(queue?.policies.filter((s) => s.Effect === 'Allow')).toEqual([
        expect.objectContaining({
          Sid: 'Sender',
          Principal: rootOf(aws.planes.plant.account),
          Action: 'sqs:SendMessage',
          Condition: { ArnEquals: { 'aws:PrincipalArn': names.digestRuleRole.arn } },
        }),
      ]);
    }
  });

  it('is taken by the Lambdas from the queues that the rule fills', () => {
    const sources = resourcesOf(synthesise(aws), 'AWS::Lambda::EventSourceMapping').map(
      (m) => m.Properties['EventSourceArn'],
    );
    expect(sources).toContain(names.digestQueue.arn);
  });

  it('is let in by no policy where all planes share an account', () => {
    expect(
      queuesOf(synthesise({ ...local, local: false })).flatMap((q) => q.policies.filter((s) => s.Sid === 'Sender')),
    ).toEqual([]);
  });
});

describe('alarms', () => {
  const topicsOf = (stacks: readonly Synthesised[]): string[] =>
    stacks.flatMap((stack) =>
      resourcesOf([stack], 'AWS::SNS::Topic')
        .filter((t) => String(t.Properties['TopicName']).endsWith('-owners'))
        .map((t) => `arn:aws:sns:${aws.planes.data.region}:${stack.account}:${t.Properties['TopicName']}`),
    );

  it('each tell the owners by a topic of their own account', () => {
    const topics = topicsOf(synthesise(aws));
    for (const stack of synthesise(aws))
      for (const alarm of resourcesOf([stack], 'AWS::CloudWatch::Alarm')) {
        const told = alarm.Properties['AlarmActions'] as string[] | undefined;
        expect({ alarm: alarm.id, told }).toEqual({ alarm: alarm.id, told: [expect.stringContaining(stack.account)] });
        expect(topics).toContain(told?.[0]);
      }
  });

  it('have one topic in each account, with the owner subscribed', () => {
    expect(topicsOf(synthesise(aws))).toHaveLength(4);
    expect(topicsOf(synthesise(local))).toHaveLength(1);
    const subscriptions = resourcesOf(synthesise(aws), 'AWS::SNS::Subscription');
    expect(subscriptions.map((s) => [s.stack, s.Properties['Endpoint']])).toEqual(
      ['Ledger', 'Data', 'Training', 'Fleet'].map((stack) => [stack, aws.notifications.ownerEmail]),
    );
  });

  const services = (document: unknown): string[] =>
    statements(document).flatMap((s) =>
      s.Effect === 'Allow' ? ((s.Principal as { Service?: string }).Service ?? []) : [],
    );

  it('may publish, and use the key of the topic; rules of the bus may where there are any', () => {
    for (const stack of synthesise(aws)) {
      const topic = resourcesOf([stack], 'AWS::SNS::TopicPolicy').find((t) => t.id.startsWith('OwnersTopic'));
      if (topic === undefined) continue;
      const key = resourcesOf([stack], 'AWS::KMS::Key').find((k) => k.id.startsWith('OwnersTopicKey'));
      const both = ['cloudwatch.amazonaws.com', ...(stack.name === 'Training' ? ['events.amazonaws.com'] : [])];
      expect(services(topic.Properties['PolicyDocument'])).toEqual(both);
      expect(services(key?.Properties['KeyPolicy'])).toEqual(both);
    }
  });

  it('tell the people of each plant by a topic of their own that only the bus opens, with their address if there is one', () => {
    const [site] = aws.sites;
    const config = {
      ...aws,
      sites: [
        { ...site, notifyEmail: 'line-1@example.com' },
        { ...site, id: 'other' },
      ],
    };
    const stacks = synthesise(config as typeof aws);
    const topics = resourcesOf(stacks, 'AWS::SNS::Topic').filter((t) => t.id.startsWith('PlantTopics'));
    expect(topics.map((t) => t.Properties['TopicName'])).toEqual(config.sites.map((s) => names.plantTopic(s.id ?? '')));
    const policies = resourcesOf(stacks, 'AWS::SNS::TopicPolicy').filter((t) => t.id.startsWith('PlantTopics'));
    expect(policies.map((p) => services(p.Properties['PolicyDocument']))).toEqual(
      topics.map(() => ['events.amazonaws.com']),
    );
    for (const policy of policies) expect(JSON.stringify(policy.Properties)).toContain('aws:SecureTransport');
    const told = resourcesOf(stacks, 'AWS::Events::Rule')
      .map((r) => JSON.stringify(r.Properties['EventPattern'] ?? {}))
      .filter((pattern) => pattern.includes('"other"'));
    for (const event of ['AlertRaised', 'LabelsRequested'])
      expect(told.filter((pattern) => pattern.includes(event))).toHaveLength(1);
    const key = resourcesOf(stacks, 'AWS::KMS::Key').find((k) => k.id.startsWith('PlantTopicsKey'));
    expect(services(key?.Properties['KeyPolicy'])).toEqual(['events.amazonaws.com']);
    const mails = resourcesOf(stacks, 'AWS::SNS::Subscription').map((s) => s.Properties['Endpoint']);
    expect(mails.filter((m) => m === 'line-1@example.com')).toHaveLength(1);
  });

  it('are there for every queue of dead letters, both long workflows and the signing of the ledger', () => {
    const alarms = resourcesOf(synthesise(aws), 'AWS::CloudWatch::Alarm').map((a) => a.Properties['AlarmName']);
    for (const name of ['retrainfailed', 'releasefailed', 'checkpointerrors', 'digest-rule-dead', 'digests-dead'])
      expect(alarms).toContain(`${names.prefix}-${name}`);
  });
});
