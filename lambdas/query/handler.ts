import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { RecordClass } from '#core/contracts/ledger.ts';
import { walkLineage } from '#core/lineage/graph.ts';
import type { RegistryReader } from '#core/ports/registry.ts';

export interface Deps {
  readonly registry: RegistryReader;
}

const LISTS: Readonly<Record<string, RecordClass>> = {
  '/models': 'model-line',
  '/releases': 'release',
  '/retrains': 'retrain',
};

const answer = (statusCode: number, body: unknown): APIGatewayProxyStructuredResultV2 => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});

/**
 * GET /models, /releases, /retrains: newest records of the class, `?limit=` at most 200.
 * GET /lineage?node=<class>:<id>&direction=back|forward: the walk of core/lineage/graph.
 */
export const makeHandler =
  (deps: Deps) =>
  async (
    event: Pick<APIGatewayProxyEventV2, 'rawPath' | 'queryStringParameters'>,
  ): Promise<APIGatewayProxyStructuredResultV2> => {
    const query = event.queryStringParameters ?? {};
    const recordClass = LISTS[event.rawPath];
    if (recordClass !== undefined) {
      const limit = Number(query['limit'] ?? 50);
      if (!Number.isInteger(limit) || limit < 1 || limit > 200)
        return answer(400, { error: `limit: expected a whole number from 1 to 200, got "${query['limit']}"` });
      return answer(200, { records: await deps.registry.list(recordClass, { limit }) });
    }
    if (event.rawPath === '/lineage') {
      const { node, direction = 'back' } = query;
      if (node === undefined || !/^[a-z-]+:.+$/.test(node))
        return answer(400, { error: `node: expected <class>:<id>, for example package:sha256:…, got "${node ?? ''}"` });
      if (direction !== 'back' && direction !== 'forward')
        return answer(400, { error: `direction: expected back or forward, got "${direction}"` });
      return answer(200, await walkLineage(deps.registry, node, direction, { maxNodes: 2000 }));
    }
    return answer(404, { error: `no such path; try ${[...Object.keys(LISTS), '/lineage'].join(', ')}` });
  };
