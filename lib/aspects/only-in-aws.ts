import type { Construct } from 'constructs';

/**
 * What the local AWS does not know, all of it: kind → why. The difference between local and real is this list, and a
 * test prints it.
 */
export const ONLY_IN_AWS = {
  'tls-only-bucket-policy': 'the local AWS speaks HTTP, which a policy that demands TLS denies',
  'role-alias': 'the local AWS has no IoT role aliases; simulated devices assume the device role by STS',
  'training-image': 'the local plant runs the trainer as a process: there is no image to build or push',
  'registry-deny-policy': 'the local AWS ignores resource policies of tables; IAM of each role is enforced there',
  'cross-account-policy': 'the local plant is one account',
} as const;
export type OnlyInAws = keyof typeof ONLY_IN_AWS;

/** Makes a resource unless this is the local stage; the one way to differ from it. */
export const onlyInAws = <T>(scope: Construct, _what: OnlyInAws, make: () => T): T | undefined =>
  scope.node.tryGetContext('millwright:local') === true ? undefined : make();
