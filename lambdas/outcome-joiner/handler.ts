import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS } from '#core/contracts/events.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { type Decided, joinOutcome } from '#core/outcomes/join.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, recordBatch } from '../shared/batch.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { readParquet } from '../shared/parquet.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly registry: RegistryReader;
  readonly ledger: Ledger;
  readonly log: BatchLog;
}

const Event = z.object({ detail: EVENTS.OutcomeKnown });
const DecisionObject = z.looseObject({ tableKey: z.string(), modelLines: z.array(z.string()) });

interface Row extends Decided {
  readonly modelLine: string;
  readonly packageDigest: string;
}

/**
 * When a run's end is known: finds every decision on that run, measures how far off each was, and records it about the
 * package that decided. Packages whose use case is not in the registry are left out and named.
 */
export const makeHandler = (deps: Deps) => {
  const rowsOf = async (run: string, asset: string, runName: string): Promise<Row[]> => {
    const edges = await deps.registry.edges(run, 'in');
    const rows: Row[] = [];
    for (const { from } of edges) {
      if (!from.startsWith('decision-object:')) continue;
      const record = await deps.registry.latest('decision-object', from.slice('decision-object:'.length));
      if (record === null) continue;
      const { tableKey } = parseAs(DecisionObject, record.body, from);
      for (const row of await readParquet(await deps.lake.get(tableKey)))
        if (row['asset'] === asset && row['run'] === runName && typeof row['package_digest'] === 'string')
          rows.push({
            index: row['index'] as number,
            value: (row['value'] as number | null) ?? null,
            verdict: row['verdict'] as string,
            modelLine: row['model_line'] as string,
            packageDigest: row['package_digest'],
          });
    }
    return rows;
  };

  const join = async (event: unknown): Promise<null> => {
    const { detail } = parseAs(Event, event, 'OutcomeKnown event');
    const { site, asset, run, index, eventId } = detail;
    if (run === null || index === null) return null;
    const runNode = nodeRef('run', `${site}/${asset}/${run}`);
    const rows = await rowsOf(runNode, asset, run);
    const packages = new Map<string, Row[]>();
    for (const row of rows) packages.set(row.packageDigest, [...(packages.get(row.packageDigest) ?? []), row]);
    for (const [packageDigest, decided] of packages) {
      const modelLine = (decided[0] as Row).modelLine;
      const line = await deps.registry.latest('model-line', modelLine);
      const record = line === null ? null : await deps.registry.latest('use-case', String(line.body['useCaseDigest']));
      if (record === null)
        throw new Error(
          `model line ${modelLine} or its use case is not in the registry: publish it, millwright publish`,
        );
      const useCase = parseAs(UseCase, record.body, `use case of ${modelLine}`);
      const outcome = joinOutcome(decided, { end: 'failed', endedAt: index }, useCase.label.cap);
      const id = `outcome/${modelLine}/${site}/${asset}/${run}/${packageDigest}`;
      await deps.ledger.write([
        {
          schema: 'ledger-command/1',
          commandId: commandIdOf(id, eventId, index, decided.length),
          site,
          actor: 'lambda:outcome-joiner',
          reason: `the end of ${asset} ${run} became known`,
          record: {
            class: 'judgement',
            id,
            body: { schema: 'outcome-judgement/1', modelLine, packageDigest, asset, run, endedAt: index, ...outcome },
          },
          edges: [
            { from: nodeRef('judgement', id), rel: 'about', to: nodeRef('package', packageDigest) },
            { from: nodeRef('judgement', id), rel: 'used', to: nodeRef('plant-event', `${site}/${eventId}`) },
            { from: nodeRef('judgement', id), rel: 'about', to: runNode },
          ],
        },
      ]);
    }
    return null;
  };

  return (event: SQSEvent): Promise<SQSBatchResponse> => recordBatch(event, deps, join);
};
