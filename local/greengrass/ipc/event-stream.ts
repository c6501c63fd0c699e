import { crc32 } from 'node:zlib';

/**
 * AWS event-stream framing as Greengrass IPC uses it on its unix socket:
 * `u32 total | u32 headers length | u32 crc32 of those 8 bytes | headers | payload | u32 crc32 of all before`, big endian.
 * Source: aws-c-event-stream and the eventstream RPC part of aws-iot-device-sdk-v2.
 */
export const MessageType = {
  applicationMessage: 0,
  applicationError: 1,
  ping: 2,
  pingResponse: 3,
  connect: 4,
  connectAck: 5,
  protocolError: 6,
  internalError: 7,
} as const;

export const MessageFlag = { none: 0, connectionAccepted: 1, terminateStream: 2 } as const;

export type HeaderValue = boolean | number | bigint | string | Buffer;

export interface EventStreamMessage {
  readonly headers: ReadonlyMap<string, HeaderValue>;
  readonly payload: Buffer;
}

const OVERHEAD = 16;
/** Largest message aws-c-event-stream accepts. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Bytes on the wire that are no event-stream message; the connection cannot be read on after it. */
export class FramingError extends Error {
  constructor(detail: string) {
    super(`not an event-stream message: ${detail}; the connection is closed because the stream cannot be re-aligned`);
    this.name = 'FramingError';
  }
}

const encodeHeader = (name: string, value: HeaderValue): Buffer => {
  const nameBytes = Buffer.from(name, 'utf8');
  const head = Buffer.concat([Buffer.from([nameBytes.length]), nameBytes]);
  if (typeof value === 'boolean') return Buffer.concat([head, Buffer.from([value ? 0 : 1])]);
  if (typeof value === 'number') {
    const body = Buffer.alloc(5);
    body.writeUInt8(4, 0);
    body.writeInt32BE(value, 1);
    return Buffer.concat([head, body]);
  }
  if (typeof value === 'bigint') {
    const body = Buffer.alloc(9);
    body.writeUInt8(5, 0);
    body.writeBigInt64BE(value, 1);
    return Buffer.concat([head, body]);
  }
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  const length = Buffer.alloc(3);
  length.writeUInt8(typeof value === 'string' ? 7 : 6, 0);
  length.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, length, bytes]);
};

/** Encodes one message. Numbers become int32 headers, which is what the RPC protocol uses for type, flags and stream id. */
export const encodeMessage = (headers: Iterable<readonly [string, HeaderValue]>, payload: Uint8Array): Buffer => {
  const headerBytes = Buffer.concat([...headers].map(([name, value]) => encodeHeader(name, value)));
  const total = OVERHEAD + headerBytes.length + payload.length;
  const out = Buffer.alloc(total);
  out.writeUInt32BE(total, 0);
  out.writeUInt32BE(headerBytes.length, 4);
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8);
  headerBytes.copy(out, 12);
  out.set(payload, 12 + headerBytes.length);
  out.writeUInt32BE(crc32(out.subarray(0, total - 4)), total - 4);
  return out;
};

const FIXED_WIDTH: Readonly<Record<number, number>> = { 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

const decodeHeaders = (bytes: Buffer): Map<string, HeaderValue> => {
  const headers = new Map<string, HeaderValue>();
  let at = 0;
  while (at < bytes.length) {
    const nameLength = bytes.readUInt8(at);
    const name = bytes.toString('utf8', at + 1, at + 1 + nameLength);
    at += 1 + nameLength;
    const type = bytes.readUInt8(at);
    at += 1;
    if (type === 0 || type === 1) {
      headers.set(name, type === 0);
      continue;
    }
    if (type === 6 || type === 7) {
      const length = bytes.readUInt16BE(at);
      const value = bytes.subarray(at + 2, at + 2 + length);
      headers.set(name, type === 7 ? value.toString('utf8') : Buffer.from(value));
      at += 2 + length;
      continue;
    }
    const width = FIXED_WIDTH[type];
    if (width === undefined) throw new FramingError(`header ${name} has the unknown type ${type}`);
    if (type === 2) headers.set(name, bytes.readInt8(at));
    else if (type === 3) headers.set(name, bytes.readInt16BE(at));
    else if (type === 4) headers.set(name, bytes.readInt32BE(at));
    else if (type === 9) headers.set(name, Buffer.from(bytes.subarray(at, at + 16)));
    else headers.set(name, bytes.readBigInt64BE(at));
    at += width;
  }
  return headers;
};

/** Cuts a byte stream into messages; both checksums are verified. */
export class EventStreamDecoder {
  private pending: Buffer = Buffer.alloc(0);

  /**
   * @returns the messages completed by this chunk, each with the bytes it took on the wire.
   * @throws {FramingError} on a wrong checksum, an impossible length or an unknown header type.
   */
  push(chunk: Buffer): { message: EventStreamMessage; bytes: number }[] {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const out: { message: EventStreamMessage; bytes: number }[] = [];
    while (this.pending.length >= 12) {
      const total = this.pending.readUInt32BE(0);
      const headerLength = this.pending.readUInt32BE(4);
      if (this.pending.readUInt32BE(8) !== crc32(this.pending.subarray(0, 8)))
        throw new FramingError('the checksum of the prelude is wrong');
      if (total > MAX_MESSAGE_BYTES || total < OVERHEAD + headerLength)
        throw new FramingError(`a length of ${total} bytes with ${headerLength} bytes of headers is impossible`);
      if (this.pending.length < total) break;
      const frame = this.pending.subarray(0, total);
      if (frame.readUInt32BE(total - 4) !== crc32(frame.subarray(0, total - 4)))
        throw new FramingError('the checksum of the message is wrong');
      out.push({
        message: {
          headers: decodeHeaders(frame.subarray(12, 12 + headerLength)),
          payload: Buffer.from(frame.subarray(12 + headerLength, total - 4)),
        },
        bytes: total,
      });
      this.pending = this.pending.subarray(total);
    }
    return out;
  }
}
