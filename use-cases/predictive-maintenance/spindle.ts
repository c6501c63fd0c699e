import type { Frame, SignalValue } from '#core/contracts/frame.ts';

/** What a bearing is made of, and how it wears and shows it. */
export interface BearingType {
  /** Context of the frames: inputs of a machine are held against machines with the same bearing, once a model knows them. */
  readonly context: string;
  readonly balls: number;
  readonly ballOverPitch: number;
  /** Impact of a ball on a spall as wide as the race allows, m/s². */
  readonly impact: number;
  /** How much faster than the standard bearing a spall grows. */
  readonly growth: number;
  /** How differently long bearings of one batch live: standard deviation of the logarithm of the growth. */
  readonly spread: number;
  /** Heat of friction against the standard bearing, K. */
  readonly heat: number;
  /** Current that friction takes against the standard bearing, A. */
  readonly drag: number;
}

/** 6205-like, steel balls. */
export const STANDARD: BearingType = {
  context: 'production',
  balls: 9,
  ballOverPitch: 0.2032,
  impact: 6,
  growth: 1,
  spread: 0.25,
  heat: 0,
  drag: 0,
};
/**
 * Ceramic balls in the same seat: more and lighter ones, so that defects repeat at other orders and ring less; they run
 * cooler and easier. The steel race under them spalls sooner.
 */
export const HYBRID: BearingType = {
  context: 'hybrid-bearing',
  balls: 11,
  ballOverPitch: 0.172,
  impact: 3,
  growth: 2.4,
  spread: 0.12,
  heat: -4,
  drag: -2.5,
};

/** Ball-pass orders of outer and inner race, in multiples of the shaft speed (contact angle 0; Randall & Antoni 2011). */
const outerRace = (b: BearingType): number => (b.balls / 2) * (1 - b.ballOverPitch);
const innerRace = (b: BearingType): number => (b.balls / 2) * (1 + b.ballOverPitch);
export const BPFO = outerRace(STANDARD);
export const BPFI = innerRace(STANDARD);

export const SAMPLE_RATE_HZ = 5120;
export const SAMPLES = 512;
export const HOUR_MS = 3_600_000;

// Taken once: looking up a global for each of three million samples is slow where a test runner stands in between.
const { PI, cos, exp, imul, log, max, min, round: toInteger, sin, sqrt } = Math;
const { fromCharCode } = String;

/** Small fast counter (sfc32, C. Doty-Humphrey): the same numbers on every machine. */
export const makeRandom = (seed: number, stream: string) => {
  let a = seed >>> 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let d = 1;
  for (const ch of stream) b = (imul(b, 31) + ch.charCodeAt(0)) | 0;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 15; i++) next();
  return {
    uniform: (low: number, high: number) => low + (high - low) * next(),
    /** Box–Muller, one of the two. */
    normal: () => sqrt(-2 * log(1 - next())) * cos(2 * PI * next()),
    chance: (p: number) => next() < p,
  };
};
type Random = ReturnType<typeof makeRandom>;

const toBase64 = (samples: Float32Array): string => {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  let text = '';
  for (const b of bytes) text += fromCharCode(b);
  return btoa(text);
};

/** To a step of 1/steps, the resolution of an instrument. */
const round = (value: number, steps: number): number => toInteger(value * steps) / steps;

/**
 * One hour of a spindle: acceleration, m/s². Unbalance turns with the shaft, misalignment at twice its speed; each time
 * a ball passes the spalled race it rings a resonance, and the spall's size is the wear. Noise grows with load.
 */
const vibration = (
  random: Random,
  bearing: BearingType,
  at: { readonly speed: number; readonly load: number; readonly wear: number },
  outer: boolean,
): Float32Array => {
  const { speed, load, wear } = at;
  const shaft = speed / 60;
  const defect = shaft * (outer ? outerRace(bearing) : innerRace(bearing));
  const resonance = 1650;
  const phase = random.uniform(0, 2 * PI);
  const slip = 1 + 0.01 * random.normal();
  const impact = (bearing.impact * wear ** 1.6 + 0.05) * (0.6 + 0.4 * load);
  const first = random.uniform(0, 1 / defect);
  const samples = new Float32Array(SAMPLES);
  for (let i = 0; i < SAMPLES; i++) {
    const t = i / SAMPLE_RATE_HZ;
    const turning = 0.5 * sin(2 * PI * shaft * t + phase) + 0.2 * sin(4 * PI * shaft * t + phase);
    const since = (((t - first) * defect * slip) % 1) / (defect * slip);
    const ago = since < 0 ? since + 1 / (defect * slip) : since;
    // An inner race turns in and out of the load zone once a revolution.
    const zone = outer ? 1 : 0.6 + 0.4 * cos(2 * PI * shaft * t + phase);
    const ring = impact * zone * exp(-600 * ago) * sin(2 * PI * resonance * ago);
    samples[i] = round(turning + ring + (0.25 + 0.15 * load) * random.normal(), 1000);
  }
  return samples;
};

interface Life {
  readonly frames: Frame[];
  /** Hour at which the bearing fails. */
  readonly failsAt: number;
}

/** A machine from a fresh bearing to its failure, at most `hours` frames of it. */
export const spindleLife = (
  o: {
    readonly site: string;
    readonly asset: string;
    readonly run: string;
    readonly seed: number;
    readonly startMs: number;
    readonly bearing?: BearingType;
  },
  hours = Number.POSITIVE_INFINITY,
): Life => {
  const { bearing = STANDARD } = o;
  const random = makeRandom(o.seed, `${o.asset}/${o.run}`);
  const outer = random.chance(0.7);
  // Paris-like growth: the spall grows with the load and with its own size; bearings differ.
  const quality = exp(bearing.spread * random.normal());
  const duty = random.uniform(0.4, 0.8);
  const ambient = random.uniform(18, 26);
  let wear = random.uniform(0.01, 0.04);
  let temperature = ambient + 15 + bearing.heat;
  let stuckUntil = 0;
  let stuckAt = 0;
  const frames: Frame[] = [];
  for (let hour = 1; ; hour++) {
    const load = min(1, max(0.1, duty + 0.12 * random.normal()));
    const speed = 1500 + 250 * sin(hour / 7) + 40 * random.normal();
    wear += 0.0075 * bearing.growth * quality * (0.5 + load) ** 2 * (0.35 + 2.2 * wear) * (speed / 1500);
    const settled = ambient + bearing.heat + 18 * load + 22 * wear ** 2 + (speed - 1500) / 100;
    temperature += 0.35 * (settled - temperature);
    if (frames.length < hours) {
      const measured = temperature + 0.4 * random.normal();
      // Sensor faults: a thermometer that sticks for some hours, a vibration frame lost on the way, a spike in the current.
      if (hour > stuckUntil && random.chance(0.01)) {
        stuckUntil = hour + 6;
        stuckAt = measured;
      }
      const current = 4 + bearing.drag + 9 * load + 1.5 * wear + 0.15 * random.normal();
      const samples = vibration(random, bearing, { speed, load, wear }, outer);
      const lost = random.chance(0.01);
      const spike = random.chance(0.01);
      const good = (value: number): SignalValue => ({ value, quality: 'GOOD' });
      const at = new Date(o.startMs + hour * HOUR_MS).toISOString();
      frames.push({
        schema: 'frame/1',
        site: o.site,
        asset: o.asset,
        run: o.run,
        index: hour,
        context: bearing.context,
        sourceTime: at,
        receivedTime: at,
        signals: {
          speed: good(round(speed, 10)),
          load: good(round(load, 1000)),
          temperature: good(round(hour <= stuckUntil ? stuckAt : measured, 100)),
          current: good(round(spike ? current * 4 : current, 1000)),
          vibration: lost
            ? { quality: 'BAD', reason: 'no answer from the sensor' }
            : { samples: toBase64(samples), quality: 'GOOD' },
        },
      });
    }
    if (wear >= 1) return { frames, failsAt: hour };
  }
};
