import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { platformNames } from '#core/contracts/names.ts';

export interface PlatformFunctionProps {
  readonly config: DeploymentConfig;
  /** Folder of `lambdas/` and, with the stage's prefix, the physical name. */
  readonly name: string;
  /** Folder of a function that several planes have; its name is then `<folder>-<plane>`. */
  readonly bundle?: string;
  readonly says: string;
  /** Everything the function may do, beside writing its own log and trace. */
  readonly may?: readonly PolicyStatement[];
  readonly timeout?: Duration;
  readonly memoryMiB?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export const LAMBDA_BUNDLES = '.build/lambdas';

/**
 * One Lambda of the platform: a bundle built before synthesis, an own role with an explicit list of permissions, an own
 * log group, tracing, and the two environment variables from which every name is computed.
 */
export class PlatformFunction extends Construct {
  readonly fn: LambdaFunction;
  readonly role: Role;
  readonly name: string;
  /** From names alone, no token: definitions of workflows are text. */
  readonly arn: string;

  constructor(scope: Construct, id: string, props: PlatformFunctionProps) {
    super(scope, id);
    const { config } = props;
    this.name = `${platformNames(config).prefix}-${props.name}`;
    const { region, account } = Stack.of(this);
    this.arn = `arn:aws:lambda:${region}:${account}:function:${this.name}`;
    this.role = new Role(this, 'Role', {
      roleName: this.name,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: props.says,
    });
    const logs = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${this.name}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    logs.grantWrite(this.role);
    for (const statement of props.may ?? []) this.role.addToPolicy(statement);
    this.fn = new LambdaFunction(this, 'Function', {
      functionName: this.name,
      description: props.says,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.X86_64,
      handler: 'index.handler',
      code: Code.fromAsset(`${LAMBDA_BUNDLES}/${props.bundle ?? props.name}`),
      role: this.role,
      logGroup: logs,
      tracing: Tracing.ACTIVE,
      timeout: props.timeout ?? Duration.seconds(30),
      memorySize: props.memoryMiB ?? 256,
      environment: {
        MILLWRIGHT_STAGE: config.stage,
        MILLWRIGHT_PLANES: JSON.stringify(config.planes),
        NODE_OPTIONS: '--enable-source-maps',
        ...props.environment,
      },
    });
  }
}

/** ARN of each function, under its key. */
export const arnsOf = <Name extends string>(
  functions: Readonly<Record<Name, PlatformFunction>>,
): Record<Name, string> =>
  Object.fromEntries(Object.entries<PlatformFunction>(functions).map(([name, f]) => [name, f.arn])) as Record<
    Name,
    string
  >;

/** One statement with the actions and resources it allows; no wildcard actions. */
export const allow = (
  actions: readonly string[],
  resources: readonly string[],
  conditions?: Record<string, unknown>,
): PolicyStatement =>
  new PolicyStatement({
    actions: [...actions],
    resources: [...resources],
    ...(conditions === undefined ? {} : { conditions }),
  });
