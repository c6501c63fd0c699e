import { ONLY_IN_AWS } from '../../lib/aspects/only-in-aws.ts';
import { configOf, resourcesOf, type Synthesised, synthesise } from './synth.ts';

const aws = configOf('example-four-accounts');
const local = configOf('local');
const ORDER = ['Ledger', 'Data', 'Ingest', 'Training', 'Fleet', 'Monitoring', 'Access'];

/** Names that a template gives to what it makes. */
const NAMES = [
  'BucketName',
  'FunctionName',
  'QueueName',
  'TableName',
  'RoleName',
  'StateMachineName',
  'TopicName',
  'AliasName',
  'UserPoolName',
  'RuleName',
  'LogGroupName',
];

const namesIn = (stack: Synthesised): string[] =>
  Object.values(stack.template.Resources).flatMap((resource) =>
    NAMES.map((property) => resource.Properties?.[property]).filter((name) => typeof name === 'string'),
  );

describe('the stage', () => {
  it('has seven stacks, each depending on none but earlier ones', () => {
    const stacks = synthesise(aws);
    expect(stacks.map((s) => s.name)).toEqual(ORDER);
    for (const [i, stack] of stacks.entries())
      for (const dependency of stack.dependsOn) expect(ORDER.indexOf(dependency)).toBeLessThan(i);
  });

  it.each([['local', local] as const, ['four accounts', aws] as const])(
    'refers to nothing that a later stack makes (%s)',
    (_, config) => {
      const stacks = synthesise(config);
      for (const [i, stack] of stacks.entries()) {
        const text = JSON.stringify(stack.template);
        // A name may be used once in each account; then it is that of the own one.
        const known = stacks.slice(0, i + 1).flatMap((s) => namesIn(s));
        for (const later of stacks.slice(i + 1))
          for (const name of namesIn(later).filter((n) => !known.includes(n)))
            if (text.includes(`"${name}"`) || text.includes(`${name}/`) || text.includes(`:${name}"`))
              throw new Error(`${stack.name} refers to ${name}, which the later stack ${later.name} makes`);
      }
    },
  );

  it('shares no CloudFormation exports between stacks', () => {
    for (const stack of synthesise(aws)) expect(JSON.stringify(stack.template)).not.toContain('Fn::ImportValue');
  });

  it('puts each stack into the account of its plane', () => {
    expect(synthesise(aws).map((s) => s.account)).toEqual([
      aws.planes.governance.account,
      aws.planes.data.account,
      aws.planes.data.account,
      aws.planes.ml.account,
      aws.planes.plant.account,
      aws.planes.ml.account,
      aws.planes.access.account,
    ]);
  });

  it('gives every account that is not governance one relay of the bus, and governance a rule to each', () => {
    const relays = resourcesOf(synthesise(aws), 'AWS::Events::EventBus').filter((b) => b.stack !== 'Ledger');
    expect(relays.map((r) => r.stack)).toEqual(['Data', 'Training', 'Fleet']);
    const rules = resourcesOf(synthesise(aws), 'AWS::Events::Rule').filter((r) => r.id.includes('RelayTo'));
    expect(rules).toHaveLength(3);
  });

  it('makes no relay where all planes share an account', () => {
    expect(resourcesOf(synthesise(local), 'AWS::Events::EventBus')).toHaveLength(1);
  });

  it('lists what only AWS has', () => {
    const lines = Object.entries(ONLY_IN_AWS).map(([what, why]) => `  ${what.padEnd(26)} ${why}`);
    process.stdout.write(`only in AWS:\n${lines.join('\n')}\n`);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThan(15);
  });
});
