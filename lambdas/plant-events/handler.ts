import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { PlantEvent, ReportedEvent } from '#core/contracts/plant-event.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { isNewerContent } from '#core/outcomes/standing.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, batchFailures } from '../shared/batch.ts';
import { type Ledger, type LedgerCommandInput, writeAll } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { untilUndisturbed } from '../shared/undisturbed.ts';
import { takeFile } from './take-file.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly ledger: Ledger;
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly log: BatchLog;
}

const Request = z.strictObject({ events: z.array(ReportedEvent).min(1).max(500) });
const Files = z.looseObject({ Records: z.array(z.looseObject({ messageId: z.string(), body: z.string() })) });

/** What tells how a unit turned out; the rest says what changed on a machine. */
const OUTCOMES: readonly PlantEvent['kind'][] = ['failure', 'finding', 'repair', 'inspection'];
const eventOf = (e: PlantEvent): 'OutcomeKnown' | 'MachineChanged' =>
  OUTCOMES.includes(e.kind) ? 'OutcomeKnown' : 'MachineChanged';

export interface Taken {
  readonly registered: number;
  /** Contents of an id that is known with a newer one already: they came late and change nothing. */
  readonly superseded: number;
}

/**
 * Keeps, registers and announces plant events: those that tell an outcome, and those that say what changed. The same event again is harmless. The same
 * id with other content is a new version, so that a correction keeps what was said before; of two contents the one known
 * last stays the newest, whichever comes first.
 */
export const takeEvents = (deps: Omit<Deps, 'log'>, events: readonly PlantEvent[]): Promise<Taken> =>
  untilUndisturbed('registering plant events', async () => {
    const ids = [...Map.groupBy(events, (e) => `${e.site}/${e.eventId}`)];
    const versions = await inParallel(ids, async ([id, contents]) => {
      const stored = await deps.registry.latest('plant-event', id);
      const newest = stored === null ? null : parseAs(PlantEvent, stored.body, `plant event ${id}`);
      const late = (e: PlantEvent): boolean => newest !== null && isNewerContent(newest, e);
      const inOrder = [...new Map(contents.map((e) => [canonicalJson(e), e])).values()]
        .filter((e) => !late(e))
        .sort((a, b) => (isNewerContent(a, b) ? 1 : -1));
      return inOrder.map((event, i) => ({ event, expectVersion: (stored?.version ?? 0) + i, newest }));
    });
    const accepted = versions.flat();
    await inParallel(accepted, ({ event: e }) =>
      deps.lake.put(lakeKeys.event(e.site, e.eventId), Buffer.from(canonicalJson(e)), 'application/json'),
    );
    try {
      await writeAll(
        deps.ledger,
        accepted.map(
          ({ event: e, expectVersion, newest }): LedgerCommandInput => ({
            schema: 'ledger-command/1',
            commandId: commandIdOf('event', e.site, e.eventId, digestOf(e)),
            site: e.site,
            actor: e.reportedBy,
            reason: `${e.kind} reported`,
            record: { class: 'plant-event', id: `${e.site}/${e.eventId}`, body: { ...e } },
            ...(newest !== null && canonicalJson(newest) === canonicalJson(e) ? {} : { expectVersion }),
            announce: { type: eventOf(e), detail: { ...e } },
          }),
        ),
      );
    } catch (error) {
      if ((error as Error).name === 'VersionConflict') return null;
      throw error;
    }
    return { registered: accepted.length, superseded: events.length - accepted.length };
  });

/**
 * Takes what the plant knows: events that a caller sends, or files of events that were dropped in the lake.
 * @throws {ContractError} when one of the events that a caller sends breaks its contract; none of them is kept.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<Taken | SQSBatchResponse> => {
    const files = Files.safeParse(event);
    if (!files.success) return takeEvents(deps, parseAs(Request, event, 'plant events').events);
    const failures = batchFailures(deps.log);
    for (const { messageId, body } of (event as SQSEvent).Records)
      try {
        await takeFile(deps, JSON.parse(body), (events) => takeEvents(deps, events));
      } catch (error) {
        failures.add(messageId, error);
      }
    return failures.answer();
  };
