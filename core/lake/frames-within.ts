import { lakeKeys, MAX_FRAMES_SPAN } from '../contracts/lake.ts';
import type { ListOptions } from './list-keys.ts';

export interface FrameRange {
  readonly first: number;
  readonly last: number;
}

interface Run {
  readonly site: string;
  readonly asset: string;
  readonly run: string;
}

/** Whether two ranges have an index in common. */
export const overlaps = (a: FrameRange, b: FrameRange): boolean => a.first <= b.last && b.first <= a.last;

const OBJECT = /^(?:([^/]+)\/)?(\d{10})-(\d{10})\.ndjson\.gz$/;

/**
 * What to list for the objects of a run that may hold frames of a range, whoever wrote them. None is larger than
 * `MAX_FRAMES_SPAN`, so that an object which begins further before the range than this does not reach into it; what begins
 * behind the range does not either. Keys of a device stand behind those without one: a stage begins with a letter.
 */
const framesWithin = (run: Run, { first, last }: FrameRange): { prefix: string } & Required<ListOptions> => {
  const prefix = lakeKeys.framesPrefix(run);
  const from = String(Math.max(0, first - MAX_FRAMES_SPAN + 1)).padStart(10, '0');
  return {
    prefix,
    after: `${prefix}${from}`,
    goOn(key) {
      const [, thing, begin] = OBJECT.exec(key.slice(prefix.length)) ?? [];
      if (begin === undefined) return key;
      const folder = thing === undefined ? prefix : `${prefix}${thing}/`;
      if (begin < from) return `${folder}${from}`;
      if (Number(begin) <= last) return key;
      // The characters after the digits, and after the slash.
      return thing === undefined ? `${prefix}:` : `${prefix}${thing}0`;
    },
  };
};

/** Objects of a run whose keys say that they hold frames of a range, by their keys. */
export const framesObjectsWithin = async (
  lake: { list(prefix: string, options?: ListOptions): Promise<readonly string[]> },
  run: Run,
  range: FrameRange,
): Promise<readonly (FrameRange & { readonly key: string })[]> => {
  const { prefix, ...options } = framesWithin(run, range);
  return (await lake.list(prefix, options)).flatMap((key) => {
    const [, , first, last] = OBJECT.exec(key.slice(prefix.length)) ?? [];
    const found = { key, first: Number(first), last: Number(last) };
    return first !== undefined && overlaps(found, range) ? [found] : [];
  });
};
