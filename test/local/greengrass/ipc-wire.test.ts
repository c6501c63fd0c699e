import { isAllowed, resourceMatches, topicMatches } from '../../../local/greengrass/ipc/access-control.ts';
import {
  EventStreamDecoder,
  encodeMessage,
  FramingError,
  type HeaderValue,
} from '../../../local/greengrass/ipc/event-stream.ts';

const headers: [string, HeaderValue][] = [
  [':message-type', 4],
  [':stream-id', -1],
  ['long', 12n],
  ['yes', true],
  ['no', false],
  ['text', 'grüße'],
  ['bytes', Buffer.from([1, 2, 3])],
];

describe('the event-stream framing', () => {
  it('reads back what it writes, whatever the chunks', () => {
    const bytes = Buffer.concat([
      encodeMessage(headers, Buffer.from('first')),
      encodeMessage([], Buffer.alloc(0)),
      encodeMessage(headers, Buffer.from('third')),
    ]);
    for (const size of [1, 7, 64, bytes.length]) {
      const decoder = new EventStreamDecoder();
      const out = [];
      for (let at = 0; at < bytes.length; at += size) out.push(...decoder.push(bytes.subarray(at, at + size)));
      expect(out.map((m) => m.message.payload.toString())).toEqual(['first', '', 'third']);
      expect([...(out[0]?.message.headers ?? [])]).toEqual(headers);
    }
  });

  it('refuses a flipped byte in the prelude, in the body, and in a checksum', () => {
    const whole = encodeMessage(headers, Buffer.from('payload'));
    for (const at of [5, 20, whole.length - 1]) {
      const broken = Buffer.from(whole);
      broken[at] = (broken[at] ?? 0) ^ 1;
      expect(() => new EventStreamDecoder().push(broken)).toThrow(FramingError);
    }
  });

  it('refuses a header of an unknown type', () => {
    const good = encodeMessage([['a', 'x']], Buffer.alloc(0));
    const { crc32 } = jest.requireActual<typeof import('node:zlib')>('node:zlib');
    good.writeUInt8(77, 14);
    good.writeUInt32BE(crc32(good.subarray(0, good.length - 4)), good.length - 4);
    expect(() => new EventStreamDecoder().push(good)).toThrow('unknown type 77');
  });

  it('refuses an impossible length', () => {
    const { crc32 } = jest.requireActual<typeof import('node:zlib')>('node:zlib');
    const prelude = Buffer.alloc(12);
    prelude.writeUInt32BE(10, 0);
    prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
    expect(() => new EventStreamDecoder().push(prelude)).toThrow('impossible');
  });
});

describe('access control', () => {
  it('matches resources with * and, on MQTT topics, + and #', () => {
    expect(resourceMatches('millwright/*/report', 'millwright/a/b/report', true)).toBe(true);
    expect(resourceMatches('a/+/c', 'a/b/c', true)).toBe(true);
    expect(resourceMatches('a/+/c', 'a/b/x/c', true)).toBe(false);
    expect(resourceMatches('a/#', 'a/b/c', true)).toBe(true);
    expect(resourceMatches('a/+', 'a/b', false)).toBe(false);
    expect(resourceMatches('a.c', 'abc', true)).toBe(false);
    expect(resourceMatches('#', 'any/thing', true)).toBe(true);
  });

  it('matches topics with a filter', () => {
    expect(topicMatches('a/+/c', 'a/b/c')).toBe(true);
    expect(topicMatches('a/#', 'a')).toBe(true);
    expect(topicMatches('a/b', 'a/b/c')).toBe(false);
    expect(topicMatches('a/b/c', 'a/b')).toBe(false);
  });

  it('grants nothing without a policy, or with one that is malformed', () => {
    const ask = (configuration: unknown): boolean =>
      isAllowed(configuration, 'aws.greengrass.ipc.pubsub', 'aws.greengrass#PublishToTopic', 'a');
    const policy = (operations: unknown): unknown => ({
      accessControl: { 'aws.greengrass.ipc.pubsub': { p: { operations, resources: ['*'] } } },
    });
    expect(ask(policy(['*']))).toBe(true);
    expect(ask(policy(['aws.greengrass#PublishToTopic']))).toBe(true);
    expect(ask(policy(['aws.greengrass#SubscribeToTopic']))).toBe(false);
    expect(ask(policy('*'))).toBe(false);
    expect(ask({})).toBe(false);
    expect(ask(undefined)).toBe(false);
  });
});
