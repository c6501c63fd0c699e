// Spectra, envelopes, moments and order statistics in double precision, two lanes at a time (WebAssembly SIMD).
//
// Only + − × ÷ and square root, in one order that depends on nothing but lengths: no fused or relaxed instructions, so
// every machine gives the same bits. Written in AssemblyScript; scripts/build-kernel.ts compiles it to kernel-wasm.ts,
// kernel.ts is its only caller and owns the layout of the memory.
//
// A complex array is two arrays, of real and of imaginary parts. Lengths of transforms are powers of two.

// @ts-ignore
@inline function at(p: usize): v128 {
  return v128.load(p);
}
// @ts-ignore
@inline function put(p: usize, v: v128): void {
  v128.store(p, v);
}
// @ts-ignore
@inline function add(a: v128, b: v128): v128 {
  return f64x2.add(a, b);
}
// @ts-ignore
@inline function sub(a: v128, b: v128): v128 {
  return f64x2.sub(a, b);
}
// @ts-ignore
@inline function mul(a: v128, b: v128): v128 {
  return f64x2.mul(a, b);
}
// @ts-ignore
@inline function splatAt(p: usize): v128 {
  return v128.load_splat<f64>(p);
}
// @ts-ignore
@inline function sumOf(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}
// @ts-ignore
@inline function evens(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 0, 2);
}
// @ts-ignore
@inline function odds(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}
// @ts-ignore
@inline function turned(a: v128): v128 {
  return v128.shuffle<f64>(a, a, 1, 0);
}

// ---------------------------------------------------------------------------------------------------------------------
// Complex transform: Stockham's autosort algorithm, radix 4, decimation in frequency (Van Loan 1992, 1.7).
// Twiddle factors lie in the order in which they are read; the first pass reads pairs, the others one of each.

/** First pass, stride 1: two butterflies a step, in the two lanes. */
function first4(m: i32, xr: usize, xi: usize, yr: usize, yi: usize, w: usize): void {
  const quarter = <usize>(m >> 2) << 3;
  const half = quarter << 1;
  const three = quarter + half;
  for (let p: usize = 0; p < quarter; p += 16) {
    const ar = at(xr + p), ai = at(xi + p);
    const br = at(xr + p + quarter), bi = at(xi + p + quarter);
    const cr = at(xr + p + half), ci = at(xi + p + half);
    const dr = at(xr + p + three), di = at(xi + p + three);
    const apcr = add(ar, cr), apci = add(ai, ci);
    const amcr = sub(ar, cr), amci = sub(ai, ci);
    const bpdr = add(br, dr), bpdi = add(bi, di);
    const bmdr = sub(br, dr), bmdi = sub(bi, di);
    const s0r = add(apcr, bpdr), s0i = add(apci, bpdi);
    const s2r = sub(apcr, bpdr), s2i = sub(apci, bpdi);
    const s1r = add(amcr, bmdi), s1i = sub(amci, bmdr);
    const s3r = sub(amcr, bmdi), s3i = add(amci, bmdr);
    const w1r = at(w), w1i = at(w + 16), w2r = at(w + 32), w2i = at(w + 48), w3r = at(w + 64), w3i = at(w + 80);
    w += 96;
    const y1r = sub(mul(w1r, s1r), mul(w1i, s1i)), y1i = add(mul(w1r, s1i), mul(w1i, s1r));
    const y2r = sub(mul(w2r, s2r), mul(w2i, s2i)), y2i = add(mul(w2r, s2i), mul(w2i, s2r));
    const y3r = sub(mul(w3r, s3r), mul(w3i, s3i)), y3i = add(mul(w3r, s3i), mul(w3i, s3r));
    put(yr, evens(s0r, y1r));
    put(yr + 16, evens(y2r, y3r));
    put(yr + 32, odds(s0r, y1r));
    put(yr + 48, odds(y2r, y3r));
    put(yi, evens(s0i, y1i));
    put(yi + 16, evens(y2i, y3i));
    put(yi + 32, odds(s0i, y1i));
    put(yi + 48, odds(y2i, y3i));
    yr += 64;
    yi += 64;
  }
}

/** A pass of stride 4 and more: both lanes share their twiddle factors. */
function pass4(m: i32, stride: i32, xr: usize, xi: usize, yr: usize, yi: usize, w: usize): usize {
  const step = <usize>stride << 3;
  const quarter = (<usize>(m >> 2)) * step;
  const half = quarter << 1;
  const three = quarter + half;
  for (let p = m >> 2; p > 0; p--) {
    const w1r = splatAt(w), w1i = splatAt(w + 8), w2r = splatAt(w + 16), w2i = splatAt(w + 24);
    const w3r = splatAt(w + 32), w3i = splatAt(w + 40);
    w += 48;
    for (const end = xr + step; xr < end; xr += 16) {
      const ar = at(xr), ai = at(xi);
      const br = at(xr + quarter), bi = at(xi + quarter);
      const cr = at(xr + half), ci = at(xi + half);
      const dr = at(xr + three), di = at(xi + three);
      const apcr = add(ar, cr), apci = add(ai, ci);
      const amcr = sub(ar, cr), amci = sub(ai, ci);
      const bpdr = add(br, dr), bpdi = add(bi, di);
      const bmdr = sub(br, dr), bmdi = sub(bi, di);
      put(yr, add(apcr, bpdr));
      put(yi, add(apci, bpdi));
      const s1r = add(amcr, bmdi), s1i = sub(amci, bmdr);
      put(yr + step, sub(mul(w1r, s1r), mul(w1i, s1i)));
      put(yi + step, add(mul(w1r, s1i), mul(w1i, s1r)));
      const s2r = sub(apcr, bpdr), s2i = sub(apci, bpdi);
      put(yr + 2 * step, sub(mul(w2r, s2r), mul(w2i, s2i)));
      put(yi + 2 * step, add(mul(w2r, s2i), mul(w2i, s2r)));
      const s3r = sub(amcr, bmdi), s3i = add(amci, bmdr);
      put(yr + 3 * step, sub(mul(w3r, s3r), mul(w3i, s3i)));
      put(yi + 3 * step, add(mul(w3r, s3i), mul(w3i, s3r)));
      xi += 16;
      yr += 16;
      yi += 16;
    }
    yr += 3 * step;
    yi += 3 * step;
  }
  return w;
}

/** The last pass where four are left: every factor is 1. */
function last4(stride: i32, xr: usize, xi: usize, yr: usize, yi: usize): void {
  const step = <usize>stride << 3;
  for (const end = xr + step; xr < end; xr += 16) {
    const ar = at(xr), ai = at(xi);
    const br = at(xr + step), bi = at(xi + step);
    const cr = at(xr + 2 * step), ci = at(xi + 2 * step);
    const dr = at(xr + 3 * step), di = at(xi + 3 * step);
    const apcr = add(ar, cr), apci = add(ai, ci);
    const amcr = sub(ar, cr), amci = sub(ai, ci);
    const bpdr = add(br, dr), bpdi = add(bi, di);
    const bmdr = sub(br, dr), bmdi = sub(bi, di);
    put(yr, add(apcr, bpdr));
    put(yi, add(apci, bpdi));
    put(yr + step, add(amcr, bmdi));
    put(yi + step, sub(amci, bmdr));
    put(yr + 2 * step, sub(apcr, bpdr));
    put(yi + 2 * step, sub(apci, bpdi));
    put(yr + 3 * step, sub(amcr, bmdi));
    put(yi + 3 * step, add(amci, bmdr));
    xi += 16;
    yr += 16;
    yi += 16;
  }
}

/** The last pass where two are left. */
function last2(stride: i32, xr: usize, xi: usize, yr: usize, yi: usize): void {
  const step = <usize>stride << 3;
  for (const end = xr + step; xr < end; xr += 16) {
    const ar = at(xr), ai = at(xi);
    const br = at(xr + step), bi = at(xi + step);
    put(yr, add(ar, br));
    put(yi, add(ai, bi));
    put(yr + step, sub(ar, br));
    put(yi + step, sub(ai, bi));
    xi += 16;
    yr += 16;
    yi += 16;
  }
}

/** Two and four points, in place. */
function small(m: i32, r: usize, i: usize): void {
  const ar = load<f64>(r), ai = load<f64>(i), br = load<f64>(r, 8), bi = load<f64>(i, 8);
  if (m == 2) {
    store<f64>(r, ar + br);
    store<f64>(i, ai + bi);
    store<f64>(r, ar - br, 8);
    store<f64>(i, ai - bi, 8);
    return;
  }
  const cr = load<f64>(r, 16), ci = load<f64>(i, 16), dr = load<f64>(r, 24), di = load<f64>(i, 24);
  const apcr = ar + cr, apci = ai + ci, amcr = ar - cr, amci = ai - ci;
  const bpdr = br + dr, bpdi = bi + di, bmdr = br - dr, bmdi = bi - di;
  store<f64>(r, apcr + bpdr);
  store<f64>(i, apci + bpdi);
  store<f64>(r, amcr + bmdi, 8);
  store<f64>(i, amci - bmdr, 8);
  store<f64>(r, apcr - bpdr, 16);
  store<f64>(i, apci - bpdi, 16);
  store<f64>(r, amcr - bmdi, 24);
  store<f64>(i, amci + bmdr, 24);
}

/** @returns whether the transform lies in x (0) or in y (1). */
function transform(m: i32, xr: usize, xi: usize, yr: usize, yi: usize, w: usize): i32 {
  if (m < 8) {
    small(m, xr, xi);
    return 0;
  }
  first4(m, xr, xi, yr, yi, w);
  w += <usize>(m >> 2) * 48;
  let side = 1;
  let stride = 4;
  for (m >>= 2; m > 4; m >>= 2) {
    w = side ? pass4(m, stride, yr, yi, xr, xi, w) : pass4(m, stride, xr, xi, yr, yi, w);
    stride <<= 2;
    side ^= 1;
  }
  if (m == 4) {
    if (side) last4(stride, yr, yi, xr, xi);
    else last4(stride, xr, xi, yr, yi);
    return side ^ 1;
  }
  if (m == 2) {
    if (side) last2(stride, yr, yi, xr, xi);
    else last2(stride, xr, xi, yr, yi);
    return side ^ 1;
  }
  return side;
}

// ---------------------------------------------------------------------------------------------------------------------
// Real transforms of n samples by a complex one of n/2 (Sorensen et al. 1987).

/** Between real and imaginary parts of work arrays: at distances of powers of two they would share lines of the cache. */
const GAP: usize = 192;

/**
 * Transform of `n` real samples without their mean.
 * @param x samples; @param mean what is taken off each.
 * @param a, b two complex arrays of n/2 for work, real parts first.
 * @param out n/2 + 1 real parts, then as many imaginary ones at `out + stride`.
 * @param w twiddle factors of n/2; @param u cosine and sine of 2πk/n, k ≤ n/4, as two arrays at `u` and `u + 8(n/4 + 2)`.
 */
export function forward(n: i32, x: usize, mean: f64, a: usize, b: usize, out: usize, stride: usize, w: usize, u: usize): void {
  const m = n >> 1;
  const bytes = <usize>m << 3;
  const off = f64x2.splat(mean);
  if (m == 2) {
    for (let k: usize = 0; k < 2; k++) {
      store<f64>(a + (k << 3), load<f64>(x + (k << 4)) - mean);
      store<f64>(a + bytes + GAP + (k << 3), load<f64>(x + (k << 4), 8) - mean);
    }
  } else {
    for (let p: usize = 0; p < bytes; p += 16) {
      const l = sub(at(x + 2 * p), off), h = sub(at(x + 2 * p + 16), off);
      put(a + p, evens(l, h));
      put(a + bytes + GAP + p, odds(l, h));
    }
  }
  const zr = transform(m, a, a + bytes + GAP, b, b + bytes + GAP, w) ? b : a;
  const zi = zr + bytes + GAP;
  const outi = out + stride;
  const sines = u + (<usize>(n >> 2) + 2) * 8;
  // X[k] = E + w·O and X[n/2 − k] = conj(E − w·O), E and O the transforms of even and odd samples.
  const r0 = load<f64>(zr), i0 = load<f64>(zi);
  store<f64>(out, r0 + i0);
  store<f64>(outi, 0);
  store<f64>(out + bytes, r0 - i0);
  store<f64>(outi + bytes, 0);
  const half = f64x2.splat(0.5);
  let k: usize = 8;
  const middle = bytes >> 1;
  // Two k a step; both ends are loaded two wide, the upper one turned round.
  for (; k + 8 < middle; k += 16) {
    const up = bytes - k - 8;
    const pr = at(zr + k), pi = at(zi + k), qr = turned(at(zr + up)), qi = turned(at(zi + up));
    const er = mul(half, add(pr, qr)), ei = mul(half, sub(pi, qi));
    const or = mul(half, add(pi, qi)), oi = mul(half, sub(qr, pr));
    const c = at(u + k), s = at(sines + k);
    const tr = add(mul(c, or), mul(s, oi)), ti = sub(mul(c, oi), mul(s, or));
    put(out + k, add(er, tr));
    put(outi + k, add(ei, ti));
    put(out + up, turned(sub(er, tr)));
    put(outi + up, turned(sub(ti, ei)));
  }
  for (; k <= middle; k += 8) {
    const up = bytes - k;
    const pr = load<f64>(zr + k), pi = load<f64>(zi + k), qr = load<f64>(zr + up), qi = load<f64>(zi + up);
    const er = 0.5 * (pr + qr), ei = 0.5 * (pi - qi);
    const or = 0.5 * (pi + qi), oi = 0.5 * (qr - pr);
    const c = load<f64>(u + k), s = load<f64>(sines + k);
    const tr = c * or + s * oi, ti = c * oi - s * or;
    store<f64>(out + k, er + tr);
    store<f64>(outi + k, ei + ti);
    store<f64>(out + up, er - tr);
    store<f64>(outi + up, ti - ei);
  }
}

/**
 * Power of the Hann window's transform, from that of the samples without one: Y[k] = X[k]/2 − (X[k−1] + X[k+1])/4.
 * @param p n/2 + 1 powers, and room for one more.
 */
export function hannPower(n: i32, x: usize, stride: usize, p: usize): void {
  const last = <usize>(n >> 1) << 3;
  let xi = x + stride;
  const half = f64x2.splat(0.5), quarter = f64x2.splat(0.25);
  // Beyond both ends the transform of real samples is its own mirror.
  store<f64>(x + last, load<f64>(x + last - 8), 8);
  store<f64>(xi + last, -load<f64>(xi + last - 8), 8);
  let r = at(x), i = at(xi);
  let beforeR = f64x2.splat(load<f64>(x, 8)), beforeI = f64x2.splat(-load<f64>(xi, 8));
  for (const end = x + last; x <= end; x += 16) {
    // Behind the last two nothing is read that counts.
    const nextR = at(x + 16), nextI = at(xi + 16);
    const yr = sub(mul(half, r), mul(quarter, add(v128.shuffle<f64>(beforeR, r, 1, 2), v128.shuffle<f64>(r, nextR, 1, 2))));
    const yi = sub(mul(half, i), mul(quarter, add(v128.shuffle<f64>(beforeI, i, 1, 2), v128.shuffle<f64>(i, nextI, 1, 2))));
    put(p, add(mul(yr, yr), mul(yi, yi)));
    beforeR = r;
    beforeI = i;
    r = nextR;
    i = nextI;
    xi += 16;
    p += 16;
  }
}

/**
 * Envelope of n samples: absolute value of the analytic signal (Marple 1999). Its imaginary part, the Hilbert transform,
 * is the inverse real transform of −i·X, without the two bins that have no sign.
 * @param xt transform of the samples without their mean (`forward`); @param e n values.
 * @returns their mean.
 */
export function envelope(n: i32, x: usize, mean: f64, xt: usize, stride: usize, a: usize, b: usize, e: usize, w: usize, u: usize): f64 {
  const m = n >> 1;
  const bytes = <usize>m << 3;
  const sines = u + (<usize>(n >> 2) + 2) * 8;
  const xti = xt + stride;
  const ai = a + bytes + GAP;
  // Z = E' + i·O' of G = −i·X, where E' = −i·(w·O) and O' = −i·conj(w)·E; see forward for E and w·O.
  // Real and imaginary parts change places: so the forward transform inverts.
  store<f64>(a, 0);
  store<f64>(ai, 0);
  const half = f64x2.splat(0.5);
  const middle = bytes >> 1;
  let k: usize = 8;
  for (; k + 8 < middle; k += 16) {
    const up = bytes - k - 8;
    const pr = at(xt + k), pi = at(xti + k), qr = turned(at(xt + up)), qi = turned(at(xti + up));
    const er = mul(half, add(pr, qr)), ei = mul(half, sub(pi, qi));
    const tr = mul(half, sub(pr, qr)), ti = mul(half, add(pi, qi));
    const c = at(u + k), s = at(sines + k);
    const vr = sub(mul(c, er), mul(s, ei)), vi = add(mul(c, ei), mul(s, er));
    put(ai + k, add(ti, vr));
    put(a + k, sub(vi, tr));
    put(ai + up, turned(sub(ti, vr)));
    put(a + up, turned(add(vi, tr)));
  }
  for (; k <= middle; k += 8) {
    const up = bytes - k;
    const pr = load<f64>(xt + k), pi = load<f64>(xti + k), qr = load<f64>(xt + up), qi = load<f64>(xti + up);
    const er = 0.5 * (pr + qr), ei = 0.5 * (pi - qi);
    const tr = 0.5 * (pr - qr), ti = 0.5 * (pi + qi);
    const c = load<f64>(u + k), s = load<f64>(sines + k);
    const vr = c * er - s * ei, vi = c * ei + s * er;
    store<f64>(ai + k, ti + vr);
    store<f64>(a + k, vi - tr);
    store<f64>(ai + up, ti - vr);
    store<f64>(a + up, vi + tr);
  }
  const hi = transform(m, a, ai, b, b + bytes + GAP, w) ? b : a;
  const hr = hi + bytes + GAP;
  const scale: f64 = 1 / <f64>m;
  if (m == 2) {
    let sum: f64 = 0;
    for (let j: usize = 0; j < 2; j++) {
      for (let odd: usize = 0; odd < 2; odd++) {
        const re = load<f64>(x + (j << 4) + (odd << 3)) - mean;
        const im = scale * load<f64>((odd ? hi : hr) + (j << 3));
        const v = Math.sqrt(re * re + im * im);
        store<f64>(e + (j << 4) + (odd << 3), v);
        sum += v;
      }
    }
    return sum / 4;
  }
  const off = f64x2.splat(mean);
  const by = f64x2.splat(scale);
  let sum0 = f64x2.splat(0), sum1 = f64x2.splat(0);
  for (let p: usize = 0; p < bytes; p += 16) {
    const even = mul(by, at(hr + p)), odd = mul(by, at(hi + p));
    const h0 = v128.shuffle<f64>(even, odd, 0, 2), h1 = v128.shuffle<f64>(even, odd, 1, 3);
    const r0 = sub(at(x + 2 * p), off), r1 = sub(at(x + 2 * p + 16), off);
    const v0 = f64x2.sqrt(add(mul(r0, r0), mul(h0, h0)));
    const v1 = f64x2.sqrt(add(mul(r1, r1), mul(h1, h1)));
    put(e + 2 * p, v0);
    put(e + 2 * p + 16, v1);
    sum0 = add(sum0, v0);
    sum1 = add(sum1, v1);
  }
  return sumOf(add(sum0, sum1)) / <f64>n;
}

// ---------------------------------------------------------------------------------------------------------------------
// Moments of n numbers, in eight running sums: a fixed order, and shorter sums are also the more exact ones.

/** @param out sum, sum of squares, least, largest. */
export function sums(n: i32, x: usize, out: usize): void {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
  let q0 = s0, q1 = s0, q2 = s0, q3 = s0;
  let low = f64x2.splat(Infinity), high = f64x2.splat(-Infinity);
  const end = x + (<usize>n << 3);
  const whole = x + (<usize>(n & ~7) << 3);
  for (; x < whole; x += 64) {
    const a = at(x), b = at(x + 16), c = at(x + 32), d = at(x + 48);
    s0 = add(s0, a);
    s1 = add(s1, b);
    s2 = add(s2, c);
    s3 = add(s3, d);
    q0 = add(q0, mul(a, a));
    q1 = add(q1, mul(b, b));
    q2 = add(q2, mul(c, c));
    q3 = add(q3, mul(d, d));
    low = f64x2.pmin(low, f64x2.pmin(f64x2.pmin(a, b), f64x2.pmin(c, d)));
    high = f64x2.pmax(high, f64x2.pmax(f64x2.pmax(a, b), f64x2.pmax(c, d)));
  }
  let sum = sumOf(add(add(s0, s1), add(s2, s3)));
  let squares = sumOf(add(add(q0, q1), add(q2, q3)));
  let least = Math.min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
  let largest = Math.max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  for (; x < end; x += 8) {
    const v = load<f64>(x);
    sum += v;
    squares += v * v;
    least = Math.min(least, v);
    largest = Math.max(largest, v);
  }
  store<f64>(out, sum);
  store<f64>(out, squares, 8);
  store<f64>(out, least, 16);
  store<f64>(out, largest, 24);
}

/** @param out sums of the second, third and fourth power of what differs from the mean. */
export function central(n: i32, x: usize, mean: f64, out: usize): void {
  const off = f64x2.splat(mean);
  let s0 = f64x2.splat(0), s1 = s0, t0 = s0, t1 = s0, f0 = s0, f1 = s0;
  const end = x + (<usize>n << 3);
  const whole = x + (<usize>(n & ~3) << 3);
  for (; x < whole; x += 32) {
    const a = sub(at(x), off), b = sub(at(x + 16), off);
    const aa = mul(a, a), bb = mul(b, b);
    s0 = add(s0, aa);
    s1 = add(s1, bb);
    t0 = add(t0, mul(aa, a));
    t1 = add(t1, mul(bb, b));
    f0 = add(f0, mul(aa, aa));
    f1 = add(f1, mul(bb, bb));
  }
  let second = sumOf(add(s0, s1)), third = sumOf(add(t0, t1)), fourth = sumOf(add(f0, f1));
  for (; x < end; x += 8) {
    const d = load<f64>(x) - mean;
    const dd = d * d;
    second += dd;
    third += dd * d;
    fourth += dd * dd;
  }
  store<f64>(out, second);
  store<f64>(out, third, 8);
  store<f64>(out, fourth, 16);
}

// ---------------------------------------------------------------------------------------------------------------------
// Order statistics by distribution into as many buckets as there are numbers: an exact element, whatever the buckets.

/**
 * The element of 0-based `rank` when n numbers are put in order.
 * @param low, high least and largest of them.
 * @param y, z room for n numbers each; @param counts room for n int32; @param ids room for n + 8 uint16.
 */
function ranked(n: i32, x: usize, low: f64, high: f64, rank: i32, y: usize, z: usize, counts: usize, ids: usize): f64 {
  while (low < high) {
    if (rank == 0) return low;
    if (rank == n - 1) return high;
    const buckets = n < 64 ? n : min(n >> 2, 65_535);
    // Halves where the distance of two numbers is too large for one; whole where a half would be too small.
    const unit: f64 = high - low < Infinity ? 1 : 0.5;
    const units = f64x2.splat(unit), from = f64x2.splat(unit * low);
    // The largest may be rounded down, and must not share the bucket of the least: there are at least two.
    const scale = f64x2.splat(<f64>buckets / (unit * high - unit * low));
    const last = i32x4.splat(buckets - 1);
    memory.fill(counts, 0, <usize>buckets << 2);
    for (let i = 0; i < n; i += 2) {
      // Saturating: what overflows or is not a number falls into a bucket that exists.
      const v = mul(sub(mul(units, at(x + (<usize>i << 3))), from), scale);
      const b = i32x4.min_u(i32x4.trunc_sat_f64x2_u_zero(v), last);
      const b0 = i32x4.extract_lane(b, 0), b1 = i32x4.extract_lane(b, 1);
      store<u16>(ids + (<usize>i << 1), b0);
      const c0 = counts + (<usize>b0 << 2);
      store<i32>(c0, load<i32>(c0) + 1);
      if (i + 1 < n) {
        store<u16>(ids + (<usize>i << 1), b1, 2);
        const c1 = counts + (<usize>b1 << 2);
        store<i32>(c1, load<i32>(c1) + 1);
      }
    }
    let bucket = 0;
    let inside = load<i32>(counts);
    while (rank >= inside) {
      rank -= inside;
      bucket++;
      inside = load<i32>(counts + (<usize>bucket << 2));
    }
    const wanted = i16x8.splat(<i16>bucket);
    let to = y;
    low = Infinity;
    high = -Infinity;
    for (let i = 0; i < n; i += 8) {
      let mask = i16x8.bitmask(i16x8.eq(v128.load(ids + (<usize>i << 1)), wanted));
      while (mask != 0) {
        const k = i + ctz(mask);
        mask &= mask - 1;
        if (k >= n) break;
        const v = load<f64>(x + (<usize>k << 3));
        store<f64>(to, v);
        to += 8;
        low = v < low ? v : low;
        high = v > high ? v : high;
      }
    }
    n = inside;
    x = y;
    y = z;
    z = x;
  }
  return low;
}

/** The least of n numbers above v; v itself where more than `rank` + 1 are not above it. */
function behind(n: i32, x: usize, v: f64, rank: i32): f64 {
  const bound = f64x2.splat(v), none = f64x2.splat(Infinity);
  let counts = i64x2.splat(0);
  let least = none;
  let i = 0;
  for (; i + 1 < n; i += 2) {
    const a = at(x + (<usize>i << 3));
    const above = f64x2.gt(a, bound);
    counts = i64x2.add(counts, above);
    least = f64x2.pmin(least, v128.bitselect(a, none, above));
  }
  // Of a mask each lane is −1.
  let above = <i32>-(i64x2.extract_lane(counts, 0) + i64x2.extract_lane(counts, 1));
  let next = Math.min(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1));
  if (i < n) {
    const a = load<f64>(x + (<usize>i << 3));
    if (a > v) {
      above++;
      next = Math.min(next, a);
    }
  }
  return n - above > rank + 1 ? v : next;
}

/**
 * The element of 0-based `rank` when n numbers are put in order, and the one behind it (itself where it is the last).
 * @param x and room for one more; see `ranked` for the others.
 */
export function rankedPair(n: i32, x: usize, rank: i32, y: usize, z: usize, counts: usize, ids: usize, out: usize): void {
  // Two a step: behind an odd number its last one stands twice.
  if (n & 1) store<f64>(x + (<usize>n << 3), load<f64>(x + (<usize>(n - 1) << 3)));
  let low = at(x), high = low;
  const end = x + (<usize>n << 3);
  for (let p = x + 16; p < end; p += 16) {
    const a = at(p);
    low = f64x2.pmin(low, a);
    high = f64x2.pmax(high, a);
  }
  const least = Math.min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
  const largest = Math.max(f64x2.extract_lane(high, 0), f64x2.extract_lane(high, 1));
  const element = ranked(n, x, least, largest, rank, y, z, counts, ids);
  store<f64>(out, element);
  store<f64>(out, rank == n - 1 ? element : behind(n, x, element, rank), 8);
}

// ---------------------------------------------------------------------------------------------------------------------

/**
 * Samples of n little-endian float32.
 * @param bytes and room for one more; @param x where they go as float64, and room for one more.
 * @returns whether all lie within low…high; what is no number does not.
 */
export function widen(n: i32, bytes: usize, x: usize, low: f64, high: f64): bool {
  const least = f64x2.splat(low), most = f64x2.splat(high);
  let inside = i64x2.splat(-1);
  if (n & 1) store<f32>(bytes + (<usize>n << 2), load<f32>(bytes + (<usize>(n - 1) << 2)));
  for (let i = 0; i < n; i += 2) {
    const v = f64x2.promote_low_f32x4(v128.load64_zero(bytes + (<usize>i << 2)));
    inside = v128.and(inside, v128.and(f64x2.ge(v, least), f64x2.le(v, most)));
    put(x + (<usize>i << 3), v);
  }
  return i64x2.all_true(inside);
}
