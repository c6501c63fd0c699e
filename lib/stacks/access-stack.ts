import { Duration } from 'aws-cdk-lib';
import { HttpApi, HttpMethod, type HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { AccountRecovery, CfnUserPoolGroup, FeaturePlan, Mfa, UserPool } from 'aws-cdk-lib/aws-cognito';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { grants } from '../constructs/grants.ts';
import { PlatformFunction } from '../constructs/platform-function.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';

export const ROUTES = ['/models', '/releases', '/retrains', '/lineage'] as const;

/** Access plane: people, their groups, and one API that reads. Nothing here changes a model or a device. */
export class AccessStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Access', 'access', 'Millwright: people and the read API.', props);
    const { names, config } = this;

    const people = new UserPool(this, 'People', {
      userPoolName: names.userPool,
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      featurePlan: FeaturePlan.PLUS,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 14,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
      },
      deletionProtection: this.keep === 'retain',
      removalPolicy: this.keep,
    });
    for (const [group, description] of [
      ['operators', 'See alerts, say what was true.'],
      ['data-scientists', 'Start retrains, read models.'],
      ['approvers', 'Approve releases they did not make.'],
      ['auditors', 'Read lineage and the audit trail.'],
    ] as const)
      new CfnUserPoolGroup(this, `Group-${group}`, { userPoolId: people.userPoolId, groupName: group, description });
    const client = people.addClient('Cli', {
      userPoolClientName: `${names.prefix}-cli`,
      authFlows: { userSrp: true },
      accessTokenValidity: Duration.minutes(15),
      preventUserExistenceErrors: true,
    });

    const query = new PlatformFunction(this, 'Query', {
      config,
      name: 'query',
      says: 'Reads models, releases, retrains and lineage from the registry.',
      may: grants.readRegistry(this, 'list', 'edges'),
      memoryMiB: 512,
    });
    const api = new HttpApi(this, 'Api', {
      apiName: `${names.prefix}-api`,
      description: 'Read-only: models, releases, retrains, lineage.',
      defaultAuthorizer: new HttpJwtAuthorizer(
        'People',
        `https://cognito-idp.${this.region}.amazonaws.com/${people.userPoolId}`,
        { jwtAudience: [client.userPoolClientId] },
      ),
      createDefaultStage: true,
    });
    const integration = new HttpLambdaIntegration('Query', query.fn);
    for (const path of ROUTES) api.addRoutes({ path, methods: [HttpMethod.GET], integration });

    const requests = (metricName: string): Metric =>
      new Metric({ namespace: 'AWS/ApiGateway', metricName, dimensionsMap: { ApiId: api.apiId }, statistic: 'Sum' });
    this.graphs.push({ title: 'Read API: requests, refused, failed', metrics: ['Count', '4xx', '5xx'].map(requests) });

    const logs = new LogGroup(this, 'ApiLogs', {
      logGroupName: `/aws/apigateway/${names.prefix}`,
      retention: RetentionDays.ONE_YEAR,
      removalPolicy: this.keep,
    });
    const stage = (api.defaultStage as HttpStage).node.defaultChild as unknown as {
      accessLogSettings: unknown;
      defaultRouteSettings: unknown;
    };
    stage.accessLogSettings = {
      destinationArn: logs.logGroupArn,
      format: JSON.stringify({
        at: '$context.requestTime',
        request: '$context.requestId',
        who: '$context.authorizer.claims.sub',
        route: '$context.routeKey',
        status: '$context.status',
      }),
    };
    stage.defaultRouteSettings = { throttlingBurstLimit: 50, throttlingRateLimit: 20 };
  }
}
