import { parseAs } from '#core/contracts/errors.ts';
import {
  QuarantineClass,
  type QuarantineEntry,
  QuarantineList,
  type QuarantineRequest,
  QuarantineShown,
  ReplayAnswer,
} from '#core/contracts/quarantine.ts';
import { CliError, EXIT } from '../errors.ts';
import { ago, answer, facts, type Output, paint, say, table } from '../output.ts';
import type { World } from '../world.ts';

const ask = (world: World, request: QuarantineRequest): Promise<unknown> =>
  world.invoke(world.names.quarantine.arn, request);

interface ClassRow {
  readonly class: QuarantineClass;
  readonly records: number;
  readonly objects: number;
  readonly first: string;
  readonly last: string;
}

/** How much of each class, and from when to when. */
const byClass = (entries: readonly QuarantineEntry[]): ClassRow[] =>
  QuarantineClass.options
    .map((c) => {
      const of = entries.filter((e) => (e.classes[c] ?? 0) > 0);
      const times = of.map((e) => e.at).sort();
      return {
        class: c,
        records: of.reduce((sum, e) => sum + (e.classes[c] ?? 0), 0),
        objects: of.length,
        first: times[0] ?? '',
        last: times.at(-1) ?? '',
      };
    })
    .filter((row) => row.records > 0);

const stateOf = ({ replay }: QuarantineEntry): string =>
  replay === null
    ? 'not replayed'
    : replay.handedOn
      ? 'given back to its way in'
      : replay.bad === 0
        ? 'all good now'
        : `${replay.bad} still bad`;

/** What was put aside, by class and object, newest first. */
export const quarantine = async (world: World, out: Output, o: { limit: number; all: boolean }): Promise<void> => {
  const request: QuarantineRequest = { do: 'list', site: o.all ? null : world.site, limit: o.limit };
  const list = parseAs(QuarantineList, await ask(world, request), 'answer of quarantine');
  const classes = byClass(list.entries);
  answer(out, { classes, ...list }, () => {
    table(
      out,
      classes,
      [
        { title: 'class', of: (r) => r.class },
        { title: 'records', of: (r) => String(r.records), align: 'right' },
        { title: 'objects', of: (r) => String(r.objects), align: 'right' },
        { title: 'first', of: (r) => ago(r.first, world.now()) },
        { title: 'last', of: (r) => ago(r.last, world.now()) },
      ],
      `Nothing is in quarantine${o.all ? '' : ` of ${world.site}; with --all also what names no site`}.`,
    );
    for (const entry of list.entries) {
      say(out);
      say(out, entry.key);
      say(
        out,
        paint(out, 'dim', `  ${entry.records} of ${entry.from}, ${ago(entry.at, world.now())}, ${stateOf(entry)}`),
      );
    }
    if (list.more) say(out, `There are older ones: raise --limit (${o.limit}).`);
  });
};

/** One object of quarantine with its lines. */
export const showQuarantine = async (world: World, out: Output, o: { key: string; limit: number }): Promise<void> => {
  if (!o.key.startsWith('quarantine/'))
    throw new CliError(`"${o.key}" is no key of quarantine`, 'take one from "millwright quarantine"', EXIT.usage);
  const request: QuarantineRequest = { do: 'show', key: o.key, limit: o.limit };
  const shown = parseAs(QuarantineShown, await ask(world, request), 'answer of quarantine');
  answer(out, shown, () => {
    facts(out, [
      ['key', shown.entry.key],
      ['from', shown.entry.from],
      ['records', String(shown.entry.records)],
      ['replay', stateOf(shown.entry)],
    ]);
    for (const line of shown.lines) {
      say(out);
      facts(out, [
        [line.class, line.reason],
        ['place', line.place],
        ['text', line.text === '' ? '–' : line.text],
      ]);
    }
  });
};

export interface ReplayOptions {
  readonly keys: readonly string[];
  readonly class?: QuarantineClass;
  readonly all: boolean;
  readonly dryRun: boolean;
  /** For the audit trail. */
  readonly reason: string;
}

const whatOf = (o: ReplayOptions): Extract<QuarantineRequest, { do: 'replay' }>['what'] => {
  const said = [o.keys.length > 0, o.class !== undefined, o.all].filter(Boolean).length;
  const usage = 'give keys of "millwright quarantine", or --class with one of its classes, or --all';
  if (said !== 1)
    throw new CliError(
      said === 0 ? 'what shall be replayed?' : 'keys, --class and --all exclude each other',
      usage,
      EXIT.usage,
    );
  if (o.all) return { all: true };
  if (o.class !== undefined) return { class: o.class };
  const stray = o.keys.find((k) => !k.startsWith('quarantine/'));
  if (stray !== undefined) throw new CliError(`"${stray}" is no key of quarantine`, usage, EXIT.usage);
  if (o.keys.length > 100) throw new CliError('more than 100 keys at once', 'use --class or --all', EXIT.usage);
  return { keys: [...o.keys] };
};

/** Gives what was put aside to its check again, until all of it was looked at. */
export const replayQuarantine = async (world: World, out: Output, o: ReplayOptions): Promise<void> => {
  const what = whatOf(o);
  const by = await world.actor();
  const replays: ReplayAnswer['replays'] = [];
  for (;;) {
    const request: QuarantineRequest = { do: 'replay', what, dryRun: o.dryRun, by, reason: o.reason };
    const got = parseAs(ReplayAnswer, await ask(world, request), 'answer of quarantine');
    const seen = new Set(replays.map((r) => r.key));
    const fresh = got.replays.filter((r) => !seen.has(r.key));
    replays.push(...fresh);
    // What stays bad is chosen again: a call that brings nothing else is the last.
    if (!got.more || fresh.length === 0 || o.dryRun) break;
  }
  const sum = (of: (r: ReplayAnswer['replays'][number]['result']) => number): number =>
    replays.reduce((total, r) => total + of(r.result), 0);
  const [landed, known, bad] = [sum((r) => r.landed), sum((r) => r.known), sum((r) => r.bad)];
  answer(out, { dryRun: o.dryRun, landed, known, bad, replays }, () => {
    if (replays.length === 0) return say(out, 'Nothing to replay: see "millwright quarantine".');
    const verb = o.dryRun ? 'would be good now' : 'stored';
    say(
      out,
      `${paint(out, landed > 0 ? 'green' : 'dim', `${landed} ${verb}`)}, ${known} stored before, ${bad} still bad`,
    );
    const handedOn = replays.filter((r) => r.result.handedOn).length;
    if (handedOn > 0) say(out, `${handedOn} uploads are looked at again by their own way in; see them in a minute.`);
    for (const { key, stillBad } of replays.filter((r) => r.stillBad.length > 0)) {
      say(out);
      say(out, key);
      for (const reason of stillBad) facts(out, [['', reason]]);
    }
  });
};
