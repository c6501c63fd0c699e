import type { Command } from 'commander';
import { approve, releases } from '../commands/releases.ts';
import { parseRings, revertRelease, startRelease } from '../commands/start-release.ts';
import { type Act, type Add, count } from './parts.ts';

/** `millwright releases`: what reaches the devices, and who lets it. */
export const addReleases = (program: Command, add: Add, act: Act): void => {
  const parent = add(
    program,
    'releases',
    'Releases and how far they came; approve or refuse one that waits.',
    'millwright releases',
    'millwright releases approve rel-17 --reason "seen the report"',
  )
    .option('--limit <n>', 'how many', count, 20)
    .action(act<[{ limit: number }]>((world, out, o) => releases(world, out, { limit: o.limit })));
  for (const [verb, approved, says] of [
    ['approve', true, 'Let a waiting release go on; not your own.'],
    ['refuse', false, 'End a waiting release; the champion stays.'],
  ] as const)
    add(parent, `${verb} <releaseId>`, says, `millwright releases ${verb} rel-17 --reason "seen the report"`)
      .requiredOption('--reason <text>', 'why, for the audit trail')
      .action(
        act<[string, { reason: string }]>((world, out, releaseId, o) =>
          approve(world, out, { releaseId, approved, reason: o.reason }),
        ),
      );
  add(
    parent,
    'start [modelLine]',
    'Release a package again, to some rings, or one that no retrain judged.',
    'millwright releases start --package 3fa9c1d20b7e --rings 0 --reason "try on the bench"',
    'millwright releases start --package 3fa9c1d20b7e --force --reason "from the vendor, accepted by hand"',
  )
    .requiredOption('--package <digest>', 'digest or its first digits')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--rings <list>', 'only these, for example 1,2')
    .option('--force', 'although no retrain judged it; the record names you', false)
    .action(
      act<[string | undefined, { package: string; reason: string; rings?: string; force: boolean }]>(
        (world, out, modelLine, o) =>
          startRelease(world, out, {
            package: o.package,
            reason: o.reason,
            force: o.force,
            ...(modelLine === undefined ? {} : { modelLine }),
            ...(o.rings === undefined ? {} : { rings: parseRings(o.rings) }),
          }),
      ),
    );
  add(
    parent,
    'revert <modelLine>',
    'Go back to a package that served before.',
    'millwright releases revert predictive-maintenance/plant-a --to previous --reason "too many false alarms"',
  )
    .requiredOption('--to <package>', '"previous", or a digest or its first digits')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .action(
      act<[string, { to: string; reason: string }]>((world, out, modelLine, o) =>
        revertRelease(world, out, { modelLine, to: o.to, reason: o.reason }),
      ),
    );
};
