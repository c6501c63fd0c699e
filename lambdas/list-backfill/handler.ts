import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS } from '#core/contracts/events.ts';
import { BackfillRecord } from '#core/contracts/feature-store.ts';
import { backfillKeys } from '#core/contracts/lake.ts';
import { type LineageEdge, nodeRef } from '#core/contracts/ledger.ts';
import { planBackfill } from '#core/feature-sets/backfill.ts';
import { backfillObjects } from '#core/feature-sets/backfill-objects.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import type { RegistryHistory, RegistryReader } from '#core/ports/registry.ts';
import { backfillCommand, backfillRecord } from '../shared/backfill-run.ts';
import { Duplicate, Refused } from '../shared/errors.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { readFeatureSet } from '../shared/published-feature-sets.ts';
import { RetrainExecution } from '../shared/retrain-run.ts';
import { writeFirst } from '../shared/write-first.ts';

export interface Deps {
  readonly registry: Pick<RegistryReader, 'latest'> & RegistryHistory;
  readonly ledger: Ledger;
  readonly lake: ObjectStore;
}

const Input = z.strictObject({ execution: RetrainExecution, request: EVENTS.BackfillRequested });
const EDGES_PER_COMMAND = 40;

/**
 * First step of a backfill: registers that it runs and lists its parts.
 * @throws {Duplicate} when the request has an execution already. @throws {Refused} when the feature set is unknown or retired, or the days are in no order.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ parts: number; itemsKey: string }> => {
    const { execution, request } = parseAs(Input, event, 'input of list-backfill');
    const { backfillId, featureSetDigest, site, asset } = request;
    const earlier = await deps.registry.latest('backfill', backfillId);
    if (earlier !== null && parseAs(BackfillRecord, earlier.body, 'backfill').execution !== execution.id)
      throw new Duplicate(`backfill ${backfillId}`);
    if (request.from > request.to) throw new Refused(`the first day is ${request.from}, after the last, ${request.to}`);
    const set = await readFeatureSet(deps.registry, featureSetDigest);
    if (set === null)
      throw new Refused(`there is no feature set ${featureSetDigest}; publish a use case with it: millwright publish`);
    if (set.retired !== null) throw new Refused(`feature set ${set.featureSet.id} was retired: ${set.retired.reason}`);
    const plan = planBackfill(request, set.signals, await backfillObjects(deps, request));
    const itemsKey = backfillKeys.items(backfillId);
    await deps.lake.put(
      itemsKey,
      Buffer.from(plan.items.map((i) => `${canonicalJson(i)}\n`).join('')),
      'application/x-ndjson',
    );
    const from = nodeRef('backfill', backfillId);
    const edges: LineageEdge[] = [
      { from, rel: 'used', to: nodeRef('feature-set', featureSetDigest) },
      ...plan.runs.map((run): LineageEdge => ({ from, rel: 'about', to: nodeRef('run', `${site}/${run}`) })),
    ];
    const body = backfillRecord(request, execution.id, {
      status: 'running',
      detail: asset === null ? '' : `only ${asset}`,
      parts: plan.items.length,
      objects: plan.objects,
      frames: plan.frames,
    });
    const commandAt = (i: number) =>
      backfillCommand(request, execution, `running/${i}`, body, edges.slice(i, i + EDGES_PER_COMMAND));
    const others = [];
    for (let i = EDGES_PER_COMMAND; i < edges.length; i += EDGES_PER_COMMAND) others.push(commandAt(i));
    await writeFirst(deps.ledger, [commandAt(0), ...others], `backfill ${backfillId}`);
    return { parts: plan.items.length, itemsKey };
  };
