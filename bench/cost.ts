import type { LocalCounters } from '#core/contracts/local-plant.ts';

/**
 * List prices of us-east-1 in USD, without free tiers, volume discounts and tax. Written down on the date below, not
 * fetched: each names the page of AWS that has the price of today. Check them before a decision depends on them.
 */
export const PRICES = {
  written: '2026-11-26',
  region: 'us-east-1',
  perUnit: {
    lambdaRequests: { usd: 0.2e-6, page: 'aws.amazon.com/lambda/pricing' },
    lambdaGbSeconds: { usd: 16.6667e-6, page: 'aws.amazon.com/lambda/pricing, x86' },
    dynamoWriteUnits: { usd: 0.625e-6, page: 'aws.amazon.com/dynamodb/pricing/on-demand' },
    dynamoReadUnits: { usd: 0.125e-6, page: 'aws.amazon.com/dynamodb/pricing/on-demand' },
    s3Writes: { usd: 5e-6, page: 'aws.amazon.com/s3/pricing, PUT, COPY, POST, LIST' },
    s3Reads: { usd: 0.4e-6, page: 'aws.amazon.com/s3/pricing, GET' },
    sqsRequests: { usd: 0.4e-6, page: 'aws.amazon.com/sqs/pricing, standard' },
    events: { usd: 1e-6, page: 'aws.amazon.com/eventbridge/pricing, custom and opt-in events' },
    transitions: { usd: 25e-6, page: 'aws.amazon.com/step-functions/pricing, standard' },
    iotMessages: { usd: 1e-6, page: 'aws.amazon.com/iot-core/pricing, messaging, per 5 KB' },
    iotRuleActions: { usd: 0.3e-6, page: 'aws.amazon.com/iot-core/pricing, a rule and one action' },
    kmsRequests: { usd: 3e-6, page: 'aws.amazon.com/kms/pricing, symmetric' },
    snsRequests: { usd: 0.5e-6, page: 'aws.amazon.com/sns/pricing' },
    logBytes: { usd: 0.5 / 2 ** 30, page: 'aws.amazon.com/cloudwatch/pricing, logs ingested' },
    traces: { usd: 5e-6, page: 'aws.amazon.com/xray/pricing, recorded' },
  },
  perMonth: {
    storedGiB: { usd: 0.023, page: 'aws.amazon.com/s3/pricing, Standard' },
    greengrassCore: { usd: 0.16, page: 'aws.amazon.com/greengrass/pricing' },
    connectedMinutes: { usd: 0.08e-6, page: 'aws.amazon.com/iot-core/pricing, connectivity' },
    kmsKey: { usd: 1, page: 'aws.amazon.com/kms/pricing' },
    alarm: { usd: 0.1, page: 'aws.amazon.com/cloudwatch/pricing, standard resolution' },
    dashboard: { usd: 3, page: 'aws.amazon.com/cloudwatch/pricing' },
  },
} as const;

/** What the local AWS cannot count, and how it is filled in; printed with every figure. */
export const ASSUMPTIONS = {
  secondsPerMonth: 30 * 86_400,
  /** A message to a queue: sent, received and deleted on its own. */
  sqsRequestsPerMessage: 3,
  /** An idle event source mapping of a queue: five long polls of 20 s at a time. */
  pollsPerSecond: 5 / 20,
  logBytesPerInvocation: 1500,
  tracedShare: 0.05,
  /** Bytes of one item of a transaction or batch: their number is not counted. */
  bytesPerItem: 500,
} as const;

export type Billed = keyof typeof PRICES.perUnit;
/** Amounts of what AWS bills by use, the bytes that stay in S3, and all requests of APIs with their bytes both ways. */
export type Use = Readonly<Record<Billed | (typeof UNBILLED)[number], number>>;
const UNBILLED = ['storedBytes', 'requests', 'requestBytes'] as const;

const SERVICE: Readonly<Record<Billed, string>> = {
  lambdaRequests: 'Lambda',
  lambdaGbSeconds: 'Lambda',
  dynamoWriteUnits: 'DynamoDB',
  dynamoReadUnits: 'DynamoDB',
  s3Writes: 'S3',
  s3Reads: 'S3',
  sqsRequests: 'SQS',
  events: 'EventBridge',
  transitions: 'Step Functions',
  iotMessages: 'IoT Core',
  iotRuleActions: 'IoT Core',
  kmsRequests: 'KMS',
  snsRequests: 'SNS',
  logBytes: 'CloudWatch',
  traces: 'X-Ray',
};

interface Counted {
  readonly count: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

const unitsOf = (bytes: number, count: number, size: number): number =>
  count * Math.max(1, Math.ceil(bytes / Math.max(1, count) / size));
const itemsOf = (c: Counted): number => Math.max(c.count, Math.round(c.bytesIn / ASSUMPTIONS.bytesPerItem));

/** Units of DynamoDB: 1 KB a written item, 4 KB read, double in a transaction; every read as if strongly consistent. */
const dynamoUnits = (action: string, c: Counted): { readonly write: number; readonly read: number } => {
  if (action === 'TransactWriteItems') return { write: 2 * itemsOf(c), read: 0 };
  if (action === 'BatchWriteItem') return { write: itemsOf(c), read: 0 };
  if (/^(Put|Update|Delete)Item$/.test(action)) return { write: unitsOf(c.bytesIn, c.count, 1024), read: 0 };
  if (action === 'TransactGetItems') return { write: 0, read: 2 * unitsOf(c.bytesOut, c.count, 4096) };
  return { write: 0, read: unitsOf(c.bytesOut, c.count, 4096) };
};

/** What was billed since the local AWS started; the difference of two of them is a window's. */
const totals = (c: LocalCounters, queues: ReadonlySet<string>): Use => {
  const use = Object.fromEntries([...Object.keys(SERVICE), ...UNBILLED].map((k) => [k, 0])) as Record<
    keyof Use,
    number
  >;
  for (const { count, ms, memoryMb } of Object.values(c.lambda)) {
    use.lambdaRequests += count;
    use.lambdaGbSeconds += (ms / 1000) * (memoryMb / 1024);
  }
  use.logBytes = use.lambdaRequests * ASSUMPTIONS.logBytesPerInvocation;
  use.traces = use.lambdaRequests * ASSUMPTIONS.tracedShare;
  for (const [action, counted] of Object.entries(c.requests['dynamodb'] ?? {})) {
    const { write, read } = dynamoUnits(action, counted);
    use.dynamoWriteUnits += write;
    use.dynamoReadUnits += read;
  }
  for (const [action, counted] of Object.entries(c.requests['s3'] ?? {})) {
    if (/^Delete/.test(action)) continue;
    use[/^(Get|Head)/.test(action) ? 's3Reads' : 's3Writes'] += counted.count;
    if (action === 'PutObject') use.storedBytes += counted.bytesIn;
  }
  for (const counted of Object.values(c.requests).flatMap((actions) => Object.values(actions))) {
    use.requests += counted.count;
    use.requestBytes += counted.bytesIn + counted.bytesOut;
  }
  const all = (service: string): number =>
    Object.values(c.requests[service] ?? {}).reduce((sum, { count }) => sum + count, 0);
  use.kmsRequests = all('kms');
  use.snsRequests = all('sns');
  use.sqsRequests = all('sqs');
  for (const [stream, { delivered }] of Object.entries(c.messages)) {
    const [carrier = '', target = ''] = stream.split(':');
    if (carrier === 'iot') use.iotRuleActions += delivered;
    if (queues.has(target)) use.sqsRequests += delivered * ASSUMPTIONS.sqsRequestsPerMessage;
  }
  use.events = c.events.dispatched;
  use.transitions = c.states.transitions;
  use.iotMessages = unitsOf(c.mqtt.bytes, c.mqtt.published, 5 * 1024);
  return use;
};

const combine = (a: Use, b: Use, f: (x: number, y: number) => number): Use =>
  Object.fromEntries(Object.entries(a).map(([k, x]) => [k, f(x, b[k as keyof Use])])) as unknown as Use;

/**
 * What one window used.
 * @param queues names of queues: what carries a message names its target alone.
 * @throws {Error} when the local AWS was started anew in between.
 */
export const useBetween = (before: LocalCounters, after: LocalCounters, queues: ReadonlySet<string>): Use => {
  if (before.pid !== after.pid || before.since !== after.since)
    throw new Error('the local AWS was started anew in the window: its counts begin at zero; measure again');
  return combine(totals(after, queues), totals(before, queues), (x, y) => Math.max(0, x - y));
};

/** A window: what was used in how many seconds, with how many decisions in how many objects, by how many devices. */
export interface Window {
  readonly use: Use;
  readonly seconds: number;
  readonly decisions: number;
  readonly objects: number;
  readonly devices: number;
}

/** What drives the bill: an object of decisions, and a device that is there for a second. */
export interface Drivers {
  readonly perObject: Use;
  readonly perDeviceSecond: Use;
}

/**
 * Tells what decisions cause from what devices cause by being there: the same plant, once deciding and once not.
 * @throws {Error} when the one window has no decisions or the other has some.
 */
export const driversOf = (deciding: Window, silent: Window): Drivers => {
  if (deciding.objects === 0) throw new Error('no decision was uploaded in the window that should have some');
  if (silent.objects > 0)
    throw new Error(`${silent.objects} objects of decisions were uploaded in the window that should have none`);
  const perDeviceSecond = combine(silent.use, silent.use, (x) => x / silent.seconds / silent.devices);
  const present = deciding.seconds * deciding.devices;
  return {
    perObject: combine(deciding.use, perDeviceSecond, (x, y) => Math.max(0, x - y * present) / deciding.objects),
    perDeviceSecond,
  };
};

/** How devices decide, and what stands in the account whether they do or not. */
export interface Fleet {
  readonly devices: number;
  readonly secondsPerDecision: number;
  /** The uplink's settings (UplinkConfig): an object is full, or its oldest decision waited this long. */
  readonly uploadEvery: number;
  readonly uploadSeconds: number;
  readonly standing: Standing;
}

export interface Standing {
  readonly kmsKeys: number;
  readonly alarms: number;
  readonly dashboards: number;
  /** Queues that a function polls. */
  readonly queues: number;
}

/** Decisions in one object at this pace: as many as come while the oldest waits. */
export const decisionsPerObject = (f: Pick<Fleet, 'secondsPerDecision' | 'uploadEvery' | 'uploadSeconds'>): number =>
  Math.min(f.uploadEvery, 1 + Math.floor(f.uploadSeconds / f.secondsPerDecision));

export interface Cost {
  /** USD a month, of all services together. */
  readonly usd: number;
  readonly byService: Readonly<Record<string, number>>;
  /** USD a month that each month adds for what is kept in S3. */
  readonly growth: number;
}

/** USD of use, by service. */
export const priceOf = (use: Use): Readonly<Record<string, number>> => {
  const bill: Record<string, number> = {};
  for (const [key, service] of Object.entries(SERVICE) as [Billed, string][])
    bill[service] = (bill[service] ?? 0) + use[key] * PRICES.perUnit[key].usd;
  return bill;
};

/** What a fleet costs in a month: decisions, presence, and what stands. */
export const monthlyCost = ({ perObject, perDeviceSecond }: Drivers, fleet: Fleet): Cost => {
  const { secondsPerMonth: seconds, pollsPerSecond } = ASSUMPTIONS;
  const { perMonth, perUnit } = PRICES;
  const { devices, standing } = fleet;
  const objects = (devices * seconds) / fleet.secondsPerDecision / decisionsPerObject(fleet);
  const use = combine(perObject, perDeviceSecond, (x, y) => x * objects + y * devices * seconds);
  const bill: Record<string, number> = { ...priceOf(use) };
  const add = (service: string, usd: number): void => {
    bill[service] = (bill[service] ?? 0) + usd;
  };
  add('Greengrass', devices * perMonth.greengrassCore.usd);
  add('IoT Core', ((devices * seconds) / 60) * perMonth.connectedMinutes.usd);
  add('KMS', standing.kmsKeys * perMonth.kmsKey.usd);
  add('CloudWatch', standing.alarms * perMonth.alarm.usd + standing.dashboards * perMonth.dashboard.usd);
  add('SQS', standing.queues * seconds * pollsPerSecond * perUnit.sqsRequests.usd);
  return {
    usd: Object.values(bill).reduce((sum, usd) => sum + usd, 0),
    byService: bill,
    growth: (use.storedBytes / 2 ** 30) * perMonth.storedGiB.usd,
  };
};
