import { judgementKeys } from '#core/contracts/judgement.ts';
import { readParquet } from '#core/lake/parquet.ts';
import type { Decided } from '#core/outcomes/join.ts';
import type { DecidedFrame } from '#core/outcomes/resolve.ts';
import { onceEach } from '#core/policy/once-each.ts';
import type { JudgementTable } from '../shared/judgement-table.ts';
import type { ObjectStore } from '../shared/object-store.ts';

/** A row of the table `decisions`, as much as joining needs. */
export interface Row extends Decided, DecidedFrame {
  readonly id: string;
  readonly asset: string;
  readonly modelLine: string;
  readonly packageDigest: string | null;
}

export interface DecisionTable {
  /** All decisions about a unit. */
  ofUnit(site: string, asset: string, run: string): Promise<readonly Row[]>;
  /** A decision by its id; null when no object that was recorded holds it. */
  find(id: string): Promise<Row | null>;
}

const rowOf = (row: Record<string, unknown>): Row => ({
  id: row['id'] as string,
  asset: row['asset'] as string,
  run: row['run'] as string,
  index: row['index'] as number,
  sourceTime: row['source_time'] as string,
  value: (row['value'] as number | null) ?? null,
  verdict: row['verdict'] as string,
  modelLine: row['model_line'] as string,
  packageDigest: (row['package_digest'] as string | null) ?? null,
});

/** Decisions as the lake has them, found by what the judgement table knows; each object is read once. */
export const decisionTable = (deps: {
  readonly lake: Pick<ObjectStore, 'get'>;
  readonly judgement: JudgementTable;
}): DecisionTable => {
  const rowsOf = onceEach(
    async (tableKey: string): Promise<readonly Row[]> => (await readParquet(await deps.lake.get(tableKey))).map(rowOf),
  );
  return {
    async ofUnit(site, asset, run) {
      const objects = await deps.judgement.list(judgementKeys.asset(site, asset), `DECIDED#${run}#`);
      const rows = await Promise.all(objects.map((o) => rowsOf(o['tableKey'] as string)));
      return rows.flat().filter((r) => r.asset === asset && r.run === run);
    },
    async find(id) {
      const [site = '', device = '', boot = '', sequence = ''] = id.split('/');
      const key = judgementKeys.object(site, device, boot, Number(sequence));
      const object = await deps.judgement.next(key.pk, key.sk);
      if (object === null || (object['first'] as number) > Number(sequence)) return null;
      return (await rowsOf(object['tableKey'] as string)).find((r) => r.id === id) ?? null;
    },
  };
};
