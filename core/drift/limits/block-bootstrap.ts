import { seededRandom } from '../../policy/bootstrap.ts';
import { limitForArl0 } from './arl.ts';

/** What the windows of the reference say, and how a chart reads it. */
export interface Reference {
  /** A statistic of each reference window, in order. */
  readonly windows: readonly number[];
  /** Reference value of the two-sided CUSUM, in standard deviations of the windows. */
  readonly k: number;
  /** Same seed, same answer: make it of the digest of the baseline. */
  readonly seed: number;
}

/** Windows between two false alarms, with an interval. */
export interface RunLength {
  readonly value: number;
  /** 5th and 95th percentile over what the reference might have been, the latter up to twice the wanted run length. */
  readonly interval: readonly [low: number, high: number];
}

/** Many, for a few unlucky ones give most of the alarms. */
const PSEUDO_REFERENCES = 160;
/** Windows that each of them is followed for, in wanted run lengths: from there on all are as good. */
const LENGTHS = 1;
export const FEWEST_WINDOWS = 20;
/** A reference that needs a larger limit than this has no limit. */
const FARTHEST = 1e4;
const SECANTS = 8;
const TOLERANCE = 0.01;

const momentsOf = (x: ArrayLike<number>): { readonly mean: number; readonly sd: number } => {
  let mean = 0;
  for (let i = 0; i < x.length; i++) mean += x[i] as number;
  mean /= x.length;
  let m2 = 0;
  for (let i = 0; i < x.length; i++) m2 += ((x[i] as number) - mean) ** 2;
  return { mean, sd: Math.sqrt(m2 / (x.length - 1)) };
};

/** Length of a block by the lag-1 correlation (Carlstein 1986), at least the cube root of how many there are (Künsch 1989). */
export const blockLength = (windows: readonly number[]): number => {
  const { mean, sd } = momentsOf(windows);
  let lagged = 0;
  for (let i = 1; i < windows.length; i++)
    lagged += ((windows[i] as number) - mean) * ((windows[i - 1] as number) - mean);
  const alike = sd > 0 ? Math.min(0.95, Math.abs(lagged / ((windows.length - 1) * sd * sd))) : 0;
  const n = windows.length;
  const carlstein = n ** (1 / 3) * ((Math.sqrt(6) * alike) / (1 - alike * alike)) ** (2 / 3);
  return Math.min(Math.floor(n / 2), Math.max(Math.ceil(n ** (1 / 3)), Math.ceil(carlstein)));
};

/** `length` numbers of `windows` windows, in blocks of neighbours that begin anywhere. */
export const drawnBlocks = (windows: number, length: number, block: number, random: () => number): Int32Array => {
  const out = new Int32Array(length);
  for (let i = 0; i < length; ) {
    const start = Math.floor(random() * (windows - block + 1));
    for (let j = 0; j < block && i < length; j++, i++) out[i] = start + j;
  }
  return out;
};

const resampled = (windows: readonly number[], length: number, block: number, random: () => number): Float64Array =>
  Float64Array.from(drawnBlocks(windows.length, length, block, random), (i) => windows[i] as number);

/** Streams to try limits on: of each pseudo-reference its standardised windows, as the chart would see them. */
const streamsOf = ({ windows, seed }: Reference, steps: number): readonly Float64Array[] => {
  if (windows.length < FEWEST_WINDOWS)
    throw new RangeError(
      `a limit from the reference: expected at least ${FEWEST_WINDOWS} windows, got ${windows.length}; take longer reference data or smaller windows`,
    );
  const odd = windows.findIndex((x) => !Number.isFinite(x));
  if (odd >= 0)
    throw new RangeError(`a limit from the reference: expected finite numbers, got ${windows[odd]} at ${odd}`);
  const random = seededRandom(seed);
  const block = blockLength(windows);
  const center = momentsOf(windows).mean;
  // Means of resampled blocks vary less than means of new ones, as a variance over n is too small by 1 − 1 / n.
  const blocks = windows.length / block;
  const wider = Math.sqrt(blocks / (blocks - 1));
  return Array.from({ length: PSEUDO_REFERENCES }, () => {
    const pseudo = momentsOf(resampled(windows, windows.length, block, random));
    const mean = center + wider * (pseudo.mean - center);
    const { sd } = pseudo;
    const stream = resampled(windows, steps, block, random);
    for (let i = 0; i < steps; i++) stream[i] = sd > 0 ? ((stream[i] as number) - mean) / sd : 0;
    return stream;
  });
};

/** Alarms of each stream; the chart goes on from one to the next, so that none begins calmer than a chart that runs. */
const alarmsOf = (streams: readonly Float64Array[], k: number, h: number): number[] => {
  let up = 0;
  let down = 0;
  return streams.map((stream) => {
    let alarms = 0;
    for (let i = 0; i < stream.length; i++) {
      const z = stream[i] as number;
      up += z - k;
      if (up < 0) up = 0;
      down -= z + k;
      if (down < 0) down = 0;
      if (up > h || down > h) {
        alarms += 1;
        up = 0;
        down = 0;
      }
    }
    return alarms;
  });
};

/** Half an alarm more: a stream without any has a run length all the same (Jeffreys prior of a Poisson rate). */
const lengthOf = (streams: readonly Float64Array[], k: number, h: number): RunLength => {
  const alarms = alarmsOf(streams, k, h);
  const steps = streams[0]?.length ?? 0;
  const each = alarms.map((n) => steps / (n + 0.5)).sort((a, b) => a - b);
  const at = (q: number): number => each[Math.floor(q * (each.length - 1))] as number;
  const value = (steps * streams.length) / (alarms.reduce((sum, n) => sum + n, 0) + 0.5);
  return { value, interval: [Math.min(value, at(0.05)), Math.max(value, at(0.95))] };
};

/**
 * How many windows a two-sided CUSUM with limit `h` runs between two false alarms on data as the reference's: a
 * moving-block bootstrap (Künsch 1989). Each pseudo-reference gives the mean and deviation that the chart believes, so what
 * is not known of them is in the answer; blocks keep that neighbours are alike.
 * @param upTo run length that is to be told apart from an endless one.
 * @throws {RangeError} with too few windows, or one that is no finite number.
 */
export const arl0OfLimit = (reference: Reference, h: number, upTo: number): RunLength =>
  lengthOf(streamsOf(reference, Math.ceil(LENGTHS * upTo)), reference.k, h);

/**
 * The limit whose run length without any change is `arl0` windows, and that run length with its interval; as
 * {@link arl0OfLimit}. A reference that never varies has the limit 0: whatever moves is a change.
 * @throws {RangeError} with too few windows, or one that is no finite number.
 */
export const limitFromReference = (
  reference: Reference,
  arl0: number,
): { readonly h: number; readonly arl0: RunLength } => {
  const { k } = reference;
  const streams = streamsOf(reference, Math.ceil(LENGTHS * arl0));
  const excess = (h: number): number => Math.log(lengthOf(streams, k, h).value / arl0);
  // The logarithm of the run length is nearly straight in h, and not far from that of independent windows.
  let high = limitForArl0(k, arl0);
  let fHigh = excess(high);
  let [low, fLow] = [0, -Math.log(arl0)];
  while (fHigh < 0 && high < FARTHEST) {
    [low, fLow] = [high, fHigh];
    high *= 1.2;
    fHigh = excess(high);
  }
  // Regula falsi (Illinois), so that both ends come near.
  for (let i = 0, side = 0; i < SECANTS && high - low > TOLERANCE * high; i++) {
    const at = low + Math.min(0.95, Math.max(0.05, fLow / (fLow - fHigh))) * (high - low);
    const f = excess(at);
    if (f < 0) {
      [low, fLow] = [at, f];
      if (side < 0) fHigh /= 2;
      side = -1;
    } else {
      [high, fHigh] = [at, f];
      if (side > 0) fLow /= 2;
      side = 1;
    }
  }
  return { h: high, arl0: lengthOf(streams, k, high) };
};
