import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { allow } from './platform-function.ts';
import type { Machine } from './states.ts';

export interface WorkflowProps {
  readonly name: string;
  readonly says: string;
  readonly definition: Machine;
  /** Everything the definition's calls need, said explicitly; a test holds the two against each other. */
  readonly may: readonly PolicyStatement[];
}

/** A state machine with its own role, all events logged (no data in the log), traced. */
export class Workflow extends Construct {
  readonly machine: StateMachine;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: WorkflowProps) {
    super(scope, id);
    this.role = new Role(this, 'Role', {
      roleName: props.name,
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
      description: props.says,
    });
    const statements = [
      ...props.may,
      allow(
        [
          'logs:CreateLogDelivery',
          'logs:GetLogDelivery',
          'logs:UpdateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:ListLogDeliveries',
          'logs:PutResourcePolicy',
          'logs:DescribeResourcePolicies',
          'logs:DescribeLogGroups',
        ],
        ['*'],
      ),
      allow(
        ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'],
        ['*'],
      ),
    ];
    for (const statement of statements) this.role.addToPolicy(statement);
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: props.name,
      stateMachineType: StateMachineType.STANDARD,
      comment: props.says,
      definitionBody: DefinitionBody.fromString(Stack.of(this).toJsonString(props.definition)),
      role: this.role.withoutPolicyUpdates(),
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(this, 'Logs', {
          logGroupName: `/aws/vendedlogs/states/${props.name}`,
          retention: RetentionDays.THREE_MONTHS,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        includeExecutionData: false,
      },
    });
    // Without its permissions a first start would fail.
    const policy = this.role.node.tryFindChild('DefaultPolicy');
    if (policy !== undefined) this.machine.node.addDependency(policy);
  }
}
