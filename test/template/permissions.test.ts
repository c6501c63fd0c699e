import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PlaneName } from '#core/contracts/deployment-config.ts';
import { platformNames } from '#core/contracts/names.ts';
import { reasonFor, resourceText } from '../../lib/aspects/acknowledged.ts';
import { callsOf } from './code-calls.ts';
import { certificatePermissions, differences, permissionsIn, rolesOf, type Words } from './permissions.ts';
import { CERTIFICATE, PERMISSIONS } from './permissions-table.ts';
import { configOf, ROOT, resourcesOf, synthesise } from './synth.ts';

const aws = configOf('example-four-accounts');
const names = platformNames(aws);
const { governance, data, ml, plant } = aws.planes;

const account = (of: { account: string }, word: string) =>
  [new RegExp(`arn:aws:[a-z]+:[a-z0-9-]*:${of.account}:`, 'g'), `${word} `] as const;
const WORDS: Words = [
  [/\/cdk-[a-z0-9]+-container-assets-[a-z0-9-]+$/g, '/images-of-cdk'],
  [new RegExp(names.lakeBucket, 'g'), 'lake'],
  [new RegExp(names.artifactsBucket, 'g'), 'artifacts'],
  [new RegExp(names.workBucket, 'g'), 'work'],
  [new RegExp(names.evidenceBucket, 'g'), 'evidence'],
  [/arn:aws:s3:::/g, ''],
  account(governance, 'governance'),
  account(data, 'data'),
  account(ml, 'ml'),
  account(plant, 'plant'),
  [new RegExp(`${names.prefix}-(?=[a-z])`, 'g'), ''],
  [new RegExp(`\\b${aws.stage}(?=[-/])`, 'g'), '{stage}'],
];
const roles = () => rolesOf(synthesise(aws), WORDS);

describe('what every role may do', () => {
  it('is what the table says, no more and no less', () => {
    expect(differences(roles(), PERMISSIONS)).toEqual([]);
  });

  it('is for the certificate of a device what the table says', () => {
    const certificate = (may: readonly string[]) => ({ certificate: { assumedBy: [], may } });
    const found = certificatePermissions(synthesise(aws), WORDS);
    expect(differences(certificate(found), certificate(CERTIFICATE))).toEqual([]);
  });

  it('is told by role when it differs from the table', () => {
    const role = { assumedBy: ['lambda.amazonaws.com'], may: ['s3:GetObject PutObject on lake/a/*'] };
    const wider = { assumedBy: ['lambda.amazonaws.com', 'AWS "*"'], may: ['s3:GetObject DeleteObject on lake/a/*'] };
    expect(differences({ a: role, same: role, new: role }, { a: wider, same: role, gone: role })).toEqual([
      'a:',
      '  - is assumed by AWS "*"',
      '  + may s3:PutObject on lake/a/*',
      '  - may s3:DeleteObject on lake/a/*',
      'gone: in the table, made by no stack',
      'new: not in the table',
      '  + is assumed by lambda.amazonaws.com',
      '  + may s3:GetObject on lake/a/*',
      '  + may s3:PutObject on lake/a/*',
    ]);
  });

  it('has no action with a wildcard', () => {
    const wild = Object.entries(roles()).flatMap(([name, { may }]) =>
      permissionsIn(may)
        .filter((p) => p.split(' on ')[0]?.includes('*'))
        .map((p) => `${name}: ${p}`),
    );
    expect(wild).toEqual([]);
  });

  it('has no wildcard in a resource that the list of reasons does not explain', () => {
    const unexplained = resourcesOf(synthesise(aws), 'AWS::IAM::Policy').flatMap((policy) => {
      const { Statement } = policy.Properties['PolicyDocument'] as {
        Statement: { Action: string | string[]; Resource: unknown }[];
      };
      return Statement.flatMap(({ Action, Resource }) =>
        [Resource]
          .flat()
          .map(resourceText)
          .filter((text) => text.includes('*') && reasonFor(text, [Action].flat()) === undefined)
          .map((text) => `${policy.id}: ${[Action].flat().join(' ')} on ${text}`),
      );
    });
    expect(unexplained).toEqual([]);
  });

  it('is for one AWS service each, and for no account or person', () => {
    for (const [name, { assumedBy }] of Object.entries(roles())) {
      expect({ name, assumedBy }).toEqual({ name, assumedBy: [expect.stringMatching(/^[a-z.]+\.amazonaws\.com$/)] });
    }
  });
});

/** What a call needs beside its own action: keys, versions, and what a service does in the name of its caller. */
const looks = ['DescribeThingGroup', 'DescribeThing', 'GetThingShadow', 'DescribeJob'].map((a) => `iot:${a}`);
const NEEDS: readonly (readonly [call: RegExp, needs: readonly string[]])[] = [
  [/^s3:GetObject on lake$/, ['s3:GetObjectVersion on lake', 'kms:Decrypt']],
  [/^s3:GetObject on artifacts$/, ['s3:GetObjectVersion on artifacts', 'kms:Decrypt']],
  [/^s3:GetObject on work$/, ['s3:GetObjectVersion on work']],
  [/^s3:PutObject on (lake|artifacts)$/, ['kms:GenerateDataKey', 'kms:Decrypt']],
  [/^greengrass:CreateComponentVersion$/, ['greengrass:TagResource']],
  [/^greengrass:(ListDeployments|GetDeployment)$/, looks],
  [/^greengrass:ListEffectiveDeployments$/, [...looks, 'iot:DescribeJobExecution']],
  [
    /^greengrass:CreateDeployment$/,
    ['greengrass:TagResource', 'iot:CreateJob', 'iot:CancelJob', 'iot:UpdateJob', ...looks],
  ],
];

/** A permission as code-calls.ts says it: without account and prefix; without a place where that says enough. */
const asCall = (permission: string): string => {
  const [, action = '', where = ''] = /^(\S+) on (.+?)(?: if .*)?$/.exec(permission) ?? [];
  if (action.startsWith('s3:')) return `${action} on ${where.split('/')[0]}`;
  const place = /^(?:dynamodb:.* table\/|lambda:.* function:|events:.* event-bus\/)(.+)$/.exec(
    `${action} ${where}`,
  )?.[1];
  return place === undefined ? action : `${action} on ${place}`;
};

describe('what the code of a Lambda calls', () => {
  const names = readdirSync(join(ROOT, 'lambdas')).filter((name) => name !== 'shared');

  it.each(names)('is what the role of %s may do, no more and no less', async (name) => {
    const calls = await callsOf(name);
    const needed = new Set([
      ...calls,
      ...calls.flatMap((c) => NEEDS.flatMap(([call, more]) => (call.test(c) ? more : []))),
    ]);
    // A function that several planes have is called `<folder>-<plane>`; its code asks by plane for what it may.
    const mayIn = Object.entries(roles()).filter(
      ([role]) => role === name || PlaneName.options.some((plane) => role === `${name}-${plane}`),
    );
    const has = permissionsIn(mayIn.flatMap(([, { may }]) => may))
      // Its log, its trace and the queue that starts it are not its code's doing.
      .filter((p) => !/^(logs|xray):|^sqs:(?!SendMessage)/.test(p))
      .map(asCall);
    expect([...new Set(has)].sort()).toEqual([...needed].sort());
  });
});
