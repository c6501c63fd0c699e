import fc from 'fast-check';
import { lakeKeys, MAX_FRAMES_SPAN } from '#core/contracts/lake.ts';
import { framesObjectsWithin, overlaps } from '#core/lake/frames-within.ts';
import { type KeyPage, listKeys } from '#core/lake/list-keys.ts';
import { listOf } from '../../support/fakes.ts';

const RUN = { site: 'plant-a', asset: 'm1', run: 'life-1' };
const THINGS = [undefined, 'local-plant-a-edge', 'local-plant-a-edge-1', 'local-plant-a-edge-10', 'zz-plant-a-x'];

const range = (most: number) =>
  fc
    .tuple(fc.integer({ min: 1, max: 4 * MAX_FRAMES_SPAN }), fc.integer({ min: 0, max: most }))
    .map(([first, length]) => ({ first, last: first + length }));
const anObject = fc
  .tuple(range(MAX_FRAMES_SPAN - 1), fc.constantFrom(...THINGS))
  .map(([o, thing]) => ({ ...o, key: lakeKeys.frames({ ...RUN, ...o, ...(thing === undefined ? {} : { thing }) }) }));
const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);

describe('objects of a run with frames of a range', () => {
  it('are those that a list of the whole run has, whoever wrote them, and however the store cuts its answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anObject, { selector: (o) => o.key, maxLength: 60 }),
        range(MAX_FRAMES_SPAN),
        fc.integer({ min: 1, max: 20 }),
        async (objects, wanted, size) => {
          const others = ['raw/frames/site=plant-a/asset=m1/run=life-10/', lakeKeys.framesPrefix(RUN)].map(
            (prefix) => `${prefix}odd`,
          );
          const list = listOf(() => [...others, ...objects.map((o) => o.key)], size);
          const found = await framesObjectsWithin({ list }, RUN, wanted);
          expect([...found].sort(byKey)).toEqual(
            objects
              .filter((o) => overlaps(o, wanted))
              .map(({ key, first, last }) => ({ key, first, last }))
              .sort(byKey),
          );
        },
      ),
    );
  });

  it('cost as many answers at the end of a run as in its middle, and as many with a million objects as with ten thousand', async () => {
    const answers = async (objects: number, thing: string | undefined, first: number): Promise<number> => {
      const keys = Array.from({ length: objects }, (_, i) =>
        lakeKeys.frames({ ...RUN, first: 100 * i + 1, last: 100 * i + 100, ...(thing === undefined ? {} : { thing }) }),
      );
      let asked = 0;
      const at = (key: string): number => {
        let [low, high] = [0, keys.length];
        while (low < high) {
          const middle = (low + high) >>> 1;
          if ((keys[middle] as string) <= key) low = middle + 1;
          else high = middle;
        }
        return low;
      };
      const pageOf = async (o: { readonly after?: string; readonly token?: string }): Promise<KeyPage> => {
        const token = o.token ?? o.after ?? '';
        asked++;
        const begin = at(token);
        const page = keys.slice(begin, begin + 1000);
        return { keys: page, token: begin + 1000 < keys.length ? page.at(-1) : undefined };
      };
      const found = await framesObjectsWithin({ list: (_, options) => listKeys(pageOf, options) }, RUN, {
        first,
        last: first + 99,
      });
      expect(found).toHaveLength(1);
      return asked;
    };
    for (const thing of [undefined, 'local-plant-a-edge-1'])
      for (const objects of [10_000, 100_000]) {
        expect(await answers(objects, thing, 100 * (objects - 1) + 1)).toBeLessThanOrEqual(4);
        expect(await answers(objects, thing, 50 * objects + 1)).toBeLessThanOrEqual(4);
      }
  });
});

describe('a list of keys', () => {
  it('goes on with the token of an answer without keys', async () => {
    const pages: KeyPage[] = [{ keys: [], token: 't' }, { keys: ['a'] }];
    expect(await listKeys(async () => pages.shift() as KeyPage, { goOn: (last) => last })).toEqual(['a']);
  });
});
