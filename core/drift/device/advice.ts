import type { WindowEvidence, WindowKind } from '../../contracts/drift.ts';
import { daysAfter } from '../../policy/days-after.ts';
import { few } from '../../text/few.ts';

/** What people are told of a judged window. */
export interface Advice {
  readonly what: string;
  readonly sure: string;
  readonly next: string;
}

const SHOWN = 3;
const short = (x: number): string => (x >= 1e5 ? x.toExponential(1) : String(Number(x.toPrecision(3))));
const dayAfter = (instant: string, days: number): string => daysAfter(instant, days).slice(0, 10);

const sureOf = (e: WindowEvidence): string => {
  if (e.kind === 'data-quality') return 'a finding about the data, not a test';
  const worst = e.features[0];
  const bound =
    worst === undefined
      ? ''
      : worst.lower === 0
        ? 'no feature surely differs in this window; '
        : `${worst.name} surely has index ${short(worst.lower)} at least; `;
  const across = `over windows e-value ${short(e.eValue)} of ${short(e.threshold)}`;
  const level = e.calibrated ? '' : '; uncalibrated, for training had too few windows: a hint, no proof';
  const arl =
    e.arl0 === null
      ? ''
      : `; a false alarm of the slow charts every ${short(e.arl0.value)} windows (${short(e.arl0.interval[0])} … ${short(e.arl0.interval[1])})`;
  return `${bound}${across}${level}${arl}`;
};

const nextOf = (e: WindowEvidence): string => {
  const assets = few(e.assets, SHOWN);
  const worst = few(
    e.features.map((f) => f.name),
    SHOWN,
  );
  const texts: Readonly<Record<WindowKind, () => string>> = {
    steady: () => 'nothing',
    watch: () =>
      `look at ${worst} on ${assets}; outcomes decide whether it matters: "millwright labels ${e.modelLine}"`,
    serious: () =>
      `find out what changed on ${assets}: if it was meant, report it ("millwright events add", kind changeover or tool-change); if not, mend it. A retrain is asked for when outcomes or three such windows confirm it`,
    ageing: () =>
      e.ageing?.daysToLimit == null
        ? `look at ${e.ageing?.feature ?? worst} on ${assets} at the next maintenance`
        : `plan maintenance or a retrain for ${assets} before ${dayAfter(e.to, e.ageing.daysToLimit)}`,
    'new-context': () =>
      `do not rely on the model in context ${e.context}; collect runs of it with outcomes, then "millwright retrain ${e.modelLine}"`,
    recurring: () => 'nothing: it was accepted before',
    'suspected-changeover': () =>
      `say whether ${assets} were changed over: "millwright events add" with kind changeover; without an answer it is taken for drift`,
    'warm-up': () => 'wait until the warm-up is over',
    muted: () => 'wait until the mute is over',
    'data-quality': () =>
      `mend the data of ${assets}: "millwright quality --asset ${e.assets[0]}"; drift is not judged until then`,
  };
  return texts[e.kind]();
};

/** What changed, how sure that is and what to do, in sentences; since when and on which assets is in the evidence. */
export const adviceOf = (evidence: WindowEvidence): Advice => ({
  what: evidence.says.join('; '),
  sure: sureOf(evidence),
  next: nextOf(evidence),
});
