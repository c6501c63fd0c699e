// npm run bench -- <suite> [options]. Prints each figure with its goal; nothing here is a test.
import { join } from 'node:path';
import { GROUPS as DRIFT_GROUPS, drift } from './drift/main.ts';
import { features, GROUPS } from './features/main.ts';
import { loop } from './loop.ts';
import { makeReport } from './report.ts';

const SUITES = ['loop', 'features', 'drift'];
const USAGE = `Usage: npm run bench -- SUITE [options]

Suites:
  loop   clean clone to first decision, the story, what 1,000 decisions use and fleets cost, second run, device start,
         synthesis, bundle sizes, cold starts, npm test
  features  the feature engine and the store against their peers on the same data, one thread each:
         ${GROUPS.join(', ')}
  drift  how models are judged, beside the detectors of others and one that alarms by the clock, on the same data:
         ${DRIFT_GROUPS.join(', ')}

Options of all:
  --json            one JSON object a figure, for machines

Options of loop:
  --no-tests        leave out "npm test" in the clean clone
  --keep            keep the clone, and say where it is
  --story-only      only the story and its cost, in this checkout as it is
  --every SECONDS   a device decides that often, for the cost of fleets (default 10)

Options of features:
  --only GROUP      only this group
  --hours HOURS     of the line that "realtime" runs (default 0.25)

Options of drift:
  --only GROUP      only this group
  --data DIR        folder of industrial data (default ../shared/data); what needs some that is not there says so

Examples:
  $ npm run bench -- loop
  $ npm run bench -- loop --story-only --every 60
  $ npm run bench -- features --only spectral
`;

const SWITCHES: Readonly<Record<string, readonly string[]>> = {
  loop: ['--json', '--no-tests', '--keep', '--story-only'],
  features: ['--json'],
  drift: ['--json'],
};
const VALUES: Readonly<Record<string, readonly string[]>> = {
  loop: ['--every'],
  features: ['--only', '--hours'],
  drift: ['--only', '--data'],
};

const [name = '', ...options] = process.argv.slice(2);
const values = new Map<string, string>();
const switches: string[] = [];
for (let i = 0; i < options.length; i++) {
  const option = options[i] as string;
  if (VALUES[name]?.includes(option)) values.set(option, options[++i] ?? '');
  else switches.push(option);
}
const unknown = switches.find((o) => !SWITCHES[name]?.includes(o));
const number = (option: string, otherwise: number): number => Number(values.get(option) ?? otherwise);
const notPositive = ['--every', '--hours'].find((o) => !(number(o, 1) > 0));
const only = values.get('--only');
const groups = name === 'drift' ? DRIFT_GROUPS : GROUPS;
const wrong = !SUITES.includes(name)
  ? `no suite "${name}"; there is: ${SUITES.join(', ')}`
  : unknown !== undefined
    ? `no option ${unknown} of ${name}`
    : notPositive !== undefined
      ? `${notPositive} expects a number above 0, got "${values.get(notPositive)}"`
      : only !== undefined && !groups.includes(only)
        ? `--only expects one of ${groups.join(', ')}, got "${only}"`
        : null;
if (wrong !== null) {
  const help = name === '' || name === '--help' || unknown === '--help';
  if (!help) process.stderr.write(`${wrong}\n\n`);
  process.stdout.write(USAGE);
  process.exitCode = help ? 0 : 2;
} else {
  const report = makeReport(switches.includes('--json'));
  const data = values.get('--data') ?? join(import.meta.dirname, '../../shared/data');
  if (name === 'drift') await drift({ report, only, data });
  else if (name === 'features') await features({ report, only, hours: number('--hours', 0.25) });
  else
    await loop({
      report,
      tests: !switches.includes('--no-tests'),
      keep: switches.includes('--keep'),
      storyOnly: switches.includes('--story-only'),
      every: number('--every', 10),
    });
}
