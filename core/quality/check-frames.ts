import type { Frame } from '../contracts/frame.ts';
import type { QualityFinding } from '../contracts/quality.ts';
import type { SignalDefinition, UseCase } from '../contracts/use-case.ts';
import { makeIntake } from '../frames/intake.ts';
import { compareText } from '../text/compare.ts';
import { lastWords } from './findings.ts';

/**
 * Signals to check frames by: those of the newest version of each use case all of whose signals occur, which says that
 * it looks at such machines. Where two use cases define one signal, the first by id counts.
 * @param occurring names of the signals that occur in the frames.
 */
export const signalsToCheck = (
  useCases: readonly UseCase[],
  occurring: readonly string[],
): readonly SignalDefinition[] => {
  const newest = new Map<string, UseCase>();
  for (const u of useCases) if (u.version > (newest.get(u.id)?.version ?? 0)) newest.set(u.id, u);
  const fitting = [...newest.values()]
    .filter((u) => u.signals.every((s) => occurring.includes(s.name)))
    .sort((a, b) => compareText(a.id, b.id));
  const signals = new Map<string, SignalDefinition>();
  for (const u of fitting) for (const s of u.signals) if (!signals.has(s.name)) signals.set(s.name, s);
  return [...signals.values()];
};

/**
 * What the checks find in frames of one run, by their index; the first of each index counts. Each stretch is said once,
 * as far as these frames show it: nobody knows here what came before or comes after.
 */
export const checkFrames = (
  frames: readonly Frame[],
  signals: readonly SignalDefinition[],
): readonly QualityFinding[] => {
  const [any] = frames;
  if (any === undefined || signals.length === 0) return [];
  const intake = makeIntake({ site: any.site, asset: any.asset, signals });
  const words: QualityFinding[] = [];
  let previous = 0;
  for (const frame of [...frames].sort((a, b) => a.index - b.index)) {
    if (frame.index === previous) continue;
    previous = frame.index;
    words.push(...intake.takeFrame(frame).findings);
  }
  return lastWords([...words, ...intake.end()]).map((f) => ({ ...f, open: false }));
};
