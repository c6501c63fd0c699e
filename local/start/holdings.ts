import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GreengrassV2Client, paginateListDeployments } from '@aws-sdk/client-greengrassv2';
import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { registryQueries } from '#core/contracts/ledger.ts';
import { LastSeen, LOCAL_LAST_SEEN_FILE } from '#core/contracts/local-plant.ts';
import { countersIn } from '../faults/faults-file.ts';
import { compareHoldings } from './kept.ts';
import { writeWhole } from './plant.ts';
import { pause } from './wait.ts';

export interface HoldingsDeps {
  readonly stateDir: string;
  readonly db: DynamoDBDocumentClient;
  readonly greengrass: GreengrassV2Client;
  readonly registryTable: string;
  /** Process of the local AWS: its counts are those of no earlier one. */
  readonly awsPid: number;
  readonly now: () => string;
}

const COUNTED_MS = 5000;

/** What the plant holds at this moment. Null when the local AWS has not counted yet, or the registry is not there. */
export const readHoldings = async (deps: HoldingsDeps): Promise<LastSeen | null> => {
  const counters = countersIn(deps.stateDir);
  if (counters === null || counters.pid !== deps.awsPid) return null;
  if (!(deps.registryTable in counters.stores.tables)) return null;
  const chains: Record<string, number> = {};
  const heads = paginateQuery(
    { client: deps.db },
    { TableName: deps.registryTable, ...registryQueries.list('chain-head') },
  );
  for await (const { Items } of heads)
    for (const head of Items ?? []) chains[String(head['chain'])] = Number(head['sequence']);
  let deployments = 0;
  for await (const page of paginateListDeployments({ client: deps.greengrass }, { historyFilter: 'ALL' }))
    deployments += page.deployments?.length ?? 0;
  return {
    schema: 'last-seen/1',
    at: deps.now(),
    chains,
    tables: counters.stores.tables,
    buckets: counters.stores.buckets,
    deployments,
  };
};

/** What an earlier start noted last, and when its state was last saved. */
export interface Cut {
  readonly seen: LastSeen;
  readonly savedAt: string | null;
}

/** Call before anything is started: a start overwrites both. Null when there was no earlier start. */
export const readCut = (stateDir: string): Cut | null => {
  try {
    const seen = LastSeen.parse(JSON.parse(readFileSync(join(stateDir, LOCAL_LAST_SEEN_FILE), 'utf8')));
    let savedAt: string | null = null;
    try {
      savedAt = statSync(join(stateDir, 'aws', 'saved')).mtime.toISOString();
    } catch {
      // It was cut off before its first save.
    }
    return { seen, savedAt };
  } catch {
    return null;
  }
};

/**
 * What was kept and what was lost, as lines to tell. Call when the services run and before anything writes.
 * @param wasCut the last start did not end by itself; one that did, and lost nothing, is no news.
 */
export const tellKept = async (cut: Cut | null, deps: HoldingsDeps, wasCut: boolean): Promise<readonly string[]> => {
  if (cut === null) return [];
  let after = await readHoldings(deps);
  for (const until = Date.now() + COUNTED_MS; after === null && Date.now() < until; ) {
    await sleep(200);
    after = await readHoldings(deps);
  }
  const nothing: LastSeen = { ...cut.seen, chains: {}, tables: {}, buckets: {}, deployments: 0 };
  const { kept, lost } = compareHoldings(cut.seen, after ?? nothing, cut.savedAt);
  if (lost === null && !wasCut) return [];
  return [`kept: ${kept}`, `lost: ${lost ?? 'nothing'}`];
};

/** Notes each second what the plant holds, until the signal. What fails is tried again: a look is not worth a plant. */
export const noteHoldings = async (deps: HoldingsDeps, signal: AbortSignal, everyMs = 1000): Promise<void> => {
  while (!signal.aborted) {
    try {
      const seen = await readHoldings(deps);
      // The services may be gone already: what is written then would be no more than they said before.
      if (seen !== null && !signal.aborted) writeWhole(join(deps.stateDir, LOCAL_LAST_SEEN_FILE), JSON.stringify(seen));
    } catch {
      // The next second looks again.
    }
    await pause(everyMs, signal).catch(() => {});
  }
};
