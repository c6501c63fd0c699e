// npm run bench -- <suite> [options]. Prints each figure with its goal; nothing here is a test.
import { loop } from './loop.ts';
import { makeReport } from './report.ts';

const SUITES: Readonly<Record<string, typeof loop>> = { loop };
const USAGE = `Usage: npm run bench -- SUITE [--json] [--no-tests] [--keep] [--story-only] [--every SECONDS]

Suites:
  loop   clean clone to first decision, the story, what 1,000 decisions use and fleets cost, second run, device start,
         synthesis, bundle sizes, cold starts, npm test

Options:
  --json            one JSON object a figure, for machines
  --no-tests        leave out "npm test" in the clean clone
  --keep            keep the clone, and say where it is
  --story-only      only the story and its cost, in this checkout as it is
  --every SECONDS   a device decides that often, for the cost of fleets (default 10)

Examples:
  $ npm run bench -- loop
  $ npm run bench -- loop --story-only --every 60
`;

const SWITCHES = ['--json', '--no-tests', '--keep', '--story-only'];
const [name, ...options] = process.argv.slice(2);
const at = options.indexOf('--every');
const every = at < 0 ? 10 : Number(options[at + 1]);
const rest = at < 0 ? options : options.filter((_, i) => i !== at && i !== at + 1);
const suite = name === undefined ? undefined : SUITES[name];
const unknown = rest.find((o) => !SWITCHES.includes(o));
const wrong =
  suite === undefined
    ? `no suite "${name}"; there is: ${Object.keys(SUITES).join(', ')}`
    : unknown !== undefined
      ? `no option ${unknown}`
      : every > 0
        ? null
        : `--every expects seconds above 0, got "${options[at + 1]}"`;
if (suite === undefined || wrong !== null) {
  const help = name === undefined || name === '--help';
  if (!help) process.stderr.write(`${wrong}\n\n`);
  process.stdout.write(USAGE);
  process.exitCode = help ? 0 : 2;
} else {
  await suite({
    report: makeReport(options.includes('--json')),
    tests: !options.includes('--no-tests'),
    keep: options.includes('--keep'),
    storyOnly: options.includes('--story-only'),
    every,
  });
}
