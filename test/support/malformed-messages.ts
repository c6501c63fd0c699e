import { type ObservationMessage, observationTopic } from '../../core/contracts/observation.ts';
import { seededRandom } from '../../core/policy/bootstrap.ts';
import { observations } from './memory-landing.ts';

/** A message that must not be stored as it is, with the topic it comes on. */
export interface Malformed {
  readonly bytes: Buffer;
  readonly topic: string;
  /** It would be good if the published unit of `pressure` were mended. */
  readonly isMendable: boolean;
}

type Random = () => number;
type Loose = Record<string, unknown>;
const OWN = observationTopic('local', 'plant-a', 'edge-1');

const below = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, of: readonly T[]): T => of[below(random, of.length)] as T;
const FIELDS = ['schema', 'site', 'device', 'boot', 'sequence', 'receivedTime', 'provenance', 'series'] as const;
const WRONG: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  '',
  'NaN',
  'Infinity',
  [],
  {},
  [[]],
  '\u0000',
  '🦀',
  1e308,
  '../..',
];

const withSeries = (m: ObservationMessage, change: Loose): Loose => ({
  ...m,
  series: [{ ...m.series[0], ...change }],
});
const withPoint = (m: ObservationMessage, change: Loose): Loose =>
  withSeries(m, { points: [{ ...m.series[0]?.points[0], ...change }] });
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

type Kind = (m: ObservationMessage, random: Random) => Buffer | readonly [Buffer, string];

/** A point more than a message may have. Its check looks at every point, so that they are fewer still. */
const TOO_MANY_POINTS: Kind = (m) => json(withSeries(m, { points: Array(2001).fill({ t: m.receivedTime, v: 1 }) }));

/** Those that are large, so that they are few. */
const LARGE: readonly Kind[] = [
  (m, random) => Buffer.from(`${'['.repeat(1 + below(random, 20_000))}${m.sequence}`),
  (m, random) => {
    const depth = 1 + below(random, 3000);
    return Buffer.from(
      JSON.stringify({ ...m, x: 0 }).replace('"x":0', `"x":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
    );
  },
  (m, random) => json({ ...m, padding: 'x'.repeat(7000 + below(random, 3000)) }),
];

/** Ways to be wrong, each given a message that is good but for the unit which is published for its signal. */
const KINDS: readonly Kind[] = [
  (m, random) => json(m).subarray(0, below(random, json(m).length)),
  (m, random) => json({ ...m, [pick(random, FIELDS)]: pick(random, WRONG) }),
  (m, random) => {
    const rest: Loose = { ...m };
    delete rest[pick(random, FIELDS)];
    return json(rest);
  },
  (m, random) =>
    Buffer.from(
      JSON.stringify(m).replace(
        /"v":\d+/,
        `"v":${pick(random, ['1e999', '-1e400', 'NaN', 'Infinity', '0x10', '01', '1.', '--1'])}`,
      ),
    ),
  (m, random) => json(withPoint(m, { v: pick(random, [{}, [], [1], 'x'.repeat(257), null]) })),
  (m, random) =>
    json(
      withPoint(m, {
        t: pick(random, [
          'now',
          '2026-13-01T00:00:00.000Z',
          '2026-01-01',
          1767225600000,
          '2026-01-01T00:00:00.000+02:00',
          '',
        ]),
      }),
    ),
  (m, random) => json(withPoint(m, { q: pick(random, ['good', 'FINE', 192, null, 'GOOD ']) })),
  (m, random) =>
    json(withSeries(m, { unit: pick(random, ['', 'furlong', '°C', 'bar ', 'mm//s', '%%', 'K'.repeat(300), 7]) })),
  (m, random) =>
    json(withSeries(m, { asset: pick(random, ['Press 1', '../x', '', 'a'.repeat(49), '-x', 'é', '\ud800']) })),
  (m) => json(withSeries(m, { points: [] })),
  (m, random) => json({ ...m, site: pick(random, ['plant-b', 'plant', 'plant-a-x']) }),
  (m, random) => json({ ...m, device: pick(random, ['edge-2', 'edge', 'edge-10']) }),
  (m, random) => Buffer.from([...json(m).subarray(0, 20), ...Array.from({ length: 30 }, () => below(random, 256))]),
  (m, random) =>
    Buffer.from([
      0xff,
      0xfe,
      ...Array.from({ length: below(random, 100) }, () => below(random, 256)),
      m.sequence & 255,
    ]),
  (m) => Buffer.from(`{"__proto__":{"ok":true},"constructor":${m.sequence}}`),
  (m) => Buffer.from(JSON.stringify(m).replace('"schema"', '"__proto__":{"site":"plant-b"},"schema"')),
  (m, random) => json(pick(random, [null, [], [m], m.sequence, String(m.sequence), true])),
  (m, random) => [
    json(m),
    pick(random, [
      '',
      'x',
      `${OWN}/more`,
      'millwright/local/plant-a/edge-2/observations',
      'millwright/prod/plant-a/edge-1/observations',
      'millwright/local/plant-a/edge-1/quality',
      'millwright/local/plant-a/edge-1/digest',
      'millwright/local/plant-a/edge-1/secrets',
    ]),
  ],
  (m) => Buffer.from(`${JSON.stringify(m)}${JSON.stringify(m)}`),
];

/**
 * Messages that are malformed in every way that is known, each with a sequence of its own where it has one; every tenth
 * is wrong only by the unit that is published for its signal.
 */
export const malformedMessages = (count: number, seed: number): Malformed[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const m = observations(i + 1, [i]);
    if (i % 10 === 0) return { bytes: json(m), topic: OWN, isMendable: true };
    const kinds = i % 5000 === 1 ? [TOO_MANY_POINTS] : i % 100 === 1 ? LARGE : KINDS;
    const made = pick(random, kinds)(m, random);
    const [bytes, topic] = Buffer.isBuffer(made) ? [made, OWN] : (made as readonly [Buffer, string]);
    return { bytes, topic, isMendable: false };
  });
};
