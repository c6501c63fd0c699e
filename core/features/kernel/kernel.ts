import { cosineTable } from './cosine-table.ts';
import { KERNEL_WASM } from './kernel-wasm.ts';

/** Exports of kernel.as; all pointers in bytes. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly forward: (
    n: number,
    x: number,
    mean: number,
    a: number,
    b: number,
    out: number,
    stride: number,
    w: number,
    u: number,
  ) => void;
  readonly hannPower: (n: number, x: number, stride: number, p: number) => void;
  readonly envelope: (
    n: number,
    x: number,
    mean: number,
    xt: number,
    stride: number,
    a: number,
    b: number,
    e: number,
    w: number,
    u: number,
  ) => number;
  readonly sums: (n: number, x: number, out: number) => void;
  readonly central: (n: number, x: number, mean: number, out: number) => void;
  readonly rankedPair: (
    n: number,
    x: number,
    rank: number,
    y: number,
    z: number,
    counts: number,
    ids: number,
    out: number,
  ) => void;
  readonly widen: (n: number, bytes: number, x: number, low: number, high: number) => number;
}

const wasm = new WebAssembly.Instance(
  new WebAssembly.Module(Uint8Array.from(atob(KERNEL_WASM), (c) => c.charCodeAt(0))),
).exports as Exports;

const PAGE = 65_536;
const NUMBER = 8;
let free = PAGE;
let numbers = new Float64Array(wasm.memory.buffer);
let bytes = Buffer.from(wasm.memory.buffer);

/** Memory is taken for good: a process meets few lengths, and keeps no more than a multiple of the longest. */
const take = (size: number): number => {
  const place = free;
  free += Math.ceil(size / 64) * 64;
  const missing = free - wasm.memory.buffer.byteLength;
  if (missing > 0) {
    wasm.memory.grow(Math.ceil(missing / PAGE));
    numbers = new Float64Array(wasm.memory.buffer);
    bytes = Buffer.from(wasm.memory.buffer);
  }
  return place;
};

/** Room that grows by doubling. */
const makeRoom = () => {
  let place = 0;
  let size = 0;
  return (bytes: number): number => {
    if (bytes > size) {
      size = Math.max(4096, 2 ** Math.ceil(Math.log2(bytes)));
      place = take(size);
    }
    return place;
  };
};

/** Tables and room for transforms of one size. */
interface Plan {
  readonly size: number;
  /** Twiddle factors of the complex transform; cosines and sines of the real one. */
  readonly w: number;
  readonly u: number;
  readonly a: number;
  readonly b: number;
  /** Transform of the samples, and of their envelope. */
  readonly transform: number;
  readonly stride: number;
  readonly envelope: number;
  readonly power: number;
  /** Whose transform it holds. */
  holds: Float64Array | null;
}

/** Factors of each pass in the order kernel.as reads them: the first pass by pairs, the last (of 2 or 4) none. */
const twiddles = (size: number, cos: Float64Array): number[] => {
  const m = size / 2;
  const out: number[] = [];
  const part = (k: number, sine: boolean): number =>
    // e^(−2πik/m): sin(a) = cos(a − π/2).
    sine ? -(cos[(2 * k + size - size / 4) % size] as number) : (cos[2 * k] as number);
  for (let p = 0; p < m / 4; p += 2)
    for (const times of [1, 2, 3])
      for (const sine of [false, true]) out.push(part(times * p, sine), part(times * (p + 1), sine));
  for (let length = m / 4; length > 4; length /= 4)
    for (let p = 0; p < length / 4; p++)
      for (const times of [1, 2, 3]) for (const sine of [false, true]) out.push(part((times * p * m) / length, sine));
  return out;
};

const makePlan = (size: number): Plan => {
  const cos = cosineTable(size);
  const factors = size < 16 ? [] : twiddles(size, cos);
  const quarter = size / 4;
  const w = take(factors.length * NUMBER);
  const u = take((2 * quarter + 4) * NUMBER);
  const stride = (size / 2 + 2) * NUMBER;
  const a = take(size * NUMBER + 448);
  const b = take(size * NUMBER + 448);
  const plan = {
    size,
    w,
    u,
    a,
    b,
    transform: take(2 * stride),
    stride,
    envelope: take(size * NUMBER),
    power: take(stride),
    holds: null,
  };
  numbers.set(factors, w / NUMBER);
  for (let k = 0; k <= quarter; k++) {
    numbers[u / NUMBER + k] = cos[k] as number;
    numbers[u / NUMBER + quarter + 2 + k] = cos[(k + size - quarter) % size] as number;
  }
  return plan;
};

const plans = new Map<number, Plan>();

const planFor = (size: number): Plan => {
  let plan = plans.get(size);
  if (plan === undefined) {
    plan = makePlan(size);
    plans.set(size, plan);
  }
  return plan;
};

const samplesRoom = makeRoom();
const workRoom = makeRoom();
const results = take(8 * NUMBER);
const result = (i: number): number => numbers[results / NUMBER + i] as number;

/** Samples that lie in `samplesRoom`: what is computed of them does not copy them in again. */
let loaded: Float64Array | null = null;

const load = (samples: Float64Array): number => {
  const place = samplesRoom((samples.length + 2) * NUMBER);
  if (loaded !== samples) {
    numbers.set(samples, place / NUMBER);
    loaded = samples;
    loadedSums = null;
  }
  return place;
};

export type Sums = readonly [sum: number, squares: number, low: number, high: number];

/** Of the loaded samples, all of them. */
let loadedSums: Sums | null = null;

/** Sum, sum of squares, least and largest of the newest `count` samples (at least one, all finite). */
export const sums = (samples: Float64Array, count: number): Sums => {
  const x = load(samples) + (samples.length - count) * NUMBER;
  if (count === samples.length && loadedSums !== null) return loadedSums;
  wasm.sums(count, x, results);
  const made: Sums = [result(0), result(1), result(2), result(3)];
  if (count === samples.length) loadedSums = made;
  return made;
};

/** Sums of the second, third and fourth power of what differs from `mean`. */
export const centralSums = (samples: Float64Array, mean: number): readonly [number, number, number] => {
  wasm.central(samples.length, load(samples), mean, results);
  return [result(0), result(1), result(2)];
};

/**
 * The element of a 0-based rank when the samples are put in order, and the one behind it (the same for the last).
 */
export const ranked = (samples: Float64Array, rank: number): readonly [number, number] => {
  const n = samples.length;
  const x = load(samples);
  // One number more than asked for: the last step may read two.
  const size = n * NUMBER + 64;
  const y = workRoom(3 * size);
  const counts = y + 2 * size;
  wasm.rankedPair(n, x, rank, y, y + size, counts, counts + size / 2, results);
  return [result(0), result(1)];
};

/** Length of the longest transform that `length` samples fill: the largest power of two that is not above (at least 4). */
export const transformSize = (length: number): number => 2 ** (31 - Math.clz32(length));

const transformed = (samples: Float64Array, mean: number): Plan => {
  const plan = planFor(transformSize(samples.length));
  if (plan.holds !== samples) {
    const x = load(samples) + (samples.length - plan.size) * NUMBER;
    wasm.forward(plan.size, x, mean, plan.a, plan.b, plan.transform, plan.stride, plan.w, plan.u);
    plan.holds = samples;
  }
  return plan;
};

/**
 * Squared magnitude of the one-sided transform of the newest 2^k samples under a Hann window.
 * @param mean of those samples: it is taken off first, else the window would spread it into bin 1.
 * @param power where bins 0…size/2 go.
 */
export const hannPower = (samples: Float64Array, mean: number, power: Float64Array): void => {
  const plan = transformed(samples, mean);
  wasm.hannPower(plan.size, plan.transform, plan.stride, plan.power);
  power.set(numbers.subarray(plan.power / NUMBER, plan.power / NUMBER + power.length));
};

/** The same of their envelope, the absolute value of the analytic signal; its own mean is taken off, too. */
export const envelopePower = (samples: Float64Array, mean: number, power: Float64Array): void => {
  const plan = transformed(samples, mean);
  const { size, a, b, transform, stride, envelope, w, u } = plan;
  const x = load(samples) + (samples.length - size) * NUMBER;
  const middle = wasm.envelope(size, x, mean, transform, stride, a, b, envelope, w, u);
  plan.holds = null;
  wasm.forward(size, envelope, middle, a, b, transform, stride, w, u);
  wasm.hannPower(size, transform, stride, plan.power);
  power.set(numbers.subarray(plan.power / NUMBER, plan.power / NUMBER + power.length));
};

/**
 * Transform of `size` samples (a power of two, at least 4) from a place on, without their mean.
 * @param re, im where bins 0…size/2 go.
 */
export const segmentTransform = (
  samples: Float64Array,
  from: number,
  size: number,
  re: Float64Array,
  im: Float64Array,
): void => {
  const plan = planFor(size);
  const { a, b, transform, stride, w, u } = plan;
  const x = load(samples) + from * NUMBER;
  plan.holds = null;
  wasm.sums(size, x, results);
  wasm.forward(size, x, result(0) / size, a, b, transform, stride, w, u);
  re.set(numbers.subarray(transform / NUMBER, transform / NUMBER + re.length));
  im.set(numbers.subarray((transform + stride) / NUMBER, (transform + stride) / NUMBER + im.length));
};

/**
 * Samples of little-endian float32 in base64, as frames carry them.
 * @param room what earlier samples were in: it is written over where it has the length.
 * @returns undefined where that is no whole number of samples, or one lies outside low…high or is no number.
 */
export const decodeFloat32 = (
  base64: string,
  low: number,
  high: number,
  room: Float64Array | undefined,
): Float64Array | undefined => {
  const most = Math.ceil((3 * base64.length) / 4);
  const place = workRoom(most + 8);
  const length = bytes.write(base64, place, most, 'base64');
  if (length % 4 !== 0) return undefined;
  const count = length / 4;
  const x = samplesRoom((count + 2) * NUMBER);
  loaded = null;
  loadedSums = null;
  if (wasm.widen(count, place, x, low, high) === 0) return undefined;
  const made = numbers.subarray(x / NUMBER, x / NUMBER + count);
  if (room?.length === count) {
    for (const plan of plans.values()) if (plan.holds === room) plan.holds = null;
    room.set(made);
    loaded = room;
  } else loaded = made.slice();
  return loaded;
};
