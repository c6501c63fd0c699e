import { type CompactedDay, CompactionMark, CompactionPlan } from '#core/contracts/compaction.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { type LandedDay, lakeKeys } from '#core/contracts/lake.ts';
import { isClosed, mergeRows, planParts } from '#core/lake/compaction.ts';
import { countRows } from '#core/lake/parquet.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { ObjectFiles } from '../shared/object-files.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';
import { rowsFromParquet, rowsToParquet } from '../shared/table-file.ts';

export interface Deps {
  readonly lake: Pick<ObjectStore, 'bucket' | 'get' | 'put' | 'list'>;
  readonly files: ObjectFiles;
  readonly now: () => string;
  /** How long a query may run that began before a step: between two steps that it must not see both of lies more. */
  readonly graceMs: number;
  /** True when it is time to end; the next call goes on. */
  readonly isTimeOver: () => boolean;
}

const PARQUET = 'application/vnd.apache.parquet';
const FILES_AT_ONCE = 8;

type Step = Parameters<typeof lakeKeys.compactionStep>[1];

const json = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));

/**
 * Brings the compaction of one day as far as it may go by now, each step once, whoever else is at it and wherever it
 * died before:
 * 1. plan: which small files become which large ones; the first plan that is written stands.
 * 2. write the large files to tier cold, where no query looks yet.
 * 3. commit: one row in table `compactions`, from when on queries take tier cold for this day.
 * 4. remove the small files, in which no query looks any more.
 * Commit and removal each wait until queries have ended that began before the step before.
 */
export const compactDay = async (deps: Deps, day: LandedDay, dryRun: boolean): Promise<CompactedDay> => {
  const commitKey = lakeKeys.compaction(day);
  const small = await deps.files.entries(lakeKeys.landedPrefix('hot', day));
  const bytes = small.reduce((sum, f) => sum + f.bytes, 0);
  const answer = (state: CompactedDay['state'], parts: number): CompactedDay => ({
    ...day,
    files: small.length,
    bytes,
    parts,
    state,
  });
  const present = new Set(await deps.lake.list(lakeKeys.compactionPrefix(day)));
  const isDone = (step: Step): boolean => present.has(lakeKeys.compactionStep(day, step));
  const planKey = lakeKeys.compactionStep(day, 'plan');
  if (!isDone('plan')) {
    const parts = planParts(small);
    if (!isClosed(day.date, Date.parse(deps.now()))) return answer('open', parts.length);
    if (small.length < 2) return answer('single', parts.length);
    if (dryRun) return answer('planned', parts.length);
    const plan: CompactionPlan = {
      schema: 'compaction-plan/1',
      ...day,
      at: deps.now(),
      parts: parts.map(({ name, sources }) => ({ name, sources: [...sources] })),
    };
    await deps.files.putNew(planKey, json(plan), 'application/json');
  }
  const plan = parseAs(CompactionPlan, await getJson(deps.lake, planKey), planKey);
  const { parts } = plan;
  const planned = new Set(parts.flatMap((p) => p.sources));
  const stray = small.find((f) => !planned.has(f.key));
  if (stray !== undefined)
    throw new Error(
      `${stray.key} was written on a day that is over: it is not in the plan of ${plan.at}, and once that is committed no query sees it; move it to the day of today`,
    );
  const mark = async (step: Step): Promise<void> => {
    const document: CompactionMark = { schema: 'compaction-mark/1', at: deps.now() };
    await deps.files.putNew(lakeKeys.compactionStep(day, step), json(document), 'application/json');
  };
  const since = async (step: Step): Promise<number> => {
    const key = lakeKeys.compactionStep(day, step);
    const { at } = parseAs(CompactionMark, await getJson(deps.lake, key), key);
    return Date.parse(deps.now()) - Date.parse(at);
  };

  if (!isDone('written')) {
    if (dryRun) return answer('planned', parts.length);
    const written = new Set(await deps.lake.list(lakeKeys.landedPrefix('cold', day)));
    for (const { name, sources } of parts) {
      const key = lakeKeys.cold({ ...day, part: name });
      if (written.has(key)) continue;
      if (deps.isTimeOver()) return answer('planned', parts.length);
      const rows = await inParallel(
        sources,
        async (source) => rowsFromParquet(day.table, await deps.lake.get(source)),
        FILES_AT_ONCE,
      );
      await deps.lake.put(key, rowsToParquet(day.table, mergeRows(day.table, rows.flat())), PARQUET);
    }
    await mark('written');
  }

  if (!isDone('committed')) {
    if (dryRun || (await since('written')) < deps.graceMs) return answer('written', parts.length);
    const counts = await inParallel(
      parts,
      async ({ name }) => countRows(await deps.lake.get(lakeKeys.cold({ ...day, part: name }))),
      FILES_AT_ONCE,
    );
    const row = {
      table_name: day.table,
      committed_at: deps.now(),
      rows: counts.reduce((sum, n) => sum + n, 0),
      files: parts.length,
      replaced: parts.reduce((sum, p) => sum + p.sources.length, 0),
    };
    await deps.files.putNew(commitKey, rowsToParquet('compactions', [row]), PARQUET);
    await mark('committed');
  }

  if (!isDone('deleted')) {
    if (dryRun || (await since('committed')) < deps.graceMs) return answer('committed', parts.length);
    await deps.files.remove(parts.flatMap((p) => p.sources));
    await mark('deleted');
  }
  return answer('done', parts.length);
};
