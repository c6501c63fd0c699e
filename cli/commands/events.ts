import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { PlantEvent } from '#core/contracts/plant-event.ts';
import { parseEventFile } from '#core/outcomes/event-file.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, type Output, paint, say } from '../output.ts';
import type { World } from '../world.ts';

/**
 * Plant events from the text of a file: CSV when its name says so, else a JSON array or one JSON document a line.
 * @throws {CliError} | {ContractError} by line.
 */
export const parseEvents = (text: string, what: string): readonly PlantEvent[] => {
  if (what.endsWith('.csv')) {
    const { events, bad } = parseEventFile(what, text);
    if (bad[0] === undefined) return events;
    throw new CliError(
      `line ${bad[0].line} of ${what}: ${bad[0].reason}`,
      'mend the file; the heading has the field names of the contract plant-event, nothing was sent',
      EXIT.usage,
    );
  }
  try {
    if (text.trimStart().startsWith('[')) return parseAs(z.array(PlantEvent), JSON.parse(text), what);
    return text
      .split('\n')
      .flatMap((line, i) =>
        line.trim() === '' ? [] : [parseAs(PlantEvent, JSON.parse(line), `line ${i + 1} of ${what}`)],
      );
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(
      `${what} is not JSON: ${error.message}`,
      'give a JSON array, or one JSON document a line',
      EXIT.usage,
    );
  }
};

const Taken = z.looseObject({ superseded: z.int().nonnegative().default(0) });

/**
 * Sends what the plant knows: failures, findings, repairs. Sending the same event again is harmless; one that became known
 * before what is kept under its id changes nothing, and that is said.
 */
export const addEvents = async (world: World, out: Output, events: readonly PlantEvent[]): Promise<void> => {
  if (events.length === 0) throw new CliError('the file has no events', 'give at least one', EXIT.usage);
  let superseded = 0;
  for (let i = 0; i < events.length; i += 100) {
    const taken = await world.invoke(world.names.plantEvents.arn, { events: events.slice(i, i + 100) });
    superseded += parseAs(Taken, taken, 'answer of plant-events').superseded;
  }
  const registered = events.length - superseded;
  answer(out, { registered, superseded, eventIds: events.map((e) => e.eventId) }, () => {
    say(out, `${paint(out, 'green', '✓')} ${registered} plant event${registered === 1 ? '' : 's'} registered`);
    if (superseded > 0)
      say(
        out,
        `  ${superseded} changed nothing: under the same id something stands that became known later (knownTime)`,
      );
  });
};
