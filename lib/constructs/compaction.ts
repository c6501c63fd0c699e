import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { lakeKeys } from '#core/contracts/lake.ts';
import { LAKE_TABLES, LANDED_TABLES } from '#core/contracts/lake-tables.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { grants } from './grants.ts';
import { OwnersAlarm } from './owners-alarm.ts';
import { PlatformFunction } from './platform-function.ts';

const HOT = LANDED_TABLES.map((table) => `${lakeKeys.tierPrefix('hot', table)}*`);
const COLD = LANDED_TABLES.map((table) => `${lakeKeys.tierPrefix('cold', table)}*`);
const COMMITS = `${LAKE_TABLES.compactions.prefix}/*`;
const PLANS = 'compaction-plans/*';

/** Longer than Athena lets a query run: one that began before a step does not see the next. */
const GRACE = Duration.hours(1);

/** Few large files of the many small ones of days that are over: an hourly function, on the local plant only when asked. */
export class Compaction extends Construct {
  constructor(stack: PlatformStack) {
    super(stack, 'Compaction');
    const { config, names } = stack;
    const compact = new PlatformFunction(this, 'Compact', {
      config,
      name: 'compact',
      says: 'Makes few large files of the many small ones of days that are over.',
      may: [
        ...grants.readLake(stack, ...HOT, ...COLD, PLANS),
        ...grants.writeLake(stack, ...COLD, COMMITS, PLANS),
        grants.listLake(stack, ...HOT, ...COLD, PLANS),
        grants.removeFromLake(stack, ...HOT),
      ],
      timeout: Duration.minutes(15),
      memoryMiB: 2048,
      environment: { MILLWRIGHT_GRACE_MS: String(config.local ? 0 : GRACE.toMilliseconds()) },
    });
    new OwnersAlarm(this, 'Errors', {
      stack,
      alarmName: `${names.prefix}-compacterrors`,
      says: 'Small files of the lake are not being put together: queries get slower and dearer, nothing is lost.',
      metric: compact.fn.metricErrors({ period: Duration.hours(6) }),
    });
    if (!config.local)
      new Rule(this, 'Hourly', {
        ruleName: `${names.prefix}-compact`,
        schedule: Schedule.rate(Duration.hours(1)),
        targets: [new LambdaFunction(compact.fn)],
      });
  }
}
