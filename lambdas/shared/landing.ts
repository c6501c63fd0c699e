import { CompactionPlan } from '#core/contracts/compaction.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { hotDayOf, type LandedDay, lakeKeys } from '#core/contracts/lake.ts';
import type { LakeRow, LandedTableName } from '#core/contracts/lake-tables.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import { onceEach } from '#core/policy/once-each.ts';
import type { Claim, LandingTable } from './landing-table.ts';
import { getJson, type ObjectStore, sha256 } from './object-store.ts';
import { rowsToParquet } from './table-file.ts';

export interface LandingDeps {
  readonly lake: Pick<ObjectStore, 'bucket' | 'put' | 'list' | 'get'>;
  readonly landing: LandingTable;
  readonly now: () => string;
  /** A name that no other batch has. */
  readonly newBatch: () => string;
  /** Longer than the function may run: who claimed and is past it writes no more. */
  readonly leaseMs: number;
}

/** One thing that shall land once. `id` names it; `content` is what it says, to be told from others of that name. */
export interface Landing<T> {
  readonly id: string;
  readonly content: string;
  readonly what: T;
}

/**
 * What became of a thing: landed by this call; known, for it landed before; later, for another batch that may still be
 * writing has claimed it; or its name was used before for other content. `key` is the object that has or shall have it.
 */
export interface Fate {
  readonly is: 'landed' | 'known' | 'later' | 'name-used';
  readonly key: string;
}

/** What lands in one object, and where. */
interface Destination<T> {
  readonly keyOf: (batch: string, date: string) => string;
  readonly bytesOf: (things: readonly T[]) => Uint8Array;
  readonly contentType: string;
  /** Was an object removed since, because another one has what was in it? */
  readonly wasMoved?: (key: string) => Promise<boolean>;
}

/**
 * Lands each thing once, however often, in whatever company and in whatever order it is sent, and wherever a writer dies.
 * Each is first claimed for one object that is not written yet; the object is then written whole. That it is there is
 * what says that everything claimed for it has landed: there is no second note that could be missing. A claim whose
 * object is not there is taken over once its lease is past.
 * @returns the fate of each, in order.
 * @throws {Error} when a claim or the object could not be written, or nobody knows whether it was; what was claimed is
 * found landed, or is taken over, when it is sent again.
 */
export const landOnce = async <T>(
  deps: LandingDeps,
  things: readonly Landing<T>[],
  to: Destination<T>,
): Promise<readonly Fate[]> => {
  const now = deps.now();
  const key = to.keyOf(deps.newBatch(), now.slice(0, 10));
  const isThere = onceEach(
    async (k: string) => (await deps.lake.list(k)).includes(k) || ((await to.wasMoved?.(k)) ?? false),
  );
  const claimOf = (thing: Landing<T>): Claim => ({
    key,
    content: sha256(Buffer.from(thing.content)).slice('sha256:'.length),
    leaseUntil: Date.parse(now) + deps.leaseMs,
  });
  const fateOf = async (thing: Landing<T>): Promise<Fate> => {
    const claim = claimOf(thing);
    // An answer that was lost is asked for again: then the claim that stands is the own one.
    const isMine = (held: Claim | null): held is null => held === null || held.key === key;
    const held = await deps.landing.claim(thing.id, claim);
    if (isMine(held)) return { is: 'landed', key };
    if (held.content !== claim.content) return { is: 'name-used', key: held.key };
    if (await isThere(held.key)) return { is: 'known', key: held.key };
    if (held.leaseUntil > Date.parse(now)) return { is: 'later', key: held.key };
    return isMine(await deps.landing.takeOver(thing.id, held, claim))
      ? { is: 'landed', key }
      : { is: 'later', key: held.key };
  };
  const first = new Map<string, Landing<T>>();
  for (const thing of things) if (!first.has(thing.id)) first.set(thing.id, thing);
  const fates = new Map(
    await inParallel([...first.values()], async (thing) => [thing.id, await fateOf(thing)] as const),
  );
  const mine = [...first.values()].filter((thing) => fates.get(thing.id)?.is === 'landed');
  if (mine.length > 0) await deps.lake.put(key, to.bytesOf(mine.map((thing) => thing.what)), to.contentType);
  return things.map(({ id, content }) => {
    const fate = fates.get(id) as Fate;
    return content === first.get(id)?.content ? fate : { is: 'name-used', key: fate.key };
  });
};

/** Compaction removes objects of a day that is over; its plan names them all, and was written before. */
const wasCompacted =
  ({ lake }: LandingDeps, table: LandedTableName) =>
  async (key: string): Promise<boolean> => {
    const day = hotDayOf(key);
    if (day === null) return false;
    const plan = lakeKeys.compactionStep({ table, ...day }, 'plan');
    if (!(await lake.list(plan)).includes(plan)) return false;
    const { parts } = parseAs(CompactionPlan, await getJson(lake, plan), plan);
    return parts.some((p) => p.sources.includes(key));
  };

/** Lands rows of one table and site, once a message: the only way into a table with tiers. */
export const landRows = <N extends LandedTableName>(
  deps: LandingDeps,
  to: { readonly table: N; readonly site: LandedDay['site'] },
  messages: readonly Landing<readonly LakeRow<N>[]>[],
): Promise<readonly Fate[]> =>
  landOnce(
    deps,
    messages.map((m) => ({ ...m, id: `${to.table}/${m.id}` })),
    {
      keyOf: (batch, date) => lakeKeys.hot({ ...to, date, batch }),
      bytesOf: (rows) => rowsToParquet(to.table, rows.flat()),
      contentType: 'application/vnd.apache.parquet',
      wasMoved: wasCompacted(deps, to.table),
    },
  );
