import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { PlatformStack } from '../stacks/platform-stack.ts';

export interface OwnersAlarmProps {
  readonly stack: PlatformStack;
  readonly alarmName: string;
  /** What it means, for the one who is told. */
  readonly says: string;
  readonly metric: IMetric;
}

/** Tells the owners when a count is above zero. */
export class OwnersAlarm extends Alarm {
  constructor(scope: Construct, id: string, { stack, alarmName, says, metric }: OwnersAlarmProps) {
    super(scope, id, {
      alarmName,
      alarmDescription: says,
      metric,
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    this.addAlarmAction({ bind: () => ({ alarmActionArn: stack.ownersTopicArn }) });
  }
}
