import { compareText } from '../text/compare.ts';

/** A place in the files of a plant. */
export interface Where {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** One mistake in the files of a plant: where, what was expected, what to do. */
export interface Problem extends Where {
  readonly message: string;
}

/** One file of a plant; its path from the folder, with slashes. */
export interface PlantFile {
  readonly path: string;
  readonly text: string;
}

/** By file, then line, then text; each once. */
export const sorted = (problems: readonly Problem[]): readonly Problem[] => {
  const byPlace = [...problems].sort(
    (a, b) => compareText(a.file, b.file) || a.line - b.line || compareText(a.message, b.message),
  );
  return byPlace.filter((p, i) => {
    const before = byPlace[i - 1];
    return before?.file !== p.file || before.line !== p.line || before.message !== p.message;
  });
};
