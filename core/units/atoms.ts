import { type Base, type Dimension, dimensionOf } from './dimension.ts';

/**
 * An atom of UCUM: SI = (value + offset) · numerator / denominator. Two whole numbers where the definition has them, so
 * that no rounding comes from the table.
 */
export interface Atom {
  readonly numerator: number;
  readonly denominator: number;
  readonly offset: number;
  readonly dimension: Dimension;
  /** May have a prefix. */
  readonly metric: boolean;
}

type Exponents = Readonly<Partial<Record<Base, number>>>;

const atom = (numerator: number, exponents: Exponents, denominator = 1): Atom => ({
  numerator,
  denominator,
  offset: 0,
  dimension: dimensionOf(exponents),
  metric: true,
});
/** One that takes no prefix. */
const plain = (numerator: number, exponents: Exponents, denominator = 1): Atom => ({
  ...atom(numerator, exponents, denominator),
  metric: false,
});

const FORCE = { m: 1, kg: 1, s: -2 } as const;
const PRESSURE = { m: -1, kg: 1, s: -2 } as const;
const ENERGY = { m: 2, kg: 1, s: -2 } as const;
const POWER = { m: 2, kg: 1, s: -3 } as const;
const VOLUME = { m: 3 } as const;

/** Prefixes of UCUM (table 1), as numerator and denominator. */
export const PREFIXES: Readonly<Record<string, readonly [number, number]>> = {
  Ti: [2 ** 40, 1],
  Gi: [2 ** 30, 1],
  Mi: [2 ** 20, 1],
  Ki: [2 ** 10, 1],
  da: [10, 1],
  E: [1e18, 1],
  P: [1e15, 1],
  T: [1e12, 1],
  G: [1e9, 1],
  M: [1e6, 1],
  k: [1e3, 1],
  h: [100, 1],
  d: [1, 10],
  c: [1, 100],
  m: [1, 1e3],
  u: [1, 1e6],
  n: [1, 1e9],
  p: [1, 1e12],
  f: [1, 1e15],
  a: [1, 1e18],
};

/**
 * Atoms of UCUM that factories use, by their case-sensitive codes. Values: UCUM 2.1 (ucum-essence), which takes them from
 * the SI brochure and NIST SP 811.
 */
export const ATOMS: Readonly<Record<string, Atom>> = {
  // Pure numbers
  '10*': plain(10, {}),
  '10^': plain(10, {}),
  '%': plain(1, {}, 100),
  '[ppth]': plain(1, {}, 1e3),
  '[ppm]': plain(1, {}, 1e6),
  '[ppb]': plain(1, {}, 1e9),
  // Bases
  m: atom(1, { m: 1 }),
  g: atom(1, { kg: 1 }, 1000),
  s: atom(1, { s: 1 }),
  A: atom(1, { A: 1 }),
  K: atom(1, { K: 1 }),
  mol: atom(1, { mol: 1 }),
  cd: atom(1, { cd: 1 }),
  rad: atom(1, { rad: 1 }),
  bit: atom(1, { bit: 1 }),
  B: atom(1, { B: 1 }),
  '[pH]': plain(1, { '[pH]': 1 }),
  // Derived units of the SI
  sr: atom(1, { rad: 2 }),
  Hz: atom(1, { s: -1 }),
  N: atom(1, FORCE),
  Pa: atom(1, PRESSURE),
  J: atom(1, ENERGY),
  W: atom(1, POWER),
  C: atom(1, { A: 1, s: 1 }),
  V: atom(1, { ...POWER, A: -1 }),
  F: atom(1, { m: -2, kg: -1, s: 4, A: 2 }),
  Ohm: atom(1, { ...POWER, A: -2 }),
  S: atom(1, { m: -2, kg: -1, s: 3, A: 2 }),
  Wb: atom(1, { ...ENERGY, A: -1 }),
  T: atom(1, { kg: 1, s: -2, A: -1 }),
  H: atom(1, { ...ENERGY, A: -2 }),
  lm: atom(1, { cd: 1, rad: 2 }),
  lx: atom(1, { cd: 1, rad: 2, m: -2 }),
  Bq: atom(1, { s: -1 }),
  Gy: atom(1, { m: 2, s: -2 }),
  Sv: atom(1, { m: 2, s: -2 }),
  kat: atom(1, { mol: 1, s: -1 }),
  // Temperature
  Cel: { ...plain(1, { K: 1 }), offset: 273.15 },
  '[degF]': { ...plain(5, { K: 1 }, 9), offset: 459.67 },
  '[degR]': plain(5, { K: 1 }, 9),
  // Time
  min: plain(60, { s: 1 }),
  h: plain(3600, { s: 1 }),
  d: plain(86_400, { s: 1 }),
  wk: plain(604_800, { s: 1 }),
  mo: plain(2_629_800, { s: 1 }),
  a: plain(31_557_600, { s: 1 }),
  // Angle
  circ: plain(2 * Math.PI, { rad: 1 }),
  deg: plain(Math.PI, { rad: 1 }, 180),
  "'": plain(Math.PI, { rad: 1 }, 10_800),
  "''": plain(Math.PI, { rad: 1 }, 648_000),
  gon: plain(Math.PI, { rad: 1 }, 200),
  // Beside the SI
  l: atom(1, VOLUME, 1000),
  L: atom(1, VOLUME, 1000),
  ar: atom(100, { m: 2 }),
  t: atom(1000, { kg: 1 }),
  u: atom(1.6605402e-27, { kg: 1 }),
  bar: atom(1e5, PRESSURE),
  eV: atom(1.60217733e-19, ENERGY),
  gf: atom(980_665, FORCE, 1e8),
  '[g]': atom(980_665, { m: 1, s: -2 }, 1e5),
  By: atom(8, { bit: 1 }),
  Bd: atom(1, { s: -1 }),
  // CGS
  dyn: atom(1, FORCE, 1e5),
  erg: atom(1, ENERGY, 1e7),
  P: atom(1, { m: -1, kg: 1, s: -1 }, 10),
  St: atom(1, { m: 2, s: -1 }, 1e4),
  Gal: atom(1, { m: 1, s: -2 }, 100),
  // Pressure
  atm: plain(101_325, PRESSURE),
  att: plain(980_665, PRESSURE, 10),
  'm[H2O]': atom(980_665, PRESSURE, 100),
  'm[Hg]': atom(133_322, PRESSURE),
  "[in_i'H2O]": plain(980_665 * 254, PRESSURE, 1e6),
  "[in_i'Hg]": plain(133_322 * 254, PRESSURE, 1e4),
  '[psi]': plain(45_359_237 * 980_665, PRESSURE, 6_451_600_000),
  // Energy and power
  cal_IT: atom(41_868, ENERGY, 1e4),
  cal_th: atom(4184, ENERGY, 1000),
  '[Btu_IT]': plain(105_505_585_262, ENERGY, 1e8),
  '[HP]': plain(550 * 3048 * 45_359_237 * 980_665, POWER, 1e17),
  // Customary units of the United States, the international ones
  '[in_i]': plain(254, { m: 1 }, 1e4),
  '[ft_i]': plain(3048, { m: 1 }, 1e4),
  '[yd_i]': plain(9144, { m: 1 }, 1e4),
  '[mi_i]': plain(1_609_344, { m: 1 }, 1000),
  '[nmi_i]': plain(1852, { m: 1 }),
  '[kn_i]': plain(1852, { m: 1, s: -1 }, 3600),
  '[mil_i]': plain(254, { m: 1 }, 1e7),
  '[sin_i]': plain(64_516, { m: 2 }, 1e8),
  '[sft_i]': plain(3048 ** 2, { m: 2 }, 1e8),
  '[cin_i]': plain(254 ** 3, VOLUME, 1e12),
  '[cft_i]': plain(3048 ** 3, VOLUME, 1e12),
  '[gal_us]': plain(231 * 254 ** 3, VOLUME, 1e12),
  '[bbl_us]': plain(42 * 231 * 254 ** 3, VOLUME, 1e12),
  '[gal_br]': plain(454_609, VOLUME, 1e8),
  '[lb_av]': plain(45_359_237, { kg: 1 }, 1e8),
  '[oz_av]': plain(45_359_237, { kg: 1 }, 16e8),
  '[gr]': plain(6_479_891, { kg: 1 }, 1e11),
  '[ston_av]': plain(90_718_474, { kg: 1 }, 1e5),
  '[lbf_av]': plain(45_359_237 * 980_665, FORCE, 1e13),
};
