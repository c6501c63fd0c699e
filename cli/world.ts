import type { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import type { IoTClient } from '@aws-sdk/client-iot';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import type { EventDetail, EventType } from '#core/contracts/events.ts';
import type { LedgerRequest } from '#core/contracts/ledger.ts';
import type { LocalPlant } from '#core/contracts/local-plant.ts';
import type { PlatformNames } from '#core/contracts/names.ts';
import type { ListOptions } from '#core/lake/list-keys.ts';
import type { LineItem } from '#core/outcomes/line-evidence.ts';
import type { RegistryHistory, RegistryReader } from '#core/ports/registry.ts';
import type { Athena } from './athena.ts';

/** Objects of one bucket, as a command needs them. */
export interface Bucket {
  readonly name: string;
  list(prefix: string, options?: ListOptions): Promise<readonly string[]>;
  /** Null when there is no such object. */
  find(key: string): Promise<Uint8Array | null>;
  /** One version of an object, and which it is; without a version the newest. Null when there is no such object. */
  get(key: string, versionId?: string | null): Promise<{ body: Uint8Array; versionId: string | null } | null>;
  put(key: string, body: Uint8Array): Promise<void>;
}

export interface ExecutionState {
  readonly status: string;
  /** Name of the state that runs now, or ran last. */
  readonly step: string | null;
}

/** Everything outside that commands reach: one stage of the platform, in AWS or local. */
export interface World {
  readonly config: DeploymentConfig;
  readonly names: PlatformNames;
  readonly site: string;
  /** What the local plant says about itself; null in AWS. */
  readonly plant: LocalPlant | null;
  /** State folder of the local plant, absolute; null in AWS. */
  readonly plantDir: string | null;
  readonly registry: RegistryReader & RegistryHistory;
  readonly lake: Bucket;
  readonly artifacts: Bucket;
  readonly athena: Athena;
  /** Items of the fleet table. */
  fleet(): Promise<readonly Record<string, unknown>[]>;
  /** Items that the judge keeps of a model line. */
  judgement(modelLine: string): Promise<readonly LineItem[]>;
  execution(arn: string): Promise<ExecutionState | null>;
  announce<T extends EventType>(type: T, detail: EventDetail<T>): Promise<void>;
  /** Calls a function and returns its answer. @throws {Error} with the function's own error name and message. */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  /** Puts the decision of a person to a waiting task of a state machine. */
  answerTask(token: string, answer: { approved: boolean; by: string; reason: string }): Promise<void>;
  write(commands: LedgerRequest['commands']): Promise<unknown>;
  readonly iot: Pick<IoTClient, 'send'>;
  readonly greengrass: Pick<GreengrassV2Client, 'send'>;
  readonly kms: Pick<KMSClient, 'send'>;
  /** Who runs the command, for the audit trail and to tell two people apart: in AWS the caller's ARN. */
  actor(): Promise<string>;
  now(): string;
  newId(prefix: string): string;
  sleep(ms: number): Promise<void>;
}
