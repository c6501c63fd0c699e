import { Aspects, type IAspect, Stack, Validations } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/**
 * Wildcards in policies that stand, each with why. A wildcard that no line explains is a finding, and a finding stops the
 * synthesis. `actions` limits a line to statements that allow nothing else.
 */
export const WILDCARDS: readonly { readonly resource: RegExp; readonly actions?: RegExp; readonly reason: string }[] = [
  { resource: /^arn:aws:s3:::[^/*]+\/[^*]+\*$/, reason: 'objects below one prefix of one bucket' },
  {
    resource: /^arn:aws:s3:::[^/*]+\/raw\/frames\/site=[^/*]+\/\*\/<credentials-iot:ThingName>\/\*$/,
    reason: 'frames that name the device which writes them, of whatever asset and run',
  },
  {
    resource: /^arn:aws:kms:[^*]+:key\/\*$/,
    reason: 'the data key, whose id is made when it is; conditions say through S3 and for which bucket',
  },
  {
    resource: /^arn:aws:states:[^*]+:execution:[^*]+[:/]\*$/,
    reason: 'executions of one state machine: their ids are made when they start',
  },
  {
    resource: /^arn:aws:sagemaker:[^*]+:(training|processing)-job\/mw-[^*]+-\*$/,
    reason: 'jobs of one stage: their names are made when they start',
  },
  {
    resource: /^arn:aws:logs:[^*]+:log-group:\/aws\/sagemaker\/\*$/,
    reason: 'SageMaker chooses the log groups and streams of jobs',
  },
  {
    resource: /^\*$/,
    actions: /^ecr:GetAuthorizationToken$/,
    reason: 'a token for the registry as a whole; which image may be pulled is said beside it',
  },
  {
    resource: /^arn:aws:greengrass:[^*]+:(components|deployments|coreDevices):[^*]*\*$/,
    reason: 'components of this platform, deployments and core devices: their ids are made at run time',
  },
  {
    resource: /^\*$/,
    actions: /^greengrass:(CreateDeployment|ListDeployments)$/,
    reason: 'Greengrass knows no resources for them; the group is named by the IoT job made in the name of the caller',
  },
  {
    resource: /^arn:aws:iot:[^*]+:(thinggroup|thing)\/[^*]+-\*$/,
    reason: 'things and ring groups of one stage, which are commissioned at run time',
  },
  {
    resource: /^arn:aws:iot:[^*]+:(job|jobs)\/\*$/,
    reason: 'Greengrass makes an IoT job for each deployment; its id is made then',
  },
  {
    resource: /^\*$/,
    actions: /^cloudwatch:PutMetricData$/,
    reason: 'CloudWatch knows no resources for it; a condition says which namespace',
  },
  { resource: /^\*$/, actions: /^xray:/, reason: 'X-Ray knows no resources' },
  {
    resource: /^\*$/,
    actions:
      /^(logs:(Create|Get|Update|Delete|List)LogDelivery|logs:ListLogDeliveries|logs:(Put|Describe)ResourcePolic(y|ies)|logs:DescribeLogGroups)$/,
    reason: 'delivery of logs of a state machine knows no resources',
  },
];

/** Other findings that stand in every stage, and those of the local stage only. */
export const FINDINGS: readonly { readonly id: string; readonly reason: string; readonly localOnly: boolean }[] = [
  {
    id: 'AwsSolutions::AwsSolutions-S10',
    reason: 'the local AWS speaks HTTP (lib/aspects/only-in-aws.ts: tls-only-bucket-policy)',
    localOnly: true,
  },
  {
    id: 'AwsSolutions::AwsSolutions-SQS4',
    reason: 'the local AWS speaks HTTP (lib/aspects/only-in-aws.ts: tls-only-bucket-policy)',
    localOnly: true,
  },
  {
    id: 'AwsSolutions::AwsSolutions-SNS3',
    reason: 'the local AWS speaks HTTP (lib/aspects/only-in-aws.ts: tls-only-bucket-policy)',
    localOnly: true,
  },
];

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}
const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Why a wildcard resource in a statement stands; undefined when nothing explains it. */
export const reasonFor = (resource: string, actions: readonly string[]): string | undefined =>
  WILDCARDS.find(
    (w) => w.resource.test(resource) && (w.actions === undefined || actions.every((a) => w.actions?.test(a))),
  )?.reason;

/** Text of a resource with its tokens as `<LogicalId.Attribute>` and its policy variables as `<name>`, as cdk-nag prints them. */
export const resourceText = (resource: unknown): string => {
  if (typeof resource === 'string') return resource.replaceAll(/\$\{([^}]+)\}/g, '<$1>');
  const r = resource as Record<string, unknown>;
  if (r['Ref'] !== undefined) return `<${r['Ref']}>`;
  if (r['Fn::GetAtt'] !== undefined) return `<${(r['Fn::GetAtt'] as string[]).join('.')}>`;
  if (r['Fn::Join'] !== undefined) {
    const [separator, parts] = r['Fn::Join'] as [string, unknown[]];
    return parts.map(resourceText).join(separator);
  }
  return JSON.stringify(resource);
};

/** Acknowledges exactly the wildcards that WILDCARDS explains, on the policy that has them. */
export class ReasonedWildcards implements IAspect {
  visit(node: IConstruct): void {
    if (!(node instanceof CfnPolicy)) return;
    const document = Stack.of(node).resolve(node.policyDocument) as { Statement: readonly Statement[] };
    for (const { Action, Resource } of document.Statement)
      for (const resource of list(Resource)) {
        const text = resourceText(resource);
        if (!text.includes('*')) continue;
        const reason = reasonFor(text, list(Action));
        if (reason !== undefined)
          Validations.of(node).acknowledge({ id: `AwsSolutions::AwsSolutions-IAM5[Resource::${text}]`, reason });
      }
  }
}

export const acknowledgeFindings = (scope: IConstruct, local: boolean): void => {
  Aspects.of(scope).add(new ReasonedWildcards());
  for (const { id, reason, localOnly } of FINDINGS)
    if (local || !localOnly) Validations.of(scope).acknowledge({ id, reason });
};
