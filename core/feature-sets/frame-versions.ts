import type { Frame } from '../contracts/frame.ts';
import { canonicalJson } from '../lineage/canonical-json.ts';
import { compareText } from '../text/compare.ts';

/** Frames of one run as one version of a raw object had them. */
export interface FrameSource {
  readonly key: string;
  readonly digest: string;
  /** When the registry learnt of it, if other bytes were under its key before; null for the first. */
  readonly correctedAt: string | null;
  readonly frames: readonly Frame[];
}

/** What a frame was, from when on. */
export interface FrameVersion {
  readonly frame: Frame;
  readonly source: FrameSource;
  /** Milliseconds since 1970, UTC, from which on it was known. Never before its source time. */
  readonly known: number;
}

const contentOf = ({ context, sourceTime, signals }: Frame): string => canonicalJson({ context, sourceTime, signals });

const knownFrom = (frame: Frame, source: FrameSource): number =>
  Math.max(
    Date.parse(frame.receivedTime),
    Date.parse(frame.sourceTime),
    source.correctedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(source.correctedAt),
  );

/**
 * The history of each frame of a run, by index: what was known of it first, then each correction. The same content again
 * is no correction, and of two contents known at the same instant the first by key counts. The same sources in any order
 * give the same histories.
 * @returns histories in order of the index, none empty, each by `known` strictly ascending.
 */
export const frameVersions = (sources: readonly FrameSource[]): readonly (readonly FrameVersion[])[] => {
  const byIndex = new Map<number, FrameVersion[]>();
  for (const source of sources)
    for (const frame of source.frames) {
      const version = { frame, source, known: knownFrom(frame, source) };
      const there = byIndex.get(frame.index);
      if (there === undefined) byIndex.set(frame.index, [version]);
      else there.push(version);
    }
  return [...byIndex]
    .sort(([a], [b]) => a - b)
    .map(([, versions]) => {
      if (versions.length === 1) return versions;
      versions.sort(
        (a, b) =>
          a.known - b.known ||
          compareText(a.source.key, b.source.key) ||
          compareText(contentOf(a.frame), contentOf(b.frame)),
      );
      const kept: FrameVersion[] = [];
      for (const version of versions) {
        const last = kept.at(-1);
        if (last === undefined || (version.known > last.known && contentOf(version.frame) !== contentOf(last.frame)))
          kept.push(version);
      }
      return kept;
    });
};
