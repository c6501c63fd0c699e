import { distance } from '../text/nearest.ts';
import { REC20 } from './rec20.ts';
import { unitOf } from './units.ts';

/** What people and systems write where UCUM has another code. */
const SPELT: Readonly<Record<string, string>> = {
  '°c': 'Cel',
  degc: 'Cel',
  celsius: 'Cel',
  '°f': '[degF]',
  degf: '[degF]',
  rpm: '{rev}/min',
  'r/min': '{rev}/min',
  'u/min': '{rev}/min',
  psi: '[psi]',
  psig: '[psi]',
  psia: '[psi]',
  hp: '[HP]',
  in: '[in_i]',
  ft: '[ft_i]',
  lb: '[lb_av]',
  lbs: '[lb_av]',
  gpm: '[gal_us]/min',
  cfm: '[cft_i]/min',
  ppm: '[ppm]',
  ppb: '[ppb]',
  percent: '%',
  sec: 's',
  hr: 'h',
  ohm: 'Ohm',
  ω: 'Ohm',
  mmhg: 'mm[Hg]',
  var: 'V.A{reactive}',
  kvar: 'kV.A{reactive}',
  ph: '[pH]',
  µm: 'um',
  '': '1',
};

/** As UCUM would have it: `m/s^2` and `m/s²` are `m/s2`, a product has a dot, `bar(g)` is bar. */
const tidied = (text: string): string =>
  text
    .replace(/[\s^]/g, '')
    .replace(/\([a-z]{1,4}\)$/i, '')
    .replace(/[²³]/g, (c) => (c === '²' ? '2' : '3'))
    .replace(/[·*×]/g, '.')
    .replace(/[µμ]/g, 'u');

/**
 * The known unit that was most likely meant by a text that is none, by its UCUM code; undefined when nothing is like it:
 * more than half of its characters would have to change.
 */
export const nearestUnit = (text: string): string | undefined => {
  const tidy = tidied(text.trim().slice(0, 64));
  for (const key of [text.trim().toLowerCase(), tidy.toLowerCase()]) if (Object.hasOwn(SPELT, key)) return SPELT[key];
  if (unitOf(tidy) !== undefined) return tidy;
  let best: string | undefined;
  let least = tidy.length / 2;
  for (const [code, ucum, name] of REC20)
    for (const candidate of [ucum, ucum.replace(/[.[\]]/g, ''), name, name.slice(name.lastIndexOf(' ') + 1), code]) {
      // Differences of case alone are the smallest.
      const far = distance(tidy.toLowerCase(), candidate.toLowerCase()) + (tidy === candidate ? 0 : 0.1);
      if (far < least) [best, least] = [ucum, far];
    }
  return best;
};
