import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { parseEventFile } from '#core/outcomes/event-file.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, many, type Output, paint, say } from '../output.ts';
import type { World } from '../world.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** What a format calls a row, for `parseEventFile` and for people: the name says what is CSV, the text what is an array. */
const formatOf = (text: string, what: string): { readonly name: string; readonly row: string } =>
  what.endsWith('.csv')
    ? { name: what, row: 'line' }
    : text.trimStart().startsWith('[')
      ? { name: 'array.json', row: 'event' }
      : { name: 'lines.jsonl', row: 'line' };

/**
 * Plant events from the text of a file: CSV when its name says so, else a JSON array or one JSON document a line. The
 * same reading as of a file that is dropped in the lake, but whole or not at all: who typed it can mend it.
 * @throws {CliError} naming the first row that is none.
 */
export const parseEvents = (text: string, what: string): readonly PlantEvent[] => {
  const { name, row } = formatOf(text, what);
  const { events, bad } = parseEventFile(name, text);
  const [first, ...more] = bad;
  if (first === undefined) return events;
  const rest = more.length === 0 ? '' : `; ${more.length} more ${more.length === 1 ? 'is' : 'are'} wrong`;
  if (name.endsWith('.csv') || isJson(row === 'line' ? (text.split('\n')[first.line - 1] ?? '') : text))
    throw new CliError(
      `${row} ${first.line} of ${what}: ${first.reason}${rest}`,
      'nothing was sent; mend the file: docs/contracts/plant-event.schema.json has the fields, in CSV they are the heading',
      EXIT.usage,
    );
  throw new CliError(
    `${row === 'line' ? `line ${first.line} of ` : ''}${what} is not JSON: ${first.reason.replace('not JSON: ', '')}${rest}`,
    'nothing was sent; give a JSON array, one JSON document a line, or CSV in a file named .csv',
    EXIT.usage,
  );
};

const Taken = z.looseObject({ superseded: z.int().nonnegative().default(0) });

/**
 * Sends what the plant knows: failures, findings, repairs. Sending the same event again is harmless; one that became known
 * before what is kept under its id changes nothing, and that is said.
 */
export const addEvents = async (world: World, out: Output, events: readonly PlantEvent[]): Promise<void> => {
  if (events.length === 0) throw new CliError('the file has no events', 'give at least one', EXIT.usage);
  const sites = world.config.sites.map((s) => s.id);
  const stray = events.find((e) => !sites.includes(e.site));
  if (stray !== undefined)
    throw new CliError(
      `event ${stray.eventId} is of site "${stray.site}", which stage ${world.config.stage} does not have`,
      `nothing was sent; its sites are: ${sites.join(', ')}`,
      EXIT.usage,
    );
  let superseded = 0;
  for (let i = 0; i < events.length; i += 100) {
    const taken = await world.invoke(world.names.plantEvents.arn, { events: events.slice(i, i + 100) });
    superseded += parseAs(Taken, taken, 'answer of plant-events').superseded;
  }
  const registered = events.length - superseded;
  answer(out, { registered, superseded, eventIds: events.map((e) => e.eventId) }, () => {
    say(out, `${paint(out, 'green', '✓')} ${many(registered, 'plant event')} registered`);
    if (superseded > 0)
      say(
        out,
        `  ${superseded} changed nothing: under the same id something stands that became known later (knownTime)`,
      );
  });
};
