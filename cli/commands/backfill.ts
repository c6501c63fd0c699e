import { BackfillRecord } from '#core/contracts/feature-store.ts';
import { backfillKeys, storeKeys } from '#core/contracts/lake.ts';
import { planBackfill } from '#core/feature-sets/backfill.ts';
import { backfillObjects } from '#core/feature-sets/backfill-objects.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, facts, type Output, paint, say, sentence, short } from '../output.ts';
import { endedRecord } from '../wait.ts';
import type { World } from '../world.ts';
import { findFeatureSet } from './feature-sets.ts';

export interface BackfillOptions {
  readonly name: string;
  /** First and last day of rows, UTC. */
  readonly from: string;
  readonly to: string;
  readonly asset?: string;
  readonly reason: string;
  readonly wait: boolean;
  readonly timeoutSeconds: number;
  readonly dryRun: boolean;
}

/** Waits for the end of a backfill, telling how many of its parts are done. @throws {CliError} when it takes longer than allowed. */
const waitForBackfill = async (
  world: World,
  id: string,
  timeoutSeconds: number,
  onProgress: (done: number, parts: number) => void,
): Promise<BackfillRecord> => {
  let told = -1;
  const of = { class: 'backfill', id, schema: BackfillRecord } as const;
  const ended = await endedRecord(world, of, timeoutSeconds, async ({ parts }) => {
    const done = (await world.lake.list(backfillKeys.parts(id))).length;
    if (done !== told) onProgress(done, parts);
    told = done;
  });
  if (ended !== null) return ended;
  throw new CliError(
    `backfill ${id} did not end within ${timeoutSeconds} s${told < 0 ? ' and never began' : ''}`,
    `it goes on: see "millwright lineage backfill:${id}"${told < 0 ? '; if it never begins, look at the rule on the bus' : ''}`,
  );
};

const rowsText = ({ rows, written, unchanged }: BackfillRecord): string =>
  `${rows.toLocaleString('en')} rows: ${written} objects written, ${unchanged} were there with the same bytes`;

/** Asks for rows of a feature set for frames that are there already; with `wait` tells how it ended. */
export const backfill = async (world: World, out: Output, options: BackfillOptions): Promise<void> => {
  const { from, to } = options;
  if (from > to) throw new CliError(`--from ${from} is after --to ${to}`, 'turn them round', EXIT.usage);
  const { digest, record: set } = await findFeatureSet(world, options.name);
  const { id } = set.featureSet;
  if (set.retired !== null)
    throw new CliError(
      `feature set ${id} was retired by ${set.retired.by}: ${set.retired.reason}`,
      'name another one: see "millwright feature-sets"',
    );
  const backfillId = world.newId('backfill');
  const request = { backfillId, featureSetDigest: digest, site: world.site, from, to, asset: options.asset ?? null };
  if (options.dryRun) {
    const objects = await backfillObjects(world, request);
    const { items, objects: count, frames, runs } = planBackfill(request, set.signals, objects);
    const there = (await world.lake.list(storeKeys.prefix(digest))).length;
    const document = {
      featureSetDigest: digest,
      from,
      to,
      parts: items.length,
      objects: count,
      frames,
      runs,
      stored: there,
    };
    return answer(out, document, () => {
      say(out, `${paint(out, 'bold', id)}  ${short(digest)}  ${from} … ${to}: nothing was started`);
      facts(out, [
        ['would read', `${count} raw objects with ${frames.toLocaleString('en')} frames of ${runs.length} runs`],
        ['in', `${items.length} parts`],
        ['the store has', `${there} objects of it, of all days`],
      ]);
    });
  }
  await world.announce('BackfillRequested', {
    ...request,
    requestedBy: await world.actor(),
    reason: options.reason,
  });
  if (!options.wait)
    return answer(out, { backfillId, featureSetDigest: digest }, () =>
      say(out, `Asked for rows of ${id} (${short(digest)}): ${paint(out, 'bold', backfillId)}`),
    );
  const record = await waitForBackfill(world, backfillId, options.timeoutSeconds, (done, parts) => {
    if (!out.json) say(out, `  ${done} of ${parts} parts`);
  });
  answer(out, record, () => {
    const mark = record.status === 'done' ? paint(out, 'green', '✓') : paint(out, 'red', '✗');
    say(out, `${mark} ${record.status}  ${rowsText(record)}`);
    for (const { key, reason } of record.failed) sentence(out, `${key}: ${reason}`, '  ');
  });
  if (record.status !== 'done')
    throw new CliError(
      `backfill ${backfillId} ${record.status === 'refused' ? 'was refused' : 'failed'}: ${record.detail}`,
      record.failures > 0
        ? 'upload these objects again, then run the same backfill: what is written stays as it is'
        : 'mend the cause, then run the same backfill: what is written stays as it is',
    );
};
