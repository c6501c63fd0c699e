import fc from 'fast-check';
import {
  ASSUMPTIONS,
  decisionsPerObject,
  driversOf,
  type Fleet,
  monthlyCost,
  PRICES,
  priceOf,
  type Use,
  useBetween,
  type Window,
} from '../../../bench/cost.ts';
import { LocalCounters } from '../../../core/contracts/local-plant.ts';

const request = (count: number, bytesIn = 0, bytesOut = 0) => ({ count, errors: 0, throttled: 0, bytesIn, bytesOut });

const counters = (over: Partial<LocalCounters> = {}): LocalCounters =>
  LocalCounters.parse({
    schema: 'local-counters/1',
    pid: 1,
    since: '2026-01-01T00:00:00.000Z',
    at: '2026-01-01T00:01:00.000Z',
    lambda: {},
    requests: {},
    rootRequests: {},
    states: { executions: 0, transitions: 0 },
    events: { dispatched: 0, bytes: 0 },
    mqtt: { published: 0, bytes: 0 },
    messages: {},
    stores: { tables: {}, buckets: {} },
    ...over,
  });

const use = (over: Partial<LocalCounters>): Use =>
  useBetween(counters(), counters(over), new Set(['mw-reports', 'mw-work']));
const lambda = (count: number, ms: number, memoryMb: number) => ({ count, errors: 0, throttled: 0, ms, memoryMb });
const stream = (delivered: number) => ({ delivered, dropped: 0, delayed: 0, repeated: 0 });

describe('what a window used', () => {
  test('is the difference of the counts', () => {
    const before = counters({ lambda: { 'f-a': lambda(10, 1000, 1024) } });
    const after = counters({ lambda: { 'f-a': lambda(14, 3000, 1024), 'f-b': lambda(1, 1000, 512) } });
    const found = useBetween(before, after, new Set());
    expect(found.lambdaRequests).toBe(5);
    expect(found.lambdaGbSeconds).toBeCloseTo(2.5, 12);
    expect(found.logBytes).toBe(5 * ASSUMPTIONS.logBytesPerInvocation);
  });

  test('cannot be told across a start of the local AWS', () => {
    expect(() => useBetween(counters(), counters({ pid: 2 }), new Set())).toThrow('started anew');
  });

  test('counts the units of DynamoDB: a KB a write, 4 KB a read, double and by item in a transaction', () => {
    const dynamodb = {
      PutItem: request(2, 3000),
      Query: request(3, 100, 15_000),
      TransactWriteItems: request(1, 3000),
      TransactGetItems: request(1, 10, 100),
    };
    const found = use({ requests: { dynamodb } });
    expect(found.dynamoWriteUnits).toBe(2 * 2 + 2 * 6);
    expect(found.dynamoReadUnits).toBe(3 * 2 + 2);
  });

  test('tells reads of S3 from writes, leaves deletes out, and keeps what was put', () => {
    const s3 = { PutObject: request(4, 8000), ListBucket: request(1), GetObject: request(3), DeleteObject: request(9) };
    expect(use({ requests: { s3 } })).toMatchObject({ s3Writes: 5, s3Reads: 3, storedBytes: 8000 });
  });

  test('counts three requests for a message to a queue, and none for one to a function', () => {
    const found = use({
      lambda: { 'mw-work': lambda(0, 0, 256) },
      messages: { 'iot:mw-reports': stream(10), 'events:mw-work': stream(5), 'iot:mw-function': stream(2) },
    });
    expect(found).toMatchObject({ sqsRequests: 45, iotRuleActions: 12 });
  });

  test('counts a message of more than 5 KB as more than one', () => {
    expect(use({ mqtt: { published: 10, bytes: 60_000 } }).iotMessages).toBe(20);
  });

  test('counts the requests of everyone but the root user, with their bytes both ways', () => {
    const found = use({ requests: { s3: { GetObject: request(2, 10, 90) }, kms: { Sign: request(1, 5, 5) } } });
    expect(found).toMatchObject({ requests: 3, requestBytes: 110, kmsRequests: 1 });
  });
});

const window = (over: Partial<LocalCounters>, objects: number): Window => ({
  use: use(over),
  seconds: 60,
  decisions: objects * 5,
  objects,
  devices: 3,
});

describe('what drives the bill', () => {
  test('is told apart: what silent devices use as well is not charged to decisions', () => {
    const deciding = window({ lambda: { f: lambda(90, 0, 256) } }, 10);
    const silent = window({ lambda: { f: lambda(36, 0, 256) } }, 0);
    const { perObject, perDeviceSecond } = driversOf(deciding, silent);
    expect(perDeviceSecond.lambdaRequests).toBeCloseTo(36 / 60 / 3, 12);
    expect(perObject.lambdaRequests).toBeCloseTo((90 - 36) / 10, 12);
  });

  test('cannot be told without decisions', () => {
    expect(() => driversOf(window({}, 0), window({}, 0))).toThrow('no decision was uploaded');
  });

  test('cannot be told when silence was none', () => {
    expect(() => driversOf(window({}, 3), window({}, 2))).toThrow('2 objects of decisions');
  });
});

const standing = { kmsKeys: 6, alarms: 10, dashboards: 2, queues: 4 };
const fleet: Fleet = { devices: 100, secondsPerDecision: 10, uploadEvery: 50, uploadSeconds: 5, standing };
const drivers = driversOf(
  window({ lambda: { f: lambda(90, 9000, 256) }, requests: { s3: { PutObject: request(30, 9000) } } }, 10),
  window({ lambda: { f: lambda(36, 3600, 256) } }, 0),
);
const nothing = driversOf(window({}, 1), window({}, 0));

describe('an object of decisions', () => {
  test.each([
    [10, 1],
    [5, 2],
    [1, 6],
    [0.01, 50],
  ])('holds, with a decision every %d s, %d', (secondsPerDecision, expected) => {
    expect(decisionsPerObject({ ...fleet, secondsPerDecision })).toBe(expected);
  });

  test('that is not full comes no more often than its oldest decision may wait', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 600, noNaN: true }), (secondsPerDecision) => {
        const held = decisionsPerObject({ ...fleet, secondsPerDecision });
        fc.pre(held < fleet.uploadEvery);
        expect(held * secondsPerDecision).toBeGreaterThan(fleet.uploadSeconds * (1 - 1e-9));
      }),
    );
  });
});

describe('the cost of a month', () => {
  test('of Lambda is requests and GB-seconds at the list price', () => {
    const bill = priceOf(use({ lambda: { f: lambda(1e6, 1e6 * 1000, 1024) } }));
    expect(bill['Lambda']).toBeCloseTo(0.2 + 16.6667, 6);
  });

  test('without any use is the devices, the connections and what stands', () => {
    const { byService, usd, growth } = monthlyCost(nothing, fleet);
    expect(byService['Greengrass']).toBeCloseTo(16, 9);
    expect(byService['KMS']).toBe(6);
    expect(byService['CloudWatch']).toBeCloseTo(7, 9);
    expect(byService['SQS']).toBeCloseTo(4 * 648_000 * 0.4e-6, 9);
    expect(byService['IoT Core']).toBeCloseTo(100 * 43_200 * 0.08e-6, 9);
    expect(usd).toBeCloseTo(16 + 6 + 7 + 1.0368 + 0.3456, 6);
    expect(growth).toBe(0);
  });

  test('is what stands and so much for each device, of any number', () => {
    const standingOnly = monthlyCost(drivers, { ...fleet, devices: 0 }).usd;
    const each = monthlyCost(drivers, { ...fleet, devices: 1 }).usd - standingOnly;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (devices) => {
        expect(monthlyCost(drivers, { ...fleet, devices }).usd / (standingOnly + each * devices)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('halves for decisions that are half as many, where each has an object of its own', () => {
    const silent = monthlyCost(drivers, { ...fleet, secondsPerDecision: Number.POSITIVE_INFINITY }).usd;
    const often = monthlyCost(drivers, { ...fleet, secondsPerDecision: 10 }).usd - silent;
    const rarely = monthlyCost(drivers, { ...fleet, secondsPerDecision: 20 }).usd - silent;
    expect(often).toBeGreaterThan(0);
    expect(rarely / often).toBeCloseTo(0.5, 9);
  });

  test('says what each month adds for what is kept', () => {
    const objects = (100 * ASSUMPTIONS.secondsPerMonth) / 10;
    const { growth } = monthlyCost(drivers, fleet);
    expect(growth).toBeCloseTo(((objects * 900) / 2 ** 30) * PRICES.perMonth.storedGiB.usd, 9);
  });
});
