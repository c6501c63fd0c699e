import type { Socket } from 'node:net';
import { EventStreamDecoder, encodeMessage, type HeaderValue, MessageFlag, MessageType } from './event-stream.ts';
import { IpcError } from './ipc-errors.ts';

/** One open stream of a component: a call, and for subscriptions the way back. */
export interface IpcStream {
  readonly component: string;
  /** Sends a modelled event on a subscription; a closed stream swallows it. */
  send(shape: string, payload: unknown): void;
  onClose(listener: () => void): void;
}

export interface IpcAnswer {
  readonly payload: unknown;
  /** Set when the stream stays open for events. */
  readonly streaming?: boolean;
  /** Runs once the answer is on the wire, so that no event overtakes it. */
  readonly afterwards?: () => void;
}

export interface IpcConnectionOptions {
  /** Name of the component that owns this token; undefined refuses the connection. */
  readonly authenticate: (token: string) => string | undefined;
  readonly call: (stream: IpcStream, operation: string, request: unknown) => Promise<IpcAnswer>;
  /** Largest message taken, bytes on the wire; a longer one drops the connection (nucleus lite). */
  readonly maxMessageBytes: number;
  readonly log: (line: string) => void;
}

const SHAPE = 'service-model-type';
const CONTENT = ':content-type';

/** Serves one client socket: connect handshake, requests, subscriptions, ping. */
export const serveConnection = (socket: Socket, options: IpcConnectionOptions): void => {
  const decoder = new EventStreamDecoder();
  const closers = new Map<number, (() => void)[]>();
  let component: string | undefined;

  const write = (type: number, flags: number, streamId: number, headers: [string, HeaderValue][], payload: unknown) => {
    if (socket.destroyed) return;
    const body = payload === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(payload), 'utf8');
    const message = encodeMessage(
      [[':message-type', type], [':message-flags', flags], [':stream-id', streamId], ...headers],
      body,
    );
    socket.write(message);
  };

  const closeStream = (streamId: number): void => {
    const listeners = closers.get(streamId) ?? [];
    closers.delete(streamId);
    for (const listener of listeners) listener();
  };

  const answerError = (streamId: number, error: unknown): void => {
    const modelled =
      error instanceof IpcError ? error : new IpcError('ServiceError', error instanceof Error ? error.message : '');
    write(
      MessageType.applicationError,
      MessageFlag.terminateStream,
      streamId,
      [
        [SHAPE, `aws.greengrass#${modelled.code}`],
        [CONTENT, 'application/json'],
      ],
      {
        _service: 'aws.greengrass.GreengrassCoreIPC',
        _errorCode: modelled.code,
        _message: modelled.message,
        message: modelled.message,
      },
    );
    closeStream(streamId);
  };

  const request = async (streamId: number, operation: string, payload: Buffer, owner: string): Promise<void> => {
    closers.set(streamId, []);
    const stream: IpcStream = {
      component: owner,
      send: (shape, event) => {
        if (!closers.has(streamId)) return;
        write(
          MessageType.applicationMessage,
          MessageFlag.none,
          streamId,
          [
            [SHAPE, `aws.greengrass#${shape}`],
            [CONTENT, 'application/json'],
          ],
          event,
        );
      },
      onClose: (listener) => {
        const listeners = closers.get(streamId);
        if (listeners === undefined) listener();
        else listeners.push(listener);
      },
    };
    try {
      const parsed: unknown = payload.length === 0 ? {} : JSON.parse(payload.toString('utf8'));
      const answer = await options.call(stream, operation, parsed);
      write(
        MessageType.applicationMessage,
        answer.streaming === true ? MessageFlag.none : MessageFlag.terminateStream,
        streamId,
        [
          [SHAPE, `${operation}Response`],
          [CONTENT, 'application/json'],
        ],
        answer.payload,
      );
      if (answer.streaming !== true) closeStream(streamId);
      answer.afterwards?.();
    } catch (error) {
      answerError(streamId, error);
    }
  };

  const connect = (payload: Buffer): void => {
    let token: unknown;
    try {
      token = (JSON.parse(payload.toString('utf8')) as { authToken?: unknown }).authToken;
    } catch {
      token = undefined;
    }
    component = typeof token === 'string' ? options.authenticate(token) : undefined;
    write(
      MessageType.connectAck,
      component === undefined ? MessageFlag.none : MessageFlag.connectionAccepted,
      0,
      [],
      undefined,
    );
    if (component === undefined) {
      options.log('ipc: connection refused, unknown SVCUID');
      socket.end();
    }
  };

  const take = (message: { headers: ReadonlyMap<string, HeaderValue>; payload: Buffer }): void => {
    const { headers, payload } = message;
    const type = headers.get(':message-type');
    const flags = Number(headers.get(':message-flags') ?? 0);
    const streamId = Number(headers.get(':stream-id') ?? 0);
    if (type === MessageType.ping) {
      write(MessageType.pingResponse, MessageFlag.none, 0, [], undefined);
      return;
    }
    if (type === MessageType.connect) {
      if (headers.get(':version') === '0.1.0') connect(payload);
      else socket.destroy();
      return;
    }
    if (component === undefined) {
      socket.destroy();
      return;
    }
    if (type !== MessageType.applicationMessage) return;
    if ((flags & MessageFlag.terminateStream) !== 0) {
      closeStream(streamId);
      return;
    }
    const operation = headers.get('operation');
    if (typeof operation === 'string') void request(streamId, operation, payload, component);
  };

  socket.on('data', (chunk) => {
    try {
      for (const { message, bytes } of decoder.push(chunk)) {
        if (bytes > options.maxMessageBytes) {
          options.log(
            `ipc: ${component ?? 'a client'} sent ${bytes} bytes, more than ${options.maxMessageBytes}; dropped`,
          );
          socket.destroy();
          return;
        }
        take(message);
      }
    } catch (error) {
      options.log(`ipc: ${(error as Error).message}`);
      socket.destroy();
    }
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    for (const streamId of [...closers.keys()]) closeStream(streamId);
  });
};
