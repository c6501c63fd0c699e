import type { EventDetail } from '#core/contracts/events.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { parseEventFile } from '#core/outcomes/event-file.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { parseObjectCreated } from '../shared/object-created.ts';
import { type ObjectStore, sha256 } from '../shared/object-store.ts';

interface Deps {
  readonly lake: ObjectStore;
  readonly ledger: Ledger;
}

const EVENTS_AT_A_TIME = 500;

/**
 * Takes the events of a file that was dropped below `inbox/events/`: rows that are events are taken, the others are put
 * aside with line and reason. What was taken and refused is registered; the file itself stays as it is.
 */
export const takeFile = async (
  deps: Deps,
  body: unknown,
  take: (events: readonly PlantEvent[]) => Promise<unknown>,
): Promise<void> => {
  const { key, versionId } = parseObjectCreated(body);
  const bytes = await deps.lake.get(key, versionId);
  const digest = sha256(bytes);
  const { events, bad } = parseEventFile(key, Buffer.from(bytes).toString('utf8'));
  for (let i = 0; i < events.length; i += EVENTS_AT_A_TIME) await take(events.slice(i, i + EVENTS_AT_A_TIME));
  if (bad.length > 0)
    await deps.lake.put(
      lakeKeys.quarantine(key, versionId),
      Buffer.from(bad.map((b) => `${JSON.stringify(b)}\n`).join('')),
      'application/x-ndjson',
    );
  const site = events[0]?.site ?? 'unknown';
  const first = bad[0];
  const quarantined: EventDetail<'Quarantined'> | null =
    first === undefined
      ? null
      : { site, key, reason: `line ${first.line}: ${first.reason}`.slice(0, 400), records: bad.length };
  await deps.ledger.write([
    {
      schema: 'ledger-command/1',
      // Counts, too: after a fix of what is checked the same bytes are registered anew.
      commandId: commandIdOf('event-file', key, digest, events.length, bad.length),
      site,
      actor: 'lambda:plant-events',
      reason: 'a file of plant events was dropped',
      record: {
        class: 'event-file',
        id: key,
        body: {
          schema: 'event-file/1',
          key,
          versionId,
          digest,
          events: events.length,
          quarantined: bad.length,
        },
      },
      ...(quarantined === null ? {} : { announce: { type: 'Quarantined', detail: quarantined } }),
    },
  ]);
};
