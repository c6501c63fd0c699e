import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { EVENT_SOURCE, type EventDetail, type EventType } from '#core/contracts/events.ts';
import type { LedgerRequest } from '#core/contracts/ledger.ts';
import { platformNames } from '#core/contracts/names.ts';
import { dynamoRegistry } from '../../../lambdas/shared/registry-reader.ts';
import { LOCAL_CREDENTIALS, type LocalAws, startAws } from '../../../local/aws/start-aws.ts';
import { startGreengrass } from '../../../local/greengrass/start-greengrass.ts';
import { startSageMaker, trainingImage } from '../../../local/sagemaker/start-sagemaker.ts';
import { freePort, type Service } from '../../../local/shared/service.ts';
import { deployStacks } from '../../../local/start/deploy.ts';
import { Teller } from '../../../local/start/teller.ts';

/** The services and stacks of a local plant, without devices, in a folder of its own. */
export const startPlant = async (root: string, stateDir: string) => {
  mkdirSync(stateDir, { recursive: true });
  const services: Service[] = [];
  const stop = async (): Promise<void> => {
    for (const service of services.reverse()) await service.stop();
  };
  try {
    const [port, mqttPort, sagemakerPort, greengrassPort] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const url = `http://127.0.0.1:${port}`;
    const sagemakerUrl = `http://127.0.0.1:${sagemakerPort}`;
    const greengrassUrl = `http://127.0.0.1:${greengrassPort}`;
    const aws: LocalAws = await startAws({
      stateDir,
      port,
      mqttPort,
      sagemakerUrl,
      greengrassUrl,
      nodeBin: join(root, 'node_modules/.bin/node'),
    });
    services.push(aws);
    services.push(
      await startSageMaker({ stateDir, port: sagemakerPort, awsUrl: url, images: trainingImage(join(root, '.venv')) }),
      await startGreengrass({ stateDir, port: greengrassPort, awsUrl: url }),
    );
    const abort = new AbortController();
    const deployed = await deployStacks(
      {
        root,
        stateDir,
        signal: abort.signal,
        teller: new Teller({ isTTY: false, colour: false, write: () => {} }),
      },
      url,
    );
    const config = DeploymentConfig.parse(JSON.parse(readFileSync(join(root, 'config/local.json'), 'utf8')));
    const names = platformNames(config);
    const client = { endpoint: url, region: 'us-east-1', credentials: LOCAL_CREDENTIALS };
    const lambda = new LambdaClient(client);
    const db = DynamoDBDocumentClient.from(new DynamoDBClient(client));
    const bus = new EventBridgeClient(client);
    return {
      deployed,
      url,
      mqttPort,
      greengrassUrl,
      config,
      names,
      client,
      lambda,
      db,
      s3: new S3Client({ ...client, forcePathStyle: true }),
      sfn: new SFNClient(client),
      registry: dynamoRegistry(db, names.registry.name),
      async write(commands: LedgerRequest['commands']): Promise<void> {
        const answer = await lambda.send(
          new InvokeCommand({
            FunctionName: names.ledgerWriter.name,
            Payload: Buffer.from(JSON.stringify({ commands })),
          }),
        );
        if (answer.FunctionError) throw new Error(Buffer.from(answer.Payload ?? []).toString());
      },
      async announce<T extends EventType>(type: T, detail: EventDetail<T>): Promise<void> {
        await bus.send(
          new PutEventsCommand({
            Entries: [
              { EventBusName: names.bus.name, Source: EVENT_SOURCE, DetailType: type, Detail: JSON.stringify(detail) },
            ],
          }),
        );
      },
      async until<R>(ask: () => Promise<R | null>, forMs: number): Promise<R> {
        for (const deadline = Date.now() + forMs; ; await sleep(500)) {
          const found = await ask();
          if (found !== null) return found;
          if (Date.now() > deadline) throw new Error(`waited ${forMs} ms for nothing`);
        }
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
export type Plant = Awaited<ReturnType<typeof startPlant>>;
