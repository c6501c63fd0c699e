import type { Composition } from './compose-deployment.ts';

/** What a release did to one ring. */
export interface RingState {
  readonly ring: number;
  readonly deviceClass: string;
  readonly thingGroup: string;
  readonly placed: boolean;
  readonly previous: Composition | null;
}

export interface Ring {
  readonly ring: number;
  readonly deviceClass: string;
}

/** Where a release is to end: its package on every ring, or every ring as it was. */
export type Target = 'placed' | 'as-before';

export type Step =
  | { readonly do: 'place'; readonly ring: number; readonly deviceClass: string; readonly thingGroup: string }
  | { readonly do: 'restore'; readonly thingGroup: string; readonly composition: Composition };

/** Ring groups a use case rolls out to at a site, in order: bench first; classes of one ring one after another. */
export const planRings = (rings: readonly Ring[], wanted: readonly number[]): Ring[] =>
  rings
    .filter((r) => wanted.includes(r.ring))
    .sort((a, b) => a.ring - b.ring || (a.deviceClass < b.deviceClass ? -1 : a.deviceClass > b.deviceClass ? 1 : 0));

/**
 * Whether a release to some rings is one for the line, so that its package becomes the champion: every ring but the bench
 * gets it. The lowest ring is the bench, unless it is the only one.
 */
export const isForTheLine = (all: readonly Ring[], chosen: readonly Ring[]): boolean => {
  const has = (r: Ring): boolean => chosen.some((c) => c.ring === r.ring && c.deviceClass === r.deviceClass);
  const bench = Math.min(...all.map((r) => r.ring));
  const line = all.filter((r) => r.ring !== bench);
  return (line.length === 0 ? all : line).every(has);
};

/**
 * Steps from a state to a target. Placing goes ring by ring, lowest first, and does again nothing that is done;
 * going back touches only rings that were changed, the widest first, since most devices are there.
 */
export const planRollout = (state: readonly RingState[], target: Target): Step[] => {
  const ordered = [...state].sort(
    (a, b) => a.ring - b.ring || (a.deviceClass < b.deviceClass ? -1 : a.deviceClass > b.deviceClass ? 1 : 0),
  );
  if (target === 'placed')
    return ordered
      .filter((r) => !r.placed)
      .map(({ ring, deviceClass, thingGroup }) => ({ do: 'place', ring, deviceClass, thingGroup }));
  return ordered
    .reverse()
    .flatMap((r) =>
      r.placed && r.previous !== null
        ? [{ do: 'restore' as const, thingGroup: r.thingGroup, composition: r.previous }]
        : [],
    );
};
