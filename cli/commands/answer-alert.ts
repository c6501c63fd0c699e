import { answerEvent, answerEventId, FOUND_WITH } from '#core/alerts/answer.ts';
import { type AlertChange, AlertRefusal, changeAlert, type Truth } from '#core/alerts/change.ts';
import { shelveUntil } from '#core/alerts/shelve-time.ts';
import { parseAs } from '#core/contracts/errors.ts';
import type { AlertRecord } from '#core/contracts/judgement.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { type AsFound, leftAtMostOf, PlantEvent } from '#core/contracts/plant-event.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { CliError, EXIT } from '../errors.ts';
import { type FoundAlert, findAlert, readAlert, shortId } from '../find-alert.ts';
import { answer, type Output, paint, say } from '../output.ts';
import type { World } from '../world.ts';

const SAYS = { acknowledge: 'acknowledged', shelve: 'shelved', close: 'closed' } as const;

/** Writes the next version of an alert. @throws {CliError} when its state forbids it, or someone was faster. */
const write = async (
  world: World,
  { alert, version }: FoundAlert,
  change: AlertChange,
  note: string,
): Promise<AlertRecord> => {
  const by = await world.actor();
  let next: AlertRecord;
  try {
    next = changeAlert(alert, change, { by, note, now: world.now() });
  } catch (error) {
    if (!(error instanceof AlertRefusal)) throw error;
    const id = shortId(alert);
    throw new CliError(
      error.message,
      alert.truth === null
        ? `when it is known, say what it was: millwright alerts true|false|repaired ${id}`
        : `see "millwright alerts show ${id}"; what was said in error is mended by "millwright events add"`,
    );
  }
  try {
    await world.write([
      {
        schema: 'ledger-command/1',
        commandId: commandIdOf('alert-changed', alert.alertId, version, digestOf(next)),
        site: alert.site,
        actor: by,
        reason: note === '' ? `alert ${SAYS[change.kind]}` : note,
        record: { class: 'alert', id: alert.alertId, body: { ...next } },
        expectVersion: version,
      },
    ]);
  } catch (error) {
    if ((error as Error).name !== 'VersionConflict') throw error;
    throw new CliError(
      `someone changed alert ${alert.alertId} in between; nothing was written`,
      `look at it: "millwright alerts show ${shortId(alert)}", then decide anew`,
    );
  }
  return next;
};

const told = (out: Output, alert: AlertRecord, text: string): void =>
  answer(out, alert, () => say(out, `${paint(out, 'green', '✓')} ${shortId(alert)} ${text}`));

/** Somebody has seen it. */
export const acknowledgeAlert = async (world: World, out: Output, o: { id: string; note: string }): Promise<void> => {
  const next = await write(world, await findAlert(world, o.id), { kind: 'acknowledge' }, o.note);
  told(out, next, `acknowledged by ${next.by}`);
};

/** Puts it aside for a time; it returns by itself. @throws {CliError} when the time is none. */
export const shelveAlert = async (
  world: World,
  out: Output,
  o: { id: string; time: string; note: string },
): Promise<void> => {
  let until: string;
  try {
    until = shelveUntil(o.time, world.now());
  } catch (error) {
    throw new CliError((error as Error).message, 'for example: --for 8h', EXIT.usage);
  }
  const next = await write(world, await findAlert(world, o.id), { kind: 'shelve', until }, o.note);
  told(out, next, `shelved by ${next.by}; it returns at ${until}`);
};

/** Newest frame of the run that a device decided about, by the objects that the registry has; the alert's own at least. */
const lastFrame = async (world: World, { site, asset, run, index }: AlertRecord): Promise<number> => {
  const edges = await world.registry.edges(nodeRef('run', `${site}/${asset}/${run}`), 'in');
  const ids = edges.filter((e) => e.from.startsWith('decision-object:')).map((e) => e.from.slice(16));
  const records = await Promise.all(ids.map((id) => world.registry.latest('decision-object', id)));
  const runs = records.flatMap(
    (r) => (r?.body['runs'] ?? []) as readonly { asset: string; run: string; last: number }[],
  );
  return Math.max(index, ...runs.filter((r) => r.asset === asset && r.run === run).map((r) => r.last));
};

/** What was sent of the alert last; null when nothing was. */
const saidBefore = async (world: World, alert: AlertRecord): Promise<PlantEvent | null> => {
  const id = `${alert.site}/${answerEventId(alert)}`;
  const record = await world.registry.latest('plant-event', id);
  return record === null ? null : parseAs(PlantEvent, record.body, `registry record plant-event ${id}`);
};

export interface AnswerOptions {
  readonly id: string;
  readonly truth: Truth;
  readonly asFound?: AsFound;
  readonly note: string;
  readonly leftAtMost?: number;
}

/**
 * What it turned out to be: closes the alert and sends the finding or repair by which the model is judged. The same
 * answer again sends the same event again, for the first time may have ended between the two. Another finding, or a repair of a
 * run whose last frames came since, became known only when it was said: the newest content of an event is what stands.
 * @throws {CliError} when the alert has another answer, or what was found contradicts the answer.
 */
export const answerAlert = async (world: World, out: Output, o: AnswerOptions): Promise<void> => {
  const fits = FOUND_WITH[o.truth];
  const asFound = o.asFound ?? (fits[0] as AsFound);
  if (!fits.includes(asFound))
    throw new CliError(
      `an alert that was "${o.truth}" was not found "${asFound}"`,
      `give --as-found ${fits.join(' or ')}, or another answer`,
      EXIT.usage,
    );
  if (o.leftAtMost !== undefined && asFound !== 'damaged')
    throw new CliError(
      `what was found "${asFound}" has no life left to be said`,
      'give --left-at-most with --as-found damaged only',
      EXIT.usage,
    );
  const before = await findAlert(world, o.id);
  if (before.alert.truth !== o.truth) await write(world, before, { kind: 'close', truth: o.truth }, o.note);
  const closed = (await readAlert(world, before.alert.alertId)) ?? before;
  const [said, index] = await Promise.all([saidBefore(world, closed.alert), lastFrame(world, closed.alert)]);
  const actor = await world.actor();
  const grew = o.truth === 'repaired' && index > (said?.index ?? index);
  const anew = (at: string) =>
    answerEvent(closed.alert, {
      truth: o.truth,
      asFound,
      index: said === null || grew ? index : (said.index ?? index),
      by: closed.alert.by ?? actor,
      at,
      note: closed.alert.note,
      leftAtMost: o.leftAtMost,
    });
  const event =
    said === null
      ? anew(closed.at)
      : said.asFound === asFound && leftAtMostOf(said) === (o.leftAtMost ?? null) && !grew
        ? said
        : { ...anew(world.now()), validTime: said.validTime };
  try {
    await world.invoke(world.names.plantEvents.arn, { events: [event] });
  } catch (error) {
    throw new CliError(
      `alert ${shortId(closed.alert)} is closed, but its ${event.kind} was not sent: ${(error as Error).message}`,
      'run the same command again: it sends what is missing',
    );
  }
  answer(out, { alert: closed.alert, event }, () => {
    say(out, `${paint(out, 'green', '✓')} ${shortId(closed.alert)} closed: ${o.truth}, as found ${asFound}`);
    say(out, `  the ${event.kind} ${event.eventId} goes to the judgement of ${closed.alert.modelLine}`);
    if (asFound === 'unknown')
      say(out, '  without --as-found nobody can say whether the model was right: run it again when you know');
  });
};

/** A message to the owner of the model that raised the alert. @throws {CliError} when it is empty or too long. */
export const tellOwner = async (world: World, out: Output, o: { id: string; text: string }): Promise<void> => {
  const text = o.text.trim();
  if (text === '' || text.length > 1000)
    throw new CliError(
      `the message has ${text.length} characters; expected 1 to 1000`,
      'say it in one paragraph',
      EXIT.usage,
    );
  const { alert } = await findAlert(world, o.id);
  const from = await world.actor();
  const message = { site: alert.site, modelLine: alert.modelLine, about: alert.alertId, from, text };
  await world.announce('OwnerMessage', message);
  answer(out, message, () =>
    say(out, `${paint(out, 'green', '✓')} the owner of ${alert.modelLine} is told, about ${shortId(alert)}`),
  );
};
