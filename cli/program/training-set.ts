import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseAs } from '#core/contracts/errors.ts';
import { TrainingSetManifest } from '#core/contracts/training-set.ts';
import { type LabelSource, makeTrainingSet, repeatTrainingSet } from '../commands/training-set.ts';
import { CliError, EXIT } from '../errors.ts';
import { type Act, type Add, instant } from './parts.ts';

const readManifest = (text: string, file: string): TrainingSetManifest => {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw new CliError(
      `${file} is no JSON: ${(error as Error).message}`,
      'give the .manifest.json that was written beside the rows',
      EXIT.usage,
    );
  }
  return parseAs(TrainingSetManifest, manifest, file);
};

const MOST_DAYS = 36_500;

const days = (text: string): number => {
  const value = Number(text);
  if (value > 0 && value <= MOST_DAYS) return value;
  throw new InvalidArgumentError(
    `Expected a number of days above 0, at most ${MOST_DAYS}; without it rows of any age.`,
  );
};

interface Options {
  readonly labels?: string;
  readonly fromEvents?: boolean;
  readonly again?: string;
  readonly useCase?: string;
  readonly knownAt?: string;
  readonly maxAgeDays?: number;
  readonly asset?: string;
  readonly withSealed: boolean;
  readonly out: string;
}

/** `millwright training-set`: labels with the features that were known at their time. */
export const addTrainingSet = (program: Command, add: Add, act: Act, readText: (file: string) => string): void => {
  add(
    program,
    'training-set [featureSet]',
    'Labels joined with the features that were known at their time, as a file with a manifest.',
    'millwright training-set spindle-bearing --from-events --out rows.parquet',
    'millwright training-set 3fa9c1d20b7e --labels found.csv --known-at 2026-03-01T00:00:00.000Z --out rows.csv',
    'millwright training-set --again rows.parquet.manifest.json --out rows.parquet',
  )
    .addHelpText(
      'after',
      '\nLabels, a CSV file with a heading (run, as_of and known_time may be left out):\n  asset,run,time,label,as_of,known_time\n  spindle-101,life-01,2026-01-03T08:00:00.000Z,1,,2026-01-09T12:00:00.000Z\n',
    )
    .option('--labels <file>', 'labels of your own')
    .addOption(
      new Option('--from-events', 'label each frame of a run that failed with the life that remained').conflicts(
        'labels',
      ),
    )
    .addOption(
      new Option('--again <manifest>', 'the same rows again').conflicts([
        'fromEvents',
        'knownAt',
        'maxAgeDays',
        'asset',
        'useCase',
        'withSealed',
      ]),
    )
    .option('--use-case <id>', 'whose label, when use cases of the feature set define several')
    .option('--known-at <instant>', 'nothing known later enters; default: the present', instant)
    .option('--max-age-days <n>', 'a row may be so old at the time of its label', days)
    .option('--asset <id>', 'only of one machine')
    .option('--with-sealed', 'keep runs that a use case has sealed for its tests', false)
    .requiredOption('--out <file>', 'where to: .parquet or .csv')
    .action(
      act<[string | undefined, Options]>(async (world, out, featureSet, o) => {
        const text = o.labels === undefined ? null : readText(o.labels);
        if (o.again !== undefined) {
          if (featureSet !== undefined)
            throw new CliError(
              `${o.again} says which feature set: ${featureSet} would not be looked at`,
              'leave the feature set out, or --again',
              EXIT.usage,
            );
          const manifest = readManifest(readText(o.again), o.again);
          return repeatTrainingSet(world, out, { manifest, labels: text, out: o.out });
        }
        if (featureSet === undefined)
          throw new CliError('of which feature set?', 'name one, by id or digest', EXIT.usage);
        if (text === null && o.fromEvents !== true)
          throw new CliError('labels are missing', 'give --labels FILE, or --from-events', EXIT.usage);
        const labels: LabelSource =
          text === null
            ? { from: 'events', useCase: o.useCase ?? null }
            : { from: 'file', text, name: o.labels as string };
        return makeTrainingSet(world, out, {
          featureSet,
          labels,
          knownAt: o.knownAt ?? world.now(),
          maxAgeDays: o.maxAgeDays ?? null,
          asset: o.asset ?? null,
          withSealed: o.withSealed,
          out: o.out,
        });
      }),
    );
};
