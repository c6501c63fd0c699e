import { type Command, Option } from 'commander';
import { FOUND_WITH } from '#core/alerts/answer.ts';
import type { AsFound } from '#core/contracts/plant-event.ts';
import { alerts, showAlert } from '../commands/alerts.ts';
import { acknowledgeAlert, answerAlert, shelveAlert, tellOwner } from '../commands/answer-alert.ts';
import { type Act, type Add, count } from './parts.ts';

const ANSWERS = [
  ['true', 'It was true: the machine was failing.'],
  ['false', 'It was not: the machine was found healthy.'],
  ['repaired', 'We repaired it before it failed, or after.'],
] as const;

/** `millwright alerts`: what operators do with alerts. */
export const addAlerts = (program: Command, add: Add, act: Act): void => {
  const parent = add(
    program,
    'alerts',
    'What waits for an operator; see one, answer it.',
    'millwright alerts',
    'millwright alerts show spindle-101/live-01',
    'millwright alerts true spindle-101/live-01 --note "inner race broken"',
  )
    .option('--all', 'shelved and closed ones too', false)
    .option('--asset <id>', 'only those of one asset')
    .action(
      act<[{ all: boolean; asset?: string }]>((world, out, o) =>
        alerts(world, out, { all: o.all, ...(o.asset === undefined ? {} : { asset: o.asset }) }),
      ),
    );
  add(
    parent,
    'show <id>',
    'One alert: what the model saw, similar cases before, what to do.',
    'millwright alerts show spindle-101/live-01',
  ).action(act<[string, object]>((world, out, id) => showAlert(world, out, id)));
  add(parent, 'ack <id>', 'You have seen it.', 'millwright alerts ack spindle-101/live-01 --note "on my way"')
    .option('--note <text>', 'for the next shift and the audit trail', '')
    .action(act<[string, { note: string }]>((world, out, id, o) => acknowledgeAlert(world, out, { id, note: o.note })));
  add(parent, 'shelve <id>', 'Put it aside for a time; it returns.', 'millwright alerts shelve spindle-101 --for 8h')
    .requiredOption('--for <time>', 'how long: 30m, 8h, 2d; 7d at most')
    .option('--note <text>', 'why', '')
    .action(
      act<[string, { for: string; note: string }]>((world, out, id, o) =>
        shelveAlert(world, out, { id, time: o.for, note: o.note }),
      ),
    );
  for (const [truth, says] of ANSWERS) {
    const command = add(
      parent,
      `${truth} <id>`,
      says,
      `millwright alerts ${truth} spindle-101/live-01 --note "what was seen"`,
    )
      .addOption(
        new Option('--as-found <state>', 'what was seen when the machine was opened').choices(FOUND_WITH[truth]),
      )
      .option('--note <text>', 'for whoever has a similar case', '');
    if (truth !== 'false')
      command.option('--left-at-most <life>', 'of a damaged machine: what it would have lived on, at most', count);
    command.action(
      act<[string, { asFound?: AsFound; note: string; leftAtMost?: number }]>((world, out, id, o) =>
        answerAlert(world, out, {
          id,
          truth,
          note: o.note,
          ...(o.asFound ? { asFound: o.asFound } : {}),
          ...(o.leftAtMost === undefined ? {} : { leftAtMost: o.leftAtMost }),
        }),
      ),
    );
  }
  add(
    parent,
    'tell <id> <text>',
    "A message to the model's owner.",
    'millwright alerts tell spindle-101/live-01 "third false alarm after the change of tools"',
  ).action(act<[string, string, object]>((world, out, id, text) => tellOwner(world, out, { id, text })));
};
