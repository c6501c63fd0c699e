import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { strToU8, zipSync } from 'fflate';
import { LOCAL_CREDENTIALS, type LocalAws, type StartAwsOptions, startAws } from '../../../local/aws/start-aws.ts';
import { freePort } from '../../../local/shared/service.ts';

export const REPOSITORY = join(__dirname, '../../..');
export const NODE = join(REPOSITORY, 'node_modules/.bin/node');

/** A new folder of its own, and its removal. */
export function stateFolder(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'mw-aws-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Starts the local AWS on free ports. */
export async function startForTest(stateDir: string, more: Partial<StartAwsOptions> = {}): Promise<LocalAws> {
  return startAws({ stateDir, port: await freePort(), mqttPort: await freePort(), nodeBin: NODE, ...more });
}

/** Client options for the local AWS. */
export const client = (url: string) => ({ endpoint: url, region: 'us-east-1', credentials: LOCAL_CREDENTIALS });

/** A role that may do everything; returns its ARN. */
export async function role(url: string, name = 'tester'): Promise<string> {
  const iam = new IAMClient(client(url));
  const made = await iam.send(
    new CreateRoleCommand({
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: ['lambda.amazonaws.com', 'states.amazonaws.com', 'events.amazonaws.com'] },
            Action: 'sts:AssumeRole',
          },
        ],
      }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: name,
      PolicyName: 'all',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
      }),
    }),
  );
  return made.Role?.Arn as string;
}

/** A Node function from ESM source; returns its ARN. */
export async function lambda(url: string, roleArn: string, name: string, source: string): Promise<string> {
  const made = await new LambdaClient(client(url)).send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: roleArn,
      Timeout: 20,
      Code: { ZipFile: zipSync({ 'index.mjs': strToU8(source) }) },
    }),
  );
  return made.FunctionArn as string;
}

/** Creates a state machine, runs it once and returns how it ended. */
export async function runMachine(
  url: string,
  roleArn: string,
  definition: object,
  input: unknown = {},
): Promise<DescribeExecutionOutput> {
  const sfn = new SFNClient(client(url));
  const machine = await sfn.send(
    new CreateStateMachineCommand({
      name: `m-${Math.random().toString(36).slice(2)}`,
      roleArn,
      definition: JSON.stringify(definition),
    }),
  );
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: machine.stateMachineArn, input: JSON.stringify(input) }),
  );
  return until(
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
    (described) => described.status !== 'RUNNING',
  );
}

/** Asks again until an answer will do. */
export async function until<T>(ask: () => Promise<T> | T, enough: (answer: T) => boolean, forMs = 30_000): Promise<T> {
  const deadline = Date.now() + forMs;
  while (true) {
    const answer = await ask();
    if (enough(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`Waited ${forMs} ms, and it is still ${JSON.stringify(answer)}.`);
    await sleep(100);
  }
}

/** The ids of the living processes of a process group. */
export function processGroup(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const afterName = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
        return Number(afterName[2]) === group && afterName[0] !== 'Z';
      } catch {
        return false;
      }
    })
    .map(Number);
}
