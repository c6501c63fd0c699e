import { storeKeys } from '#core/contracts/lake.ts';
import type { ObjectRef } from '#core/contracts/primitives.ts';
import { readColumns } from '#core/lake/parquet.ts';
import type { RunRows } from '#core/point-in-time/run-rows.ts';
import { type StoreObject, storeObjectOf } from '#core/point-in-time/store-object.ts';
import { compareText } from '#core/text/compare.ts';
import { CliError, EXIT } from './errors.ts';
import { sha256 } from './sha256.ts';
import type { World } from './world.ts';

/** Objects of the store that hold rows of a feature set of the site, by key. */
export const storeObjects = async (world: World, featureSet: string): Promise<readonly StoreObject[]> =>
  (await world.lake.list(`${storeKeys.prefix(featureSet)}site=${world.site}/`))
    .flatMap((key) => storeObjectOf(featureSet, key) ?? [])
    .sort((a, b) => compareText(a.key, b.key));

/** An object to read; without a version the newest. */
export interface Wanted extends StoreObject {
  readonly versionId?: string | null;
}

export interface ReadRun {
  readonly rows: RunRows;
  readonly objects: readonly ObjectRef[];
}

const COLUMNS = ['index', 'valid_time', 'known_time', 'x', 'source'] as const;

const readRun = async (world: World, objects: readonly Wanted[], width: number): Promise<ReadRun> => {
  const read = await Promise.all(
    objects.map(async ({ key, versionId }) => {
      const object = await world.lake.get(key, versionId);
      if (object === null)
        throw new CliError(
          `${key} is gone${versionId ? ` in the version ${versionId}` : ''}`,
          versionId
            ? 'its retention is over: what was made of it cannot be made again'
            : 'its retention ended while it was read: run the command again',
          EXIT.notFound,
        );
      const ref: ObjectRef = {
        bucket: world.lake.name,
        key,
        versionId: object.versionId,
        digest: sha256(object.body),
        bytes: object.body.length,
      };
      return { ref, columns: await readColumns(object.body, COLUMNS) };
    }),
  );
  const column = (name: (typeof COLUMNS)[number]): readonly unknown[] => read.flatMap((r) => r.columns[name]);
  const x = column('x') as readonly (readonly number[])[];
  const wrong = x.find(({ length }) => length > 0 && length !== width);
  const { asset = '', run = '' } = objects[0] ?? {};
  if (wrong !== undefined)
    throw new CliError(
      `a row of ${asset}/${run} has ${wrong.length} features, its feature set ${width}`,
      'the store was written by something else; recompute it with a backfill',
    );
  return {
    objects: read.map((r) => r.ref),
    rows: {
      asset,
      run,
      index: column('index').map(Number),
      validTime: column('valid_time') as readonly string[],
      knownTime: column('known_time') as readonly string[],
      x,
      source: column('source') as readonly string[],
    },
  };
};

const AHEAD = 8;

/**
 * Runs of the store, one after the other, each whole; a few are read ahead.
 * @throws {CliError} when an object is gone, or is not of its feature set.
 */
export async function* readRuns(
  world: World,
  objects: readonly Wanted[],
  width: number,
): AsyncGenerator<ReadRun & { readonly done: number; readonly of: number }> {
  const groups = [...Map.groupBy(objects, (o) => `${o.asset}/${o.run}`).entries()]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, group]) => group);
  const ahead: Promise<ReadRun>[] = [];
  let next = 0;
  for (let done = 1; done <= groups.length; done++) {
    while (next < groups.length && ahead.length < AHEAD) {
      const reading = readRun(world, groups[next++] as Wanted[], width);
      // Told when its turn comes; until then it is not unhandled.
      reading.catch(() => {});
      ahead.push(reading);
    }
    yield { ...(await (ahead.shift() as Promise<ReadRun>)), done, of: groups.length };
  }
}
