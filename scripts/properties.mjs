// `npm run properties`: tests of laws again and again, each time with other seeds; a law that fails once in a thousand runs
// shows itself here, and not while somebody changes something else. `npm run properties -- 50 test/unit/lake`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { counterexamples } from './counterexamples.mjs';
import { main, NODE, ROOT, SetupError, setUp } from './setup.mjs';

const ROUNDS = 10;

/** Test files that state laws, except those that need processes of their own. */
const filesWithLaws = () =>
  readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !/^(local|soak)\//.test(file))
    .map((file) => join('test', file))
    .filter((file) => readFileSync(join(ROOT, file), 'utf8').includes('fast-check'))
    .sort();

/** What failed in one run of the files. */
const runOnce = (files, report) => {
  const jest = [join(ROOT, 'node_modules/jest/bin/jest.js'), '--ci', '--selectProjects', 'fast', '--runInBand'];
  spawnSync(NODE, [...jest, '--json', '--outputFile', report, '--runTestsByPath', ...files], {
    cwd: ROOT,
    stdio: 'ignore',
    env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
  return counterexamples(JSON.parse(readFileSync(report, 'utf8')));
};

await main(() => {
  setUp();
  const [first = String(ROUNDS), ...rest] = process.argv.slice(2);
  const isCount = /^[1-9]\d*$/.test(first);
  const rounds = isCount ? Number(first) : ROUNDS;
  const parts = isCount ? rest : [first, ...rest];
  const files = filesWithLaws().filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
  if (files.length === 0)
    throw new SetupError(
      `No test of laws has ${parts.join(' or ')} in its path: give a part of one, or nothing for all.`,
    );
  const dir = mkdtempSync(join(tmpdir(), 'mw-properties-'));
  let failures = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const start = Date.now();
      const found = runOnce(files, join(dir, `${round}.json`));
      failures += found.length;
      const seconds = ((Date.now() - start) / 1000).toFixed(0);
      console.log(`round ${round} of ${rounds}: ${files.length} files, ${found.length} failures, ${seconds} s`);
      for (const { file, test, seed, path, says } of found) {
        const again = seed === null ? 'fails without a seed' : `again with { seed: ${seed}, path: "${path}" }`;
        console.log(`\n${relative(ROOT, file)}\n  ${test}\n  ${again}\n${says.slice(0, 4000)}\n`);
      }
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
  return failures === 0 ? 0 : 1;
});
