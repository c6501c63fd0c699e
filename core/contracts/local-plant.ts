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
