import { gzipSync } from 'node:zlib';
import { readParquet } from '#core/lake/parquet.ts';
import type { FeatureDefinition } from '../../../core/contracts/feature-set.ts';
import type { Frame } from '../../../core/contracts/frame.ts';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { makeHandler } from '../../../lambdas/materialise/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { memoryStore, recordCommand, registryOf } from '../../support/fakes.ts';

const { useCase: published } = definitions[0] as (typeof definitions)[number];
const source = (definitions[0] as (typeof definitions)[number]).source({
  site: 'plant-a',
  seed: 1,
  start: '2026-01-01T00:00:00.000Z',
});
const frames: Frame[] = [
  ...(source.history() as Iterable<{ frames: readonly Frame[] }>)[Symbol.iterator]().next().value!.frames,
];
const first = frames[0] as Frame;

const setUp = async (isPublished = true, aside: readonly string[] = ['bad line'], useCase = published) => {
  const lake = memoryStore();
  const key = lakeKeys.frames({ site: first.site, asset: first.asset, run: first.run, first: 1, last: frames.length });
  const ref = await lake.put(key, gzipSync([...aside, ...frames.map((f) => JSON.stringify(f))].join('\n')));
  const snapshot = {
    schema: 'dataset-snapshot/1',
    modelLine: `${useCase.id}/plant-a`,
    useCaseDigest: digestOf(useCase),
    featureSetDigest: digestOf(useCase.featureSet),
    label: useCase.label,
    knownUntil: '2026-12-01T00:00:00.000Z',
    runs: [
      {
        asset: first.asset,
        run: first.run,
        split: 'train',
        frames: frames.length,
        endedAt: frames.length,
        objects: [ref],
      },
    ],
  };
  const digest = digestOf(snapshot);
  await lake.put(lakeKeys.snapshot(digest), Buffer.from(JSON.stringify(snapshot)));
  const registry = registryOf(isPublished ? [recordCommand('use-case', digestOf(useCase), useCase)] : []);
  const item = {
    snapshotDigest: digest,
    snapshotKey: lakeKeys.snapshot(digest),
    part: 4,
    runs: [`${first.asset}/${first.run}`],
    split: 'train',
  };
  return { lake, handler: makeHandler({ lake, registry }), item, key };
};

describe('materialise', () => {
  it('writes rows of features with their label to the part that it was given', async () => {
    const { handler, item, lake } = await setUp();
    const answer = await handler(item);
    expect(answer).toMatchObject({ part: 4, split: 'train' });
    const rows = await readParquet(lake.objects.get(answer.key) as Uint8Array);
    expect(rows).toHaveLength(answer.rows);
    expect(rows.at(-1)).toMatchObject({ label: 0, split: 'train' });
    expect(rows[0]?.['x']).toHaveLength(published.featureSet.features.length);
  });

  it('writes the same bytes when it runs again', async () => {
    const { handler, item, lake } = await setUp();
    const { key } = await handler(item);
    const before = lake.objects.get(key);
    await handler(item);
    expect(lake.objects.get(key)).toEqual(before);
  });

  it('makes no row of what was put aside when the object was registered', async () => {
    const read = async (aside: readonly string[]) => {
      const { handler, item, lake } = await setUp(true, aside);
      return readParquet(lake.objects.get((await handler(item)).key) as Uint8Array);
    };
    const ofAnother = { ...first, asset: 'another', index: 2 };
    expect(await read(['bad line', '{"half":', JSON.stringify(ofAnother)])).toEqual(await read([]));
  });

  it('refuses an object that is not what the snapshot names', async () => {
    const { handler, item, lake, key } = await setUp();
    lake.objects.set(key, gzipSync(''));
    await expect(handler(item)).rejects.toThrow(/is not what was registered/);
  });

  it('refuses a snapshot whose use case nobody published', async () => {
    const { handler, item } = await setUp(false);
    await expect(handler(item)).rejects.toThrow(/publish it/);
  });

  it('refuses a feature set that another version of the code defined', async () => {
    const [first, ...rest] = published.featureSet.features as [FeatureDefinition];
    const features = [{ ...first, version: 7 }, ...rest];
    const { handler, item } = await setUp(true, [], {
      ...published,
      featureSet: { ...published.featureSet, features },
    });
    await expect(handler(item)).rejects.toThrow(
      'feature speed: it is defined by version 7 of mean, this code computes version 1',
    );
  });

  it('gives no row for runs of another split', async () => {
    const { handler, item } = await setUp();
    expect((await handler({ ...item, split: 'test' })).rows).toBe(0);
  });

  it('refuses an item that is none', async () => {
    const { handler } = await setUp();
    await expect(handler({})).rejects.toThrow(/materialise item does not match its contract/);
  });
});
