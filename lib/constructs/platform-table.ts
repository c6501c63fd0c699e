import { AttributeType, Billing, TableEncryptionV2, type TablePropsV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { PlatformStack } from '../stacks/platform-stack.ts';

/** What a table may say beside its name; keys are the platform's. */
export type PlatformTableProps = Omit<TablePropsV2, 'partitionKey' | 'sortKey'> & { readonly tableName: string };

/**
 * A table of many kinds of items, by `pk` and `sk`: billed by use, encrypted, restorable to any second of the last 35 days.
 * It is kept unless two switches say destroy.
 */
export class PlatformTable extends TableV2 {
  constructor(stack: PlatformStack, id: string, props: PlatformTableProps) {
    super(stack, id, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: stack.keep === 'retain',
      removalPolicy: stack.keep,
      ...props,
    });
  }
}
