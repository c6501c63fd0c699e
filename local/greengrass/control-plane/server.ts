import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { z } from 'zod';
import { type ApiModel, validationMessage } from '../../shared/api-model.ts';
import { DEVICE_API_PREFIX, DeploymentStatusReport, DeviceStatusReport, NextDeploymentRequest } from '../device-api.ts';
import { componentOperations } from './components.ts';
import { type Input, makeContext, type Operations } from './context.ts';
import { coreDeviceOperations } from './core-devices.ts';
import { deploymentOperations } from './deployments.ts';
import type { Artifacts, Things } from './ports.ts';
import { makeRollout } from './rollout.ts';
import { invalid, ServiceError } from './service-error.ts';
import type { Store } from './store.ts';

export interface ControlPlaneOptions {
  readonly model: ApiModel;
  readonly store: Store;
  readonly artifacts: Artifacts;
  readonly things: Things;
  readonly account: string;
  readonly region: string;
  readonly now?: () => number;
  readonly log?: (line: string) => void;
}

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (chunks.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ServiceError('ValidationException', 'The request body is not JSON', { reason: 'CANNOT_PARSE' });
  }
};

const send = (response: ServerResponse, status: number, body?: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, {
    'x-amzn-requestid': randomUUID(),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
};

const parse = <S extends z.ZodType>(schema: S, body: unknown): z.output<S> => {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
  throw invalid(`The device's message is not valid: ${issues.join('; ')}`, issues);
};

/**
 * The Greengrass V2 control plane as an HTTP server: the service's REST API for official clients, and the device-facing
 * API of `device-api.ts`. Requests and answers are both held against the service's own API model.
 */
export const createControlPlane = (options: ControlPlaneOptions): Server => {
  const { model } = options;
  const ctx = makeContext({
    store: options.store,
    artifacts: options.artifacts,
    things: options.things,
    account: options.account,
    region: options.region,
    now: options.now ?? Date.now,
    newId: randomUUID,
    events: new EventEmitter().setMaxListeners(0),
  });
  const rollout = makeRollout(ctx);
  const devices = coreDeviceOperations(ctx, rollout);
  const operations: Operations = {
    ...componentOperations(ctx),
    ...deploymentOperations(ctx, rollout),
    ...devices.operations,
  };

  const serveDevice = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (path === '/health') return send(response, 200, { status: 'ok' });
    const match = /^\/things\/([^/]+)\/(next-deployment|status|deployments\/([^/]+)\/status)$/.exec(path);
    if (match === null || request.method !== 'POST') {
      throw new ServiceError('UnknownOperationException', `The device API has no ${request.method} ${path}`);
    }
    const thing = decodeURIComponent(match[1]!);
    const body = await bodyOf(request);
    if (match[2] === 'next-deployment') {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      const next = await rollout.nextDeployment(thing, parse(NextDeploymentRequest, body), gone.signal);
      if (gone.signal.aborted) return;
      return next === null ? send(response, 204) : send(response, 200, next);
    }
    if (match[2] === 'status') await devices.reportStatus(thing, parse(DeviceStatusReport, body));
    else rollout.report(thing, decodeURIComponent(match[3]!), parse(DeploymentStatusReport, body));
    send(response, 204);
  };

  const serveApi = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Presence only: who may call what is not rehearsed, see docs/local-plant-greengrass.md.
    if (!/^AWS4-HMAC-SHA256 Credential=/.test(request.headers.authorization ?? '')) {
      throw new ServiceError('AccessDeniedException', 'The request is not signed; expected AWS Signature Version 4');
    }
    const parsed = model.parseRest({
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      body: await bodyOf(request),
    });
    const operation = parsed === undefined ? undefined : operations[parsed.operation];
    if (parsed === undefined || operation === undefined) {
      throw new ServiceError(
        'UnknownOperationException',
        `The local plant does not rehearse ${parsed?.operation ?? `${request.method} ${request.url}`} of Greengrass V2`,
      );
    }
    const problems = model.validate(parsed.operation, parsed.input);
    if (problems.length > 0) throw invalid(validationMessage(problems), problems);
    const output = await operation(parsed.input as Input);
    const wrong = model.validateOutput(parsed.operation, output);
    if (wrong.length > 0)
      throw new Error(`${parsed.operation} would answer what the service cannot: ${wrong.join('; ')}`);
    const status = model.successStatus(parsed.operation);
    if (status === 204) send(response, 204);
    else send(response, status, model.toWire(parsed.operation, output));
  };

  return createServer(async (request, response) => {
    try {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      if (path.startsWith(`${DEVICE_API_PREFIX}/`)) {
        await serveDevice(path.slice(DEVICE_API_PREFIX.length), request, response);
      } else await serveApi(request, response);
    } catch (error) {
      const known =
        error instanceof ServiceError
          ? error
          : new ServiceError('InternalServerException', error instanceof Error ? error.message : String(error));
      if (known !== error)
        options.log?.(`${request.method} ${request.url}: ${error instanceof Error ? error.stack : error}`);
      if (response.headersSent) response.destroy();
      else {
        send(
          response,
          known.statusCode,
          { message: known.message, ...known.members },
          { 'x-amzn-errortype': known.type },
        );
      }
    }
  });
};
