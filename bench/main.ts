// npm run bench -- <suite> [options]. Prints each figure with its goal; nothing here is a test.
import { loop } from './loop.ts';
import { makeReport } from './report.ts';

const SUITES: Readonly<Record<string, typeof loop>> = { loop };
const USAGE = `Usage: npm run bench -- SUITE [--json] [--no-tests] [--keep]

Suites:
  loop   clean clone to first decision, second run, device start, synthesis, bundle sizes, cold starts, npm test

Options:
  --json        one JSON object a figure, for machines
  --no-tests    leave out "npm test" in the clean clone
  --keep        keep the clone, and say where it is

Example:
  $ npm run bench -- loop
`;

const [name, ...options] = process.argv.slice(2);
const unknown = options.find((o) => !['--json', '--no-tests', '--keep'].includes(o));
const suite = name === undefined ? undefined : SUITES[name];
if (suite === undefined || unknown !== undefined) {
  const help = name === undefined || name === '--help';
  if (!help)
    process.stderr.write(
      unknown === undefined
        ? `no suite "${name}"; there is: ${Object.keys(SUITES).join(', ')}\n\n`
        : `no option ${unknown}\n\n`,
    );
  process.stdout.write(USAGE);
  process.exitCode = help ? 0 : 2;
} else {
  await suite({
    report: makeReport(options.includes('--json')),
    tests: !options.includes('--no-tests'),
    keep: options.includes('--keep'),
  });
}
