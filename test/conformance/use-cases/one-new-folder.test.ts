import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprint } from '../../../local/start/fingerprint.ts';

const ROOT = join(__dirname, '../../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const PYTHON = join(ROOT, '.venv/bin/python');
const SOURCES = ['core', 'lambdas', 'greengrass-components', 'use-cases', 'cli', 'local', 'lib', 'bin', 'training'];
const OTHERS = ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs', 'biome.json', 'config', 'scripts/lint'];
const TESTS = ['test/conformance/use-cases', 'test/support'];

let house: string;
/** Everything but the new folder. */
let rest: readonly string[];
let before: string;

beforeAll(() => {
  house = join(mkdtempSync(join(tmpdir(), 'mw-use-case-')), 'house');
  const filter = (path: string): boolean => !/__pycache__|\.egg-info/.test(path);
  for (const path of [...SOURCES, ...OTHERS, ...TESTS])
    cpSync(join(ROOT, path), join(house, path), { recursive: true, filter });
  symlinkSync(join(ROOT, 'node_modules'), join(house, 'node_modules'));
  rest = [...SOURCES, ...OTHERS, ...TESTS]
    .filter((path) => path !== 'use-cases')
    .concat(readdirSync(join(house, 'use-cases')).map((name) => join('use-cases', name)));
  before = fingerprint(house, rest);
  cpSync(join(__dirname, 'tool-wear'), join(house, 'use-cases/tool-wear'), { recursive: true });
}, 60_000);
afterAll(() => rmSync(join(house, '..'), { recursive: true, force: true }));

describe('a second, trivial use case is one new folder', () => {
  it('that keeps the import rules as they are', () => {
    const { status, stdout } = spawnSync(
      join(ROOT, 'node_modules/.bin/depcruise'),
      ['--config', '.dependency-cruiser.cjs', 'use-cases', 'core/contracts'],
      { cwd: house, encoding: 'utf8' },
    );
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('no dependency violations'),
    });
  }, 60_000);

  const trained = existsSync(PYTHON) ? it : it.skip;
  if (!existsSync(PYTHON)) console.warn('skipped: a retrain of a new use case needs .venv');

  trained(
    'that is found, published, learnt from, judged and packaged by the code that is there',
    () => {
      const work = join(house, '..', 'ml');
      mkdirSync(work);
      const output = execFileSync(NODE, ['test/conformance/use-cases/one-retrain.ts', 'tool-wear', PYTHON, work], {
        cwd: house,
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
        timeout: 120_000,
      });
      const result = JSON.parse(output);
      for (const found of [result.publishes, result.plays])
        expect(found).toEqual(expect.arrayContaining(['predictive-maintenance', 'tool-wear']));
      expect(result).toMatchObject({ release: 1, device: 'takes it' });
      expect(result.admitted).toContain('fp32');
      expect(result.rmse.fp32).toBeLessThan(5);
      expect(result.counts.train + result.counts.calibration + result.counts.test).toBe(30);
      expect(result.trainRows).toBeGreaterThan(100);
      expect(result.season.of).toEqual({ hours: 12, weekdays: false, offsetMinutes: 60 });
      expect(result.season.leftOut).toEqual([
        { context: 'milling', cell: 'h00', windows: result.season.windows.length },
      ]);
    },
    150_000,
  );

  it('and nothing else was changed for it', () => {
    expect(fingerprint(house, rest)).toBe(before);
  });
});
