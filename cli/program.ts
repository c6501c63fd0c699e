import { Command, CommanderError, Option } from 'commander';
import { commission, parsePlan } from './commands/commission.ts';
import { devices } from './commands/devices.ts';
import { evaluate } from './commands/evaluate.ts';
import { addEvents, parseEvents } from './commands/events.ts';
import { explain } from './commands/explain.ts';
import { explainLabels, labels } from './commands/labels.ts';
import { lineage } from './commands/lineage.ts';
import { explainLine, lines } from './commands/lines.ts';
import { models } from './commands/models.ts';
import { publish } from './commands/publish.ts';
import { retrain } from './commands/retrain.ts';
import { status } from './commands/status.ts';
import { EXIT, explainError } from './errors.ts';
import { type Output, paint, say, wrapped } from './output.ts';
import { addAlerts } from './program/alerts.ts';
import { addChaos } from './program/chaos.ts';
import { addDrift } from './program/drift.ts';
import { addFeatureSets } from './program/feature-sets.ts';
import { addLake } from './program/lake.ts';
import { count } from './program/parts.ts';
import { addPlant } from './program/plant.ts';
import { addQuality } from './program/quality.ts';
import { addQueries } from './program/queries.ts';
import { addReleases } from './program/releases.ts';
import { addTrainingSet } from './program/training-set.ts';
import { evaluateOnThisMachine } from './trainer.ts';
import type { World } from './world.ts';

/** What the program needs of its process; tests give their own. */
export interface ProgramDeps {
  readonly connect: (options: { stage: string; site?: string; plantDir?: string }) => World;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly readText: (file: string) => string;
  readonly fetchText: (url: string) => Promise<string>;
  readonly colour: boolean;
  readonly root: string;
}

interface Globals {
  readonly stage: string;
  readonly site?: string;
  readonly plantDir?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const SOURCES = ['cli', 'env', 'default'] as const;

/** Global options may stand before or after the command's name: what was typed wins, the innermost first. */
const globalsOf = (command: Command): Globals => {
  const chain: Command[] = [];
  for (let c: Command | null = command; c !== null; c = c.parent) chain.push(c);
  const value = (key: string): unknown => {
    for (const source of SOURCES)
      for (const c of chain) if (c.getOptionValueSource(key) === source) return c.getOptionValue(key);
    return undefined;
  };
  return {
    stage: String(value('stage')),
    json: value('json') === true,
    verbose: value('verbose') === true,
    ...(value('site') ? { site: String(value('site')) } : {}),
    ...(value('plantDir') ? { plantDir: String(value('plantDir')) } : {}),
  };
};

const example = (...lines: readonly string[]): string =>
  `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((l) => `  $ ${l}`).join('\n')}\n`;

/** Builds the command line; `run` is called with what every command needs. */
const buildProgram = (deps: ProgramDeps, onGlobals: (globals: Globals) => void): Command => {
  const program = new Command('millwright');
  const configure = (command: Command): Command =>
    command
      .addOption(new Option('--stage <name>', 'stage: a file of config/').default('local').env('MILLWRIGHT_STAGE'))
      .option('--site <id>', 'site; default: the first of the stage')
      .addOption(
        new Option('--plant-dir <dir>', 'state folder of the local plant').env('MILLWRIGHT_PLANT_DIR').hideHelp(),
      )
      .option('--json', 'print one JSON document')
      .option('--verbose', 'print the stack of an error')
      .exitOverride()
      .configureOutput({
        writeOut: deps.write,
        writeErr: deps.writeError,
        getOutHelpWidth: () => 100,
        getErrHelpWidth: () => 100,
      });
  configure(program)
    .description('Models in the factory: what runs where, why, and how to change it.')
    .helpCommand(false)
    .showHelpAfterError('Run the command with --help for its usage.')
    .addHelpText(
      'after',
      example('millwright status', 'millwright retrain --wait', 'millwright lineage plant-a/edge-1/b1-x/17'),
    );
  const add = (parent: Command, usage: string, says: string, ...examples: readonly string[]): Command =>
    configure(parent.command(usage))
      .description(says)
      .addHelpText('after', example(...examples));
  const act =
    <A extends readonly unknown[]>(action: (world: World, out: Output, ...args: A) => Promise<void>) =>
    async (...args: readonly unknown[]): Promise<void> => {
      const command = args.at(-1) as Command;
      const globals = globalsOf(command);
      onGlobals(globals);
      const { stage, site, plantDir } = globals;
      const world = deps.connect({ stage, ...(site ? { site } : {}), ...(plantDir ? { plantDir } : {}) });
      const out: Output = { json: globals.json === true, colour: deps.colour, write: deps.write };
      await action(world, out, ...(args.slice(0, -1) as unknown as A));
    };

  /** What needs no platform. */
  const here =
    <A extends readonly unknown[]>(action: (out: Output, ...args: A) => Promise<void>) =>
    async (...args: readonly unknown[]): Promise<void> => {
      const globals = globalsOf(args.at(-1) as Command);
      onGlobals(globals);
      const out: Output = { json: globals.json === true, colour: deps.colour, write: deps.write };
      await action(out, ...(args.slice(0, -1) as unknown as A));
    };

  add(program, 'status', 'The stage at a glance.', 'millwright status', 'millwright status --json').action(
    act<[object]>((world, out) => status(world, out)),
  );

  add(
    program,
    'retrain [modelLine]',
    'Ask for a new model; it is released if it is good enough.',
    'millwright retrain --wait',
    'millwright retrain predictive-maintenance/plant-a --reason "new bearings"',
  )
    .option('--reason <text>', 'why, for the audit trail', 'asked for at the command line')
    .addOption(new Option('--cause <cause>', 'what kind of reason').choices(['person', 'first']).default('person'))
    .option('--wait', 'wait for its end and tell each step', false)
    .option('--timeout <seconds>', 'how long to wait', count, 1800)
    .action(
      act<[string | undefined, { reason: string; cause: 'person' | 'first'; wait: boolean; timeout: number }]>(
        (world, out, modelLine, o) =>
          retrain(world, out, {
            ...(modelLine === undefined ? {} : { modelLine }),
            reason: o.reason,
            cause: o.cause,
            wait: o.wait,
            timeoutSeconds: o.timeout,
          }),
      ),
    );

  add(
    program,
    'lines [modelLine]',
    'What the judge says of each model line, or of one and why.',
    'millwright lines',
    'millwright lines predictive-maintenance/plant-a',
  ).action(
    act<[string | undefined, object]>((world, out, modelLine) =>
      modelLine === undefined ? lines(world, out) : explainLine(world, out, modelLine),
    ),
  );

  add(
    program,
    'labels [modelLine]',
    'Which outcomes are wanted, and of which units.',
    'millwright labels',
    'millwright labels predictive-maintenance/plant-a',
  ).action(
    act<[string | undefined, object]>((world, out, modelLine) =>
      modelLine === undefined ? labels(world, out) : explainLabels(world, out, modelLine),
    ),
  );

  add(program, 'models [modelLine]', 'Packages of each model line and what they reached.', 'millwright models')
    .option('--limit <n>', 'how many', count, 20)
    .action(
      act<[string | undefined, { limit: number }]>((world, out, modelLine, o) =>
        models(world, out, { ...(modelLine === undefined ? {} : { modelLine }), limit: o.limit }),
      ),
    );

  addReleases(program, add, act);

  add(program, 'devices', 'What each device serves and how it is doing.', 'millwright devices').action(
    act<[object]>((world, out) => devices(world, out)),
  );

  add(
    program,
    'lineage <id>',
    'From a decision back to raw objects, or from data forward to devices.',
    'millwright lineage plant-a/edge-1/b1-x/17',
    'millwright lineage snapshot:sha256:… --forward',
  )
    .addOption(new Option('--back', 'what it was made from').conflicts('forward'))
    .option('--forward', 'what was made from it')
    .option('--all', 'print every node', false)
    .action(
      act<[string, { back?: boolean; forward?: boolean; all: boolean }]>((world, out, id, o) =>
        lineage(world, out, {
          id,
          show: o.all ? 0 : 5,
          ...(o.back ? { direction: 'back' as const } : o.forward ? { direction: 'forward' as const } : {}),
        }),
      ),
    );

  const explaining = add(
    program,
    'explain <id>',
    'Why a decision, a retrain, a release, a package or a model line is as it is.',
    'millwright explain plant-a/edge-1/b1-x/17',
    'millwright explain 3fa9c1d20b7e',
  ).action(act<[string, object]>((world, out, id) => explain(world, out, id)));
  addDrift(program, explaining, add, act);

  add(
    program,
    'publish',
    'Register use cases and publish the code components (after "npm run build").',
    'millwright publish',
    'millwright publish --use-case predictive-maintenance --stage prod',
  )
    .option('--use-case <id>', 'only this one')
    .action(
      act<[{ useCase?: string }]>((world, out, o) =>
        publish(world, out, { root: deps.root, ...(o.useCase ? { useCase: o.useCase } : {}) }),
      ),
    );

  add(
    program,
    'commission <plan>',
    'Make devices part of the site: identity, ring, code.',
    'millwright commission devices.json --out ./credentials',
  )
    .summary('Make devices part of the site: identity, ring, code.')
    .addHelpText(
      'after',
      'The plan, a JSON file:\n  {"devices": [{"device": "edge-1", "ring": 0, "deviceClass": "x86-64",\n    "machines": [{"asset": "m1", "host": "10.0.0.5", "port": 7001}]}]}\n',
    )
    .requiredOption('--out <dir>', 'folder for keys and certificates')
    .option('--model-line <id>', 'what the devices serve; default: the only one')
    .action(
      act<[string, { out: string; modelLine?: string }]>((world, out, file, o) =>
        commission(world, out, {
          plan: parsePlan(deps.readText(file), file),
          out: o.out,
          fetchText: deps.fetchText,
          ...(o.modelLine ? { modelLine: o.modelLine } : {}),
        }),
      ),
    );

  add(
    program,
    'evaluate <useCase>',
    'What the model of a use case reaches on its test runs; needs no platform.',
    'millwright evaluate predictive-maintenance',
    'millwright evaluate turbofan-life --data ../cmapss',
  )
    .option('--data <dir>', 'folder of recorded data')
    .option('--folds <n>', 'folds over training runs, to choose the settings', count, 5)
    .option('--seed <n>', "of folds, trainer, bootstrap and simulated machines; default: the use case's", count)
    .action(
      here<[string, { data?: string; folds: number; seed?: number }]>(async (out, useCase, o) =>
        evaluate(await evaluateOnThisMachine(deps.root), out, {
          useCase,
          data: o.data ?? null,
          folds: o.folds,
          seed: o.seed ?? null,
        }),
      ),
    );

  addAlerts(program, add, act);
  addChaos(program, add, act);
  addLake(program, add, act, here, deps.readText);
  addFeatureSets(program, add, act);
  addQueries(program, add, act, here);
  addQuality(program, add, act);
  addTrainingSet(program, add, act, deps.readText);
  addPlant(program, add, act, here, deps.root);

  const events = add(program, 'events', 'What the plant knows.', 'millwright events add failures.json');
  add(
    events,
    'add <file>',
    'Send plant events: CSV, a JSON array, or one JSON document a line.',
    'millwright events add failures.json',
  ).action(act<[string, object]>((world, out, file) => addEvents(world, out, parseEvents(deps.readText(file), file))));
  return program;
};

/** Runs one command line and returns its exit code; nothing is thrown. */
export const runCli = async (args: readonly string[], deps: ProgramDeps): Promise<number> => {
  const asJson = args.includes('--json');
  let globals: Globals = { stage: 'local', json: asJson, verbose: args.includes('--verbose') };
  const program = buildProgram(asJson ? { ...deps, writeError: () => {} } : deps, (g) => {
    globals = g;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      const message = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '');
      const advice = 'run the command with --help for its usage';
      if (asJson) deps.writeError(`${JSON.stringify({ error: message, advice, exitCode: EXIT.usage })}\n`);
      return EXIT.usage;
    }
    const told = explainError(error);
    if (globals.json)
      deps.writeError(`${JSON.stringify({ error: told.message, advice: told.advice, exitCode: told.exitCode })}\n`);
    else {
      const out: Output = { json: false, colour: deps.colour, write: deps.writeError };
      const [message = '', ...more] = told.message.split('\n').flatMap((line) => wrapped(line, 98));
      say(out, `${paint(out, 'red', '✗')} ${message}`);
      for (const line of [...more, ...wrapped(told.advice, 98)]) say(out, `  ${line}`);
    }
    if (globals.verbose) deps.writeError(`${(error as Error).stack ?? String(error)}\n`);
    return told.exitCode;
  }
};
