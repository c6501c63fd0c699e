import type { ObservationMessage } from '../../core/contracts/observation.ts';
import { observationTopic } from '../../core/contracts/observation.ts';
import type { Claim, LandingTable } from '../../lambdas/shared/landing-table.ts';

/** Claims in memory, by the same conditions as in DynamoDB. */
export const memoryLanding = (claims = new Map<string, Claim>()): LandingTable & { claims: Map<string, Claim> } => ({
  claims,
  async claim(id, claim) {
    const held = claims.get(id);
    if (held !== undefined) return held;
    claims.set(id, claim);
    return null;
  },
  async takeOver(id, from, to) {
    const held = claims.get(id) as Claim;
    if (held.key !== from.key) return held;
    claims.set(id, to);
    return null;
  },
});

/** A message of observations of edge-1 at plant-a: `points` of one signal. */
export const observations = (
  sequence: number,
  values: readonly (number | string | boolean | null)[] = [sequence],
  more: Partial<ObservationMessage> = {},
): ObservationMessage => ({
  schema: 'observations/1',
  site: 'plant-a',
  device: 'edge-1',
  boot: 'boot-1',
  sequence,
  receivedTime: '2026-01-02T03:04:05.500Z',
  provenance: { connector: 'millwright-connector', configVersion: 'v1' },
  series: [
    {
      asset: 'press-1',
      signal: 'pressure',
      unit: 'bar',
      points: values.map((v, i) => ({
        t: new Date(Date.UTC(2026, 0, 2, 3, 4, i)).toISOString(),
        v,
        q: v === null ? 'BAD' : 'GOOD',
      })),
    },
  ],
  ...more,
});

/** What the rule of a topic sends on: the bytes of a message and its topic. */
export const published = (
  message: unknown,
  topic = observationTopic('local', 'plant-a', 'edge-1'),
): { bytes: string; cameOn: string } => ({
  bytes: Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)).toString('base64'),
  cameOn: topic,
});
