import type { Resource, Synthesised } from './synth.ts';

/** What one role may do and who may be it, in words that name no account, region or generated id. */
export interface RolePermissions {
  readonly assumedBy: readonly string[];
  /** `service:Action Action on resource`, with ` if condition`. */
  readonly may: readonly string[];
}
export type Roles = Readonly<Record<string, RolePermissions>>;

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
interface Document {
  readonly Statement: Statement | readonly Statement[];
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];

/** How names are said: each pattern becomes its word, in order. */
export type Words = readonly (readonly [pattern: RegExp, word: string])[];
const say = (text: string, words: Words): string => words.reduce((t, [from, to]) => t.replaceAll(from, to), text);

/** ARNs without the `arn:aws:` service and region, of resources whose ARN or name a policy takes from the template. */
const ARNS: Readonly<Record<string, readonly [property: string, before: string]>> = {
  'AWS::SQS::Queue': ['QueueName', ''],
  'AWS::Logs::LogGroup': ['LogGroupName', 'log-group:'],
  'AWS::DynamoDB::GlobalTable': ['TableName', 'table/'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'stateMachine:'],
};

const arnOf = (id: string, resource: Resource, stack: Synthesised): string => {
  const at = (name: string): string => `arn:aws:here:region:${stack.account}:${name}`;
  if (resource.Type === 'AWS::KMS::Key') {
    const alias = Object.values(stack.template.Resources).find(
      (r) => r.Type === 'AWS::KMS::Alias' && JSON.stringify(r.Properties['TargetKeyId']).includes(`"${id}"`),
    );
    return at(`key of ${alias?.Properties['AliasName']}`);
  }
  const known = ARNS[resource.Type];
  if (known === undefined)
    throw new Error(`a policy of ${stack.name} names a ${resource.Type} by its id: say in ARNS how its ARN is written`);
  return at(`${known[1]}${resource.Properties[known[0]]}`);
};

/** Text of a value of a template; a reference becomes the ARN of what it refers to. */
const textOf = (value: unknown, stack: Synthesised): string => {
  if (typeof value !== 'object' || value === null) return String(value);
  const v = value as Record<string, unknown>;
  const id = v['Ref'] ?? (v['Fn::GetAtt'] as unknown[] | undefined)?.[0];
  if (id === 'AWS::Partition') return 'aws';
  if (typeof id === 'string') return arnOf(id, stack.template.Resources[id] as Resource, stack);
  if (Array.isArray(v['Fn::Join'])) {
    const [separator, parts] = v['Fn::Join'] as [string, unknown[]];
    return parts.map((p) => textOf(p, stack)).join(separator);
  }
  throw new Error(`a policy of ${stack.name} has ${JSON.stringify(value)}, which this reader does not know: teach it`);
};

const conditionText = (condition: Statement['Condition'], stack: Synthesised): string => {
  const tests = Object.entries(condition ?? {}).flatMap(([test, keys]) =>
    Object.entries(keys).map(([key, value]) => {
      const values = list(value).map((v) => textOf(v, stack));
      return `${key} ${test} ${values.join(' or ')}`;
    }),
  );
  return tests.length === 0 ? '' : ` if ${tests.join(' and ')}`;
};

const linesOf = (documents: readonly Document[], stack: Synthesised): string[] =>
  documents
    .flatMap((d) => list<Statement>(d.Statement))
    .flatMap(({ Effect, Action, Resource, Condition, ...other }) => {
      const strange = Object.keys(other).filter((key) => key !== 'Sid');
      if (strange.length > 0 || Effect !== 'Allow')
        throw new Error(
          `a role of ${stack.name} has a statement with ${[Effect, ...strange]}: roles say what is allowed, and no more`,
        );
      return list<unknown>(Resource).flatMap((resource) =>
        list<string>(Action).map((a) => `${a} on ${textOf(resource, stack)}${conditionText(Condition, stack)}`),
      );
    });

/** Its own name; of a role that CDK makes, the logical id without the hash. */
const nameOf = (id: string, role: Resource): string =>
  (role.Properties['RoleName'] as string | undefined) ?? id.replace(/[0-9A-F]{8}$/, '');

/** Every role of the stacks with what all policies of its template attach to it. */
export const rolesOf = (stacks: readonly Synthesised[], words: Words): Roles => {
  const roles: Record<string, RolePermissions> = {};
  for (const stack of stacks) {
    const resources = Object.entries(stack.template.Resources);
    for (const [id, role] of resources.filter(([, r]) => r.Type === 'AWS::IAM::Role')) {
      const attached = resources
        .filter(([, r]) => r.Type === 'AWS::IAM::Policy' || r.Type === 'AWS::IAM::ManagedPolicy')
        .filter(([, r]) => list(r.Properties['Roles'] as { Ref?: string }[] | undefined).some((x) => x.Ref === id))
        .map(([, r]) => r.Properties['PolicyDocument'] as Document);
      const inline = (role.Properties['Policies'] as { PolicyDocument: Document }[] | undefined) ?? [];
      const managed = list(role.Properties['ManagedPolicyArns']).map((arn) => `all of ${JSON.stringify(arn)} on *`);
      const trust = (role.Properties['AssumeRolePolicyDocument'] as Document).Statement;
      const assumedBy = list<Statement>(trust).flatMap(({ Action, Principal, Condition }) =>
        Object.entries(Principal as Record<string, unknown>).flatMap(([kind, who]) =>
          list<unknown>(who).map((w) => {
            const name = kind === 'Service' ? textOf(w, stack) : `${kind} ${JSON.stringify(w)}`;
            const how = list(Action).join() === 'sts:AssumeRole' ? '' : ` by ${list(Action).join()}`;
            return say(`${name}${how}${conditionText(Condition, stack)}`, words);
          }),
        ),
      );
      const name = say(nameOf(id, role), words);
      if (roles[name] !== undefined) throw new Error(`two roles are called ${name}; give one of them another name`);
      const may = [...linesOf([...attached, ...inline.map((p) => p.PolicyDocument)], stack), ...managed];
      roles[name] = { assumedBy, may: may.map((line) => say(line, words)) };
    }
  }
  return roles;
};

/** What the certificate of a device may do with AWS IoT and Greengrass. */
export const certificatePermissions = (stacks: readonly Synthesised[], words: Words): string[] =>
  stacks
    .flatMap((stack) =>
      Object.values(stack.template.Resources)
        .filter((r) => r.Type === 'AWS::IoT::Policy')
        .flatMap((r) => linesOf([r.Properties['PolicyDocument'] as Document], stack)),
    )
    .map((line) => say(line, words));

/** Single permissions, `service:Action on resource`, of lines that may name several actions. */
export const permissionsIn = (lines: readonly string[]): string[] => [
  ...new Set(
    lines.flatMap((line) => {
      const [, service, actions, where] = /^([^:]+):(.*?)( on .*)$/.exec(line) ?? [];
      if (service === undefined || actions === undefined)
        throw new Error(`"${line}" is no permission; expected "service:Action Action on resource"`);
      return actions.split(' ').map((action) => `${service}:${action}${where}`);
    }),
  ),
];

/** What differs, one line a difference below its role; empty when nothing does. */
export const differences = (found: Roles, expected: Roles): string[] =>
  [...new Set([...Object.keys(found), ...Object.keys(expected)])].sort().flatMap((name) => {
    const [is, should] = [found[name], expected[name]];
    if (is === undefined) return [`${name}: in the table, made by no stack`];
    const compare = (verb: string, a: readonly string[], b: readonly string[]): string[] => [
      ...a.filter((x) => !b.includes(x)).map((x) => `  + ${verb} ${x}`),
      ...b.filter((x) => !a.includes(x)).map((x) => `  - ${verb} ${x}`),
    ];
    const said = [
      ...compare('is assumed by', is.assumedBy, should?.assumedBy ?? []),
      ...compare('may', permissionsIn(is.may), permissionsIn(should?.may ?? [])),
    ];
    return said.length === 0 ? [] : [`${name}:${should === undefined ? ' not in the table' : ''}`, ...said];
  });
