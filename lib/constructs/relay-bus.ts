import { EventBus } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { PlatformStack } from '../stacks/platform-stack.ts';

/** The platform's bus in an account that is not governance's: same name, fed by governance's rule, written by nobody else. */
export class RelayBus extends Construct {
  constructor(stack: PlatformStack) {
    super(stack, 'RelayBus');
    const bus = new EventBus(this, 'Bus', { eventBusName: stack.names.bus.name });
    bus.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Governance',
        principals: [new AccountPrincipal(stack.config.planes.governance.account)],
        actions: ['events:PutEvents'],
        resources: [bus.eventBusArn],
      }),
    );
  }
}
