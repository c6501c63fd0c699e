import type { Command } from 'commander';
import { type QualityOptions, quality } from '../commands/quality.ts';
import { type Act, type Add, day, instant } from './parts.ts';

/** `millwright quality`: what the checks on the way in found. */
export const addQuality = (program: Command, add: Add, act: Act): void => {
  add(
    program,
    'quality',
    'What the checks of data quality found; what could be relied on of a signal in a time.',
    'millwright quality --open',
    'millwright quality --asset spindle-101 --since 2026-01-01',
    'millwright quality --asset spindle-101 --signal vibration --from 2026-01-03T06:00:00.000Z --to 2026-01-03T14:00:00.000Z',
  )
    .option('--asset <id>', 'only those of one machine')
    .option('--signal <name>', 'only those of signals of this name')
    .option('--open', 'only stretches that go on', false)
    .option(
      '--since <day>',
      'of which something was said since that day, UTC; default: 7 days ago, with --open 90',
      day,
    )
    .option('--from <time>', 'what could be relied on from that time, UTC; with --to, --asset and --signal', instant)
    .option('--to <time>', 'until that time', instant)
    .action(act<[QualityOptions]>((world, out, o) => quality(world, out, o)));
};
