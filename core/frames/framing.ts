import type { Framing, SignalDefinition } from '../contracts/use-case.ts';

/** What keeps signals from being framed so; one text a problem, each naming what it is about. */
export const framingProblems = (framing: Framing, signals: readonly SignalDefinition[]): readonly string[] => {
  const problems: string[] = [];
  if (!Number.isInteger(Math.round(framing.everySeconds * 1e6) / 1000))
    problems.push(`framing.everySeconds must be whole milliseconds, it is ${framing.everySeconds}`);
  for (const name of Object.keys(framing.scalars ?? {})) {
    const kind = signals.find((s) => s.name === name)?.kind;
    if (kind !== 'scalar')
      problems.push(`framing.scalars names "${name}", which is ${kind === undefined ? 'no signal' : `a ${kind}`}`);
  }
  for (const s of signals) {
    if (s.kind !== 'waveform') continue;
    if (s.sampleRateHz === undefined || s.samples === undefined)
      problems.push(`signal "${s.name}" needs sampleRateHz and samples to be put together from single samples`);
    else if (s.samples / s.sampleRateHz > framing.everySeconds)
      problems.push(
        `signal "${s.name}" has ${s.samples} samples at ${s.sampleRateHz} Hz, longer than a block of ${framing.everySeconds} s`,
      );
  }
  return problems;
};

/** A value as the name of a run or a context: lower case, hyphens for what a name must not have. */
export const slugOf = (value: string | number | boolean): string => {
  const slug = String(value)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'unnamed' : slug;
};
