import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { ApiModel, JsonObject } from '../shared/api-model.ts';
import { ServiceRefusal } from './service.ts';

const MAX_BODY = 4 * 1024 * 1024;
const JSON_TYPE = 'application/x-amz-json-1.1';

/** Present and in shape; the signature itself is not verified, as the stand-in does not know the caller's secret. */
const checkSigned = (request: IncomingMessage): void => {
  const { authorization } = request.headers;
  if (authorization === undefined)
    throw new ServiceRefusal('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
  const scope =
    /^AWS4-HMAC-SHA256 Credential=[^/,\s]+\/\d{8}\/[a-z0-9-]+\/([a-z0-9-]+)\/aws4_request,\s*SignedHeaders=[^,\s]+,\s*Signature=[0-9a-f]{64}$/.exec(
      authorization,
    );
  if (scope === null)
    throw new ServiceRefusal(
      'IncompleteSignatureException',
      "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' of Signature Version 4.",
    );
  if (scope[1] !== 'sagemaker')
    throw new ServiceRefusal(
      'InvalidSignatureException',
      `Credential should be scoped to correct service: 'sagemaker', it is scoped to '${scope[1]}'.`,
      403,
    );
  if (request.headers['x-amz-date'] === undefined && request.headers.date === undefined)
    throw new ServiceRefusal(
      'IncompleteSignatureException',
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    );
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > MAX_BODY)
      throw new ServiceRefusal('RequestTooLargeException', `the request is larger than ${MAX_BODY} bytes`, 413);
    parts.push(part as Buffer);
  }
  const text = Buffer.concat(parts).toString('utf8');
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new ServiceRefusal('SerializationException', 'the body is not JSON');
  }
};

/** SageMaker's JSON 1.1 protocol over HTTP. `GET /_health` answers 200 and is not signed. */
export const makeSageMakerServer = (
  model: ApiModel,
  call: (operation: string, input: unknown) => Promise<JsonObject>,
  log: (line: string) => void,
): Server => {
  return createServer((request, response) => {
    const id = randomUUID();
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': JSON_TYPE, 'x-amzn-requestid': id, ...headers });
      response.end(body === undefined ? '' : JSON.stringify(body));
    };
    const answer = async (): Promise<void> => {
      if (request.method === 'GET' && request.url === '/_health')
        return send(200, { service: 'sagemaker', pid: process.pid });
      const [prefix, operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
      if (request.method !== 'POST' || prefix !== model.targetPrefix || operation === '')
        throw new ServiceRefusal(
          'UnknownOperationException',
          `expected POST / with X-Amz-Target: ${model.targetPrefix}.<operation>`,
          404,
        );
      checkSigned(request);
      const input = await bodyOf(request);
      const output = await call(operation, input);
      send(200, model.toWire(operation, output));
    };
    answer().catch((error: unknown) => {
      const refusal =
        error instanceof ServiceRefusal
          ? error
          : new ServiceRefusal('InternalFailure', `the SageMaker stand-in failed: ${String(error)}`, 500);
      if (!(error instanceof ServiceRefusal)) log(`request failed: ${(error as Error).stack ?? String(error)}`);
      send(
        refusal.status,
        { __type: refusal.type, message: refusal.message, Message: refusal.message },
        {
          'x-amzn-errortype': refusal.type,
          // The rest of a body that was too large is not read.
          ...(refusal.status === 413 ? { connection: 'close' } : {}),
        },
      );
    });
  });
};
