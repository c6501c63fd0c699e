import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { PlantEvent } from '#core/contracts/plant-event.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { type Ledger, type LedgerCommandInput, writeAll } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly ledger: Ledger;
}

const Request = z.strictObject({ events: z.array(PlantEvent).min(1).max(500) });

/**
 * Takes plant events: each is kept in the lake and registered; a failure is announced as an outcome. The same event
 * again is harmless; the same id with other content is a new version, so a correction keeps what was said before.
 */
export const makeHandler =
  (deps: Deps) =>
  async (request: unknown): Promise<{ registered: number }> => {
    const { events } = parseAs(Request, request, 'plant events');
    for (let i = 0; i < events.length; i += 32)
      await Promise.all(
        events
          .slice(i, i + 32)
          .map((e) =>
            deps.lake.put(lakeKeys.event(e.site, e.eventId), Buffer.from(canonicalJson(e)), 'application/json'),
          ),
      );
    await writeAll(
      deps.ledger,
      events.map(
        (e): LedgerCommandInput => ({
          schema: 'ledger-command/1',
          commandId: commandIdOf('event', e.site, e.eventId, digestOf(e)),
          site: e.site,
          actor: e.reportedBy,
          reason: `${e.kind} reported`,
          record: { class: 'plant-event', id: `${e.site}/${e.eventId}`, body: { ...e } },
          ...(e.kind === 'failure' && e.index !== null
            ? {
                announce: {
                  type: 'OutcomeKnown',
                  detail: { ...e },
                },
              }
            : {}),
        }),
      ),
    );
    return { registered: events.length };
  };
