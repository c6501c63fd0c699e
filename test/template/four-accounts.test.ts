import { platformNames } from '#core/contracts/names.ts';
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

describe('what devices say', () => {
  it('is taken by rules of the account that they speak to', () => {
    const rules = resourcesOf(synthesise(aws), 'AWS::IoT::TopicRule');
    expect(rules.map((r) => r.stack)).toEqual(['Fleet', 'Fleet']);
  });

  it('goes as digest to the lake and to the drift evaluator, into queues that let exactly that rule in', () => {
    const rule = resourcesOf(synthesise(aws), 'AWS::IoT::TopicRule').find((r) =>
      String(r.Properties['RuleName']).endsWith('_digests'),
    ) as Resource;
    const payload = rule.Properties['TopicRulePayload'] as { Actions: { Sqs: { QueueUrl: string } }[] };
    const urls = payload.Actions.map((a) => a.Sqs.QueueUrl);
    expect(urls).toEqual([names.telemetryQueue.url, names.digestQueue.url]);
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
      resourcesOf([stack], 'AWS::SNS::Topic').map(
        (t) => `arn:aws:sns:${aws.planes.data.region}:${stack.account}:${t.Properties['TopicName']}`,
      ),
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

  it('may publish, and use the key of the topic; rules of the bus may where there are any', () => {
    const services = (document: unknown): string[] =>
      statements(document).flatMap((s) =>
        s.Effect === 'Allow' ? ((s.Principal as { Service?: string }).Service ?? []) : [],
      );
    for (const stack of synthesise(aws)) {
      const [topic] = resourcesOf([stack], 'AWS::SNS::TopicPolicy');
      if (topic === undefined) continue;
      const key = resourcesOf([stack], 'AWS::KMS::Key').find((k) => k.id.startsWith('OwnersTopicKey'));
      const both = ['cloudwatch.amazonaws.com', ...(stack.name === 'Training' ? ['events.amazonaws.com'] : [])];
      expect(services(topic.Properties['PolicyDocument'])).toEqual(both);
      expect(services(key?.Properties['KeyPolicy'])).toEqual(both);
    }
  });

  it('are there for every queue of dead letters, both long workflows and the signing of the ledger', () => {
    const alarms = resourcesOf(synthesise(aws), 'AWS::CloudWatch::Alarm').map((a) => a.Properties['AlarmName']);
    for (const name of ['retrainfailed', 'releasefailed', 'checkpointerrors', 'digest-rule-dead', 'digests-dead'])
      expect(alarms).toContain(`${names.prefix}-${name}`);
  });
});
