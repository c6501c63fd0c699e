// `npm test`: every check a change must pass. With arguments, only jest with them: `npm test -- core/features`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { main, NODE, PYTHON, ROOT, setUp } from './setup.mjs';

const bin = (name) => join(ROOT, 'node_modules', '.bin', name);
const onNode = (script, ...args) => [NODE, [script, ...args]];
const jest = (...args) => onNode(join(ROOT, 'node_modules/jest/bin/jest.js'), '--ci', ...args);
const SOURCES = ['bin', 'lib', 'core', 'lambdas', 'greengrass-components', 'use-cases', 'local', 'cli', 'bench'].filter(
  (dir) => existsSync(join(ROOT, dir)),
);

const steps = [
  ['format and lint', [bin('biome'), ['check', '.']]],
  ['import rules', [bin('depcruise'), ['--config', '.dependency-cruiser.cjs', ...SOURCES]]],
  ['types', [bin('tsc'), ['-p', '.']]],
  ['bundles', onNode(join(ROOT, 'scripts/build.ts'))],
  ['unit, template, conformance, parity', jest('--selectProjects', 'fast')],
  ['local plant', jest('--selectProjects', 'plant', '--runInBand')],
  ['trainers', [PYTHON, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'training/tests']]],
];

await main(() => {
  setUp();
  const only = process.argv.slice(2);
  const chosen = only.length > 0 ? [['jest', jest(...only)]] : steps;
  const env = {
    ...process.env,
    PATH: `${join(ROOT, 'node_modules', '.bin')}:${process.env.PATH}`,
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
    PYTHONPATH: join(ROOT, 'training'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const failed = [];
  for (const [what, [command, args]] of chosen) {
    const start = Date.now();
    console.log(`\n── ${what}`);
    const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', env });
    console.log(`── ${what}: ${status === 0 ? 'passed' : 'FAILED'} in ${((Date.now() - start) / 1000).toFixed(0)} s`);
    if (status !== 0) failed.push(what);
  }
  const passed = chosen.length - failed.length;
  if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
  console.log(`\n${passed} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
});
