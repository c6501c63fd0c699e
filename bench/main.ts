// npm run bench -- <suite> [options]. Prints each figure with its goal; nothing here is a test.
import { loop } from './loop.ts';
import { makeReport } from './report.ts';

const SUITES: Readonly<Record<string, typeof loop>> = { loop };
const USAGE = `Usage: npm run bench -- SUITE [--json] [--with-tests] [--keep]

Suites:
  loop   clean clone to first decision, second run, synthesis, bundle sizes, cold starts, device start

Options:
  --json        one JSON object a figure, for machines
  --with-tests  also time "npm test" in the clean clone (goal 12 min)
  --keep        keep the clone, and say where it is

Example:
  $ npm run bench -- loop
`;

const [name, ...options] = process.argv.slice(2);
const unknown = options.find((o) => !['--json', '--with-tests', '--keep'].includes(o));
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
    withTests: options.includes('--with-tests'),
    keep: options.includes('--keep'),
  });
}
