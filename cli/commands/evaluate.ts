import type { FeatureRow } from '#core/contracts/feature-set.ts';
import type { LiveRun, PlantSource, UseCaseDefinition } from '#core/contracts/source.ts';
import type { Hyperparameters, UseCase } from '#core/contracts/use-case.ts';
import { materialiseRun } from '#core/features/engine/rows.ts';
import { endOfRun } from '#core/outcomes/labels.ts';
import {
  againstCapped,
  bootstrapOverUnits,
  type Interval,
  nasaScore,
  rmse,
  type ScoredAnswer,
} from '#core/outcomes/score.ts';
import { candidatesOf, chooseCandidate, type FoldError, foldsOf, foldsRmse } from '#core/policy/folds.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, facts, type Output, paint, say, table } from '../output.ts';

export interface EvaluateOptions {
  readonly useCase: string;
  /** Folder of recorded data; null for simulated machines. */
  readonly data: string | null;
  readonly folds: number;
  /** Of folds, trainer, bootstrap and simulated machines; null: the use case's own. */
  readonly seed: number | null;
}

/** The platform's trainer on this machine, over one set of rows. */
export interface Trainer {
  /** Errors of each candidate in each fold; `onFold` hears of each as it comes. */
  foldErrors(
    plan: { readonly candidates: readonly Hyperparameters[]; readonly folds: ReadonlyMap<string, number> },
    onFold: (candidate: number) => void,
  ): Promise<readonly (readonly FoldError[])[]>;
  /** Trains on all rows; the answer is a model as ONNX. */
  train(settings: Hyperparameters): Promise<Uint8Array>;
  close(): void;
}

/** What the command needs of its machine; tests give their own. */
export interface EvaluateDeps {
  readonly definitions: readonly UseCaseDefinition[];
  readonly filesOf: (data: string) => readonly string[];
  readonly readFile: (data: string, name: string) => Uint8Array;
  readonly openTrainer: (useCase: UseCase, rows: readonly FeatureRow[], seed: number) => Trainer;
  /** Answers of an ONNX model, one a row, label units. */
  readonly predict: (model: Uint8Array, rows: readonly FeatureRow[]) => Promise<readonly number[]>;
}

/** The same as the local plant's: a recording has no dates of its own. */
const START = '2025-01-01T00:00:00.000Z';
const FOR_EVER = '9999-12-31T23:59:59.999Z';

const runOf = (r: { readonly asset: string; readonly run: string }): string => `${r.asset}/${r.run}`;

const definitionOf = (deps: EvaluateDeps, o: EvaluateOptions): UseCaseDefinition => {
  const found = deps.definitions.find((d) => d.useCase.id === o.useCase);
  if (found === undefined)
    throw new CliError(
      `there is no use case "${o.useCase}"`,
      `use one of: ${deps.definitions.map((d) => d.useCase.id).join(', ')}`,
      EXIT.notFound,
    );
  if (found.needsData && o.data === null)
    throw new CliError(`${o.useCase} learns from recorded data`, 'give its folder with --data DIR', EXIT.usage);
  if (o.data !== null && !(found.recognises?.(deps.filesOf(o.data)) ?? false))
    throw new CliError(
      found.needsData ? `${o.data} does not hold the data of ${o.useCase}` : `${o.useCase} reads no recorded data`,
      found.needsData ? 'docs of the use case name its files; each may be plain or .gz' : 'leave --data out',
      EXIT.usage,
    );
  return found;
};

/** Labelled rows of all runs that ended. */
const trainingRows = (useCase: UseCase, source: PlantSource): readonly FeatureRow[] => {
  const rows: FeatureRow[] = [];
  for (const run of source.history()) {
    const end = endOfRun(run.events, run, FOR_EVER, run.frames.at(-1)?.index ?? null);
    if (end !== null) rows.push(...materialiseRun(useCase, run.frames, end.index));
  }
  return rows;
};

/** The row of each test run's last frame; null where the features of that frame are not all there. */
const lastRows = (useCase: UseCase, runs: readonly LiveRun[]): readonly (FeatureRow | null)[] =>
  runs.map((run) => {
    const row = materialiseRun(useCase, run.frames, null).at(-1);
    return row !== undefined && row.index === run.frames.at(-1)?.index ? row : null;
  });

const settingsText = (settings: Hyperparameters): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

const within = (i: Interval, digits: number): string =>
  `${i.value.toFixed(digits)}  [${i.lower.toFixed(digits)}, ${i.upper.toFixed(digits)}]`;

/**
 * What a use case's model reaches on its test runs: settings are chosen by folds over training runs, the model learns
 * from all training runs, and only then the test runs are read, once. Needs no platform.
 * @throws {CliError} when the use case, its data or the trainer is not there, or no test run can be answered.
 */
export const evaluate = async (deps: EvaluateDeps, out: Output, o: EvaluateOptions): Promise<void> => {
  const definition = definitionOf(deps, o);
  const { useCase } = definition;
  const { data } = o;
  const seed = o.seed ?? useCase.trainer.seed;
  const tell = (text: string): void => (out.json ? undefined : say(out, text));
  const opened: string[] = [];
  const source = definition.source({
    site: 'evaluation',
    seed,
    start: START,
    ...(data === null
      ? {}
      : {
          readData: (name: string) => {
            tell(`  opening ${name}`);
            opened.push(name);
            return deps.readFile(data, name);
          },
        }),
  });
  tell(`${paint(out, 'bold', useCase.id)}  ${source.name}`);
  const rows = trainingRows(useCase, source);
  const runs = [...new Set(rows.map(runOf))];
  if (o.folds < 2 || o.folds > runs.length)
    throw new CliError(
      `${runs.length} training runs cannot make ${o.folds} folds`,
      `give --folds from 2 to ${runs.length}`,
      EXIT.usage,
    );
  tell(`  ${runs.length} training runs, ${rows.length} rows of ${useCase.featureSet.features.length} features`);
  const trainer = deps.openTrainer(useCase, rows, seed);
  try {
    const candidates = candidatesOf(useCase.trainer);
    tell(`  ${candidates.length} candidates, ${o.folds} folds over training runs, seed ${seed}`);
    const left = candidates.map(() => o.folds);
    const errors = await trainer.foldErrors({ candidates, folds: foldsOf(runs, o.folds, seed) }, (c) => {
      left[c] = (left[c] as number) - 1;
      if (left[c] === 0) tell(`  candidate ${c + 1} of ${candidates.length} done`);
    });
    const judged = candidates.map((settings, c) => ({ settings, folds: errors[c] as readonly FoldError[] }));
    const chosen = chooseCandidate(judged);
    if (!out.json) {
      say(out);
      table(
        out,
        judged,
        [
          { title: '', of: (c) => (c === chosen ? '★' : '') },
          { title: 'settings', of: (c) => settingsText(c.settings) },
          { title: 'RMSE of each fold', of: (c) => c.folds.map((f) => foldsRmse([f]).toFixed(2)).join(' ') },
          { title: 'all rows', of: (c) => foldsRmse(c.folds).toFixed(3), align: 'right' },
        ],
        'no candidates',
        130,
      );
      say(out);
      say(out, `  training on all ${runs.length} runs with ${settingsText(chosen.settings)}`);
    }
    const model = await trainer.train(chosen.settings);
    const readBefore = opened.length;
    const tested = source
      .live(1)
      .flat()
      .filter((run) => run.remainingAtEnd !== null);
    const last = lastRows(useCase, tested);
    const asked = tested.flatMap((run, i) => (last[i] ? [{ run, row: last[i] }] : []));
    if (asked.length === 0)
      throw new CliError(
        `no test run of ${o.useCase} has a known end and all features at its last frame`,
        'give data with the truth of its test runs',
      );
    const predicted = await deps.predict(
      model,
      asked.map((a) => a.row),
    );
    const answers = asked.map(
      ({ run }, i): ScoredAnswer => ({
        unit: runOf(run),
        predicted: predicted[i] as number,
        truth: run.remainingAtEnd as number,
      }),
    );
    const { cap, unit } = useCase.label;
    const judge = (of: readonly ScoredAnswer[]): { rmse: Interval; score: Interval } => ({
      rmse: bootstrapOverUnits(of, rmse, seed),
      score: bootstrapOverUnits(of, nasaScore, seed),
    });
    const capped = judge(againstCapped(answers, cap));
    const uncapped = judge(answers);
    const unanswered = tested.length - asked.length;
    answer(
      out,
      {
        useCase: useCase.id,
        seed,
        trainingRuns: runs.length,
        trainingRows: rows.length,
        folds: judged.map((c) => ({
          settings: c.settings,
          rmse: foldsRmse(c.folds),
          rmseOfFolds: c.folds.map((f) => foldsRmse([f])),
          chosen: c === chosen,
        })),
        opened: { toChoose: opened.slice(0, readBefore), toTest: opened.slice(readBefore) },
        test: { runs: answers.length, unanswered, unit, cap, capped, uncapped },
      },
      () => {
        say(out);
        say(out, `  ${answers.length} test runs at their last frame; 95 % interval over runs, ${unit}`);
        if (unanswered > 0) say(out, `  ${unanswered} more have no answer there: their features are not all known`);
        facts(out, [
          [`RMSE, truth capped at ${cap}`, within(capped.rmse, 2)],
          ['RMSE, uncapped', within(uncapped.rmse, 2)],
          [`NASA score, truth capped at ${cap}`, within(capped.score, 0)],
          ['NASA score, uncapped', within(uncapped.score, 0)],
        ]);
      },
    );
  } finally {
    trainer.close();
  }
};
