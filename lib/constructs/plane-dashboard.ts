import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, type IWidget, Metric, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { PlaneName } from '#core/contracts/deployment-config.ts';
import { HEALTH_METRICS } from '#core/contracts/health.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { PlatformFunction } from './platform-function.ts';
import { healthMetric, PlatformHealth } from './platform-health.ts';

const PERIOD = Duration.minutes(5);
const HALF = 12;

const metricsOf = (
  namespace: string,
  metricName: string,
  dimension: string,
  values: readonly { readonly value: string; readonly label: string }[],
  statistic: string,
): IMetric[] =>
  values.map(
    ({ value, label }) =>
      new Metric({ namespace, metricName, dimensionsMap: { [dimension]: value }, statistic, label, period: PERIOD }),
  );

/**
 * The one dashboard of a plane. It draws what the stacks of the plane make, found in them: whoever adds a function, a
 * queue or a workflow adds nothing here, and a model line or device never shows.
 */
export class PlaneDashboard extends Construct {
  /** @param stacks of the plane; the dashboard is made in the last of them. */
  constructor(plane: PlaneName, stacks: readonly PlatformStack[]) {
    const stack = stacks.at(-1) as PlatformStack;
    super(stack, 'Dashboard');
    const { names, config } = stack;
    const short = (name: string): string => name.replace(`${names.prefix}-`, '');
    const made = stacks.flatMap((s) => s.node.findAll());
    const named = (all: readonly (string | undefined)[]) =>
      all.filter((name) => name !== undefined).map((value) => ({ value, label: short(value) }));
    const functions = named(made.filter((c) => c instanceof PlatformFunction).map((f) => f.name));
    const queues = named(made.filter((c) => CfnQueue.isCfnQueue(c)).map((q) => q.queueName));
    const [dead, live] = [true, false].map((is) => queues.filter((q) => q.value.endsWith('-dead') === is));
    const workflows = made
      .filter((c) => CfnStateMachine.isCfnStateMachine(c))
      .map((m) => String(m.stateMachineName))
      .map((name) => ({
        value: `arn:aws:states:${stack.region}:${stack.account}:stateMachine:${name}`,
        label: short(name),
      }));

    const rows: IWidget[] = [];
    const graph = (title: string, left: readonly IMetric[]): void => {
      if (left.length > 0) rows.push(new GraphWidget({ title, left: [...left], width: HALF, height: 6 }));
    };
    const lambda = (metric: string, statistic: string) =>
      metricsOf('AWS/Lambda', metric, 'FunctionName', functions, statistic);
    const sqs = (metric: string, of: typeof queues = []) => metricsOf('AWS/SQS', metric, 'QueueName', of, 'Maximum');
    const states = (metric: string) => metricsOf('AWS/States', metric, 'StateMachineArn', workflows, 'Sum');
    if (made.some((c) => c instanceof PlatformHealth))
      graph(
        'Health: devices, executions, checkpoints',
        Object.values(HEALTH_METRICS).map((metric) => healthMetric(stack, plane, metric)),
      );
    graph('Functions: errors', lambda('Errors', 'Sum'));
    graph('Functions: throttled', lambda('Throttles', 'Sum'));
    graph('Functions: slowest of a hundred, ms', lambda('Duration', 'p99'));
    graph('Queues: age of the oldest message, s', sqs('ApproximateAgeOfOldestMessage', live));
    graph('Dead letters that wait', sqs('ApproximateNumberOfMessagesVisible', dead));
    graph('Workflows: succeeded', states('ExecutionsSucceeded'));
    graph('Workflows: failed', states('ExecutionsFailed'));
    for (const { title, metrics } of stacks.flatMap((s) => s.graphs)) graph(title, metrics);

    new Dashboard(this, 'Dashboard', {
      dashboardName: `${names.prefix}-${plane}`,
      widgets: [
        [
          new TextWidget({
            markdown: `# Millwright ${config.stage}, ${plane}: is the platform well\nModels: millwright status, models, alerts`,
            width: 24,
            height: 2,
          }),
        ],
        rows,
      ],
    });
  }
}
