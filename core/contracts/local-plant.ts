import { z } from 'zod';
import { DeviceId, Instant, ModelLineId, SiteId, Slug } from './primitives.ts';

/** Where the local plant keeps its state, under the root of the checkout; `plant.json` in it is a LocalPlant. */
export const LOCAL_PLANT_DIR = '.millwright';
export const LOCAL_PLANT_FILE = 'plant.json';

/** What a running local plant says about itself, so that clients on the same machine find it. */
export const LocalPlant = z.strictObject({
  schema: z.literal('local-plant/1'),
  stage: Slug,
  site: SiteId,
  region: z.string(),
  account: z.string(),
  pid: z.int().positive().describe('process of npm start; the plant is down when it is gone'),
  startedAt: Instant,
  endpoints: z.strictObject({
    aws: z.url(),
    sagemaker: z.url(),
    greengrass: z.url(),
    mqtt: z.string().describe('host:port of the MQTT broker, mutual TLS'),
  }),
  services: z.array(z.strictObject({ name: z.string(), pid: z.int().positive(), log: z.string() })),
  modelLine: ModelLineId,
  data: z.string().nullable().describe('folder of recorded data; null = simulated machines'),
  seed: z.int().nonnegative(),
  devices: z.array(
    z.strictObject({
      device: DeviceId,
      thing: z.string(),
      ring: z.int().nonnegative(),
      deviceClass: Slug,
      nucleus: z.enum(['classic', 'lite']),
      root: z.string().describe('Greengrass root folder'),
      pid: z.int().positive().nullable(),
    }),
  ),
});
export type LocalPlant = z.infer<typeof LocalPlant>;

/** Faults in force on a local plant, read by its local AWS; written by `millwright chaos`. A start begins without any. */
export const LOCAL_FAULTS_FILE = 'faults.json';

/** Services whose requests can be refused as when they are asked too often. */
export const ThrottledService = z.enum(['lambda', 'dynamodb', 's3', 'sqs', 'states', 'events', 'sns', 'iot', 'kms']);
export type ThrottledService = z.infer<typeof ThrottledService>;

const Share = z.number().min(0).max(1);
const Until = Instant.nullable().describe('when the fault ends by itself; null: when it is taken back');

/** What carries messages between services: rules of IoT Core, and the event buses. */
export const MessageCarrier = z.enum(['iot', 'events']);
export type MessageCarrier = z.infer<typeof MessageCarrier>;

export const MessageFault = z.strictObject({
  carriers: z.array(MessageCarrier).min(1),
  drop: Share.describe('share of messages that never arrive'),
  repeat: Share.describe('share of messages that arrive twice'),
  delaySeconds: z.number().nonnegative().max(900).describe('every message arrives that much later'),
  until: Until,
});
export type MessageFault = z.infer<typeof MessageFault>;

export const LocalFaults = z.strictObject({
  schema: z.literal('local-faults/1'),
  seed: z.int().nonnegative().describe('the n-th message or request of a kind has the same fate for the same seed'),
  messages: MessageFault.nullable(),
  throttles: z.array(
    z.strictObject({
      service: ThrottledService,
      share: Share.describe('share of requests that are refused'),
      until: Until,
    }),
  ),
});
export type LocalFaults = z.infer<typeof LocalFaults>;

/** Counts of the local AWS since it started, below the state folder; brought up to date each second. */
export const LOCAL_COUNTERS_FILE = 'aws/counters.json';

const Count = z.int().nonnegative();
const Requests = z.record(
  z.string().describe('service, as in the names of IAM actions'),
  z.record(
    z.string().describe('action'),
    z.strictObject({ count: Count, errors: Count, throttled: Count, bytesIn: Count, bytesOut: Count }),
  ),
);

export const LocalCounters = z.strictObject({
  schema: z.literal('local-counters/1'),
  pid: z.int().positive().describe('process of the local AWS'),
  since: Instant,
  at: Instant,
  lambda: z.record(
    z.string().describe('function'),
    z.strictObject({ count: Count, errors: Count, throttled: Count, ms: Count, memoryMb: Count }),
  ),
  requests: Requests.describe('of everyone but the root user: functions, devices, training jobs'),
  rootRequests: Requests.describe('of the root user: `npm start`, the CLI, deployments'),
  states: z.strictObject({ executions: Count, transitions: Count }),
  events: z.strictObject({ dispatched: Count, bytes: Count }),
  mqtt: z.strictObject({ published: Count, bytes: Count }),
  messages: z.record(
    z.string().describe('<carrier>:<queue, function or state machine>'),
    z.strictObject({ delivered: Count, dropped: Count, delayed: Count, repeated: Count }),
  ),
  stores: z.strictObject({
    tables: z.record(z.string(), Count.describe('items')),
    buckets: z.record(z.string(), Count.describe('objects')),
  }),
});
export type LocalCounters = z.infer<typeof LocalCounters>;

/** What a running plant held when it last looked, a second ago at most; says after a cut what is lost. */
export const LOCAL_LAST_SEEN_FILE = 'last-seen.json';
export const LastSeen = z.strictObject({
  schema: z.literal('last-seen/1'),
  at: Instant,
  chains: z.record(z.string().describe('<site>/<record class>'), Count.describe('records written to this chain')),
  tables: z.record(z.string(), Count),
  buckets: z.record(z.string(), Count),
  deployments: Count.describe('deployments of Greengrass'),
});
export type LastSeen = z.infer<typeof LastSeen>;
