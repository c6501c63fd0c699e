import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** A house of its own with the real rules, so that a breach can be planted in it. */
const plant = (files: Record<string, string>): string => {
  const house = mkdtempSync(join(tmpdir(), 'mw-lint-'));
  for (const name of ['biome.json', '.dependency-cruiser.cjs', 'tsconfig.json', 'package.json', 'scripts/lint'])
    cpSync(join(ROOT, name), join(house, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(house, 'node_modules'));
  mkdirSync(join(house, '.git'));
  writeFileSync(join(house, '.gitignore'), 'node_modules\n');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), text);
  }
  return house;
};

const run = (house: string, bin: string, args: string[]): { status: number | null; output: string } => {
  const result = spawnSync(join(ROOT, 'node_modules', '.bin', bin), args, { cwd: house, encoding: 'utf8' });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
};

const withHouse = (files: Record<string, string>, check: (house: string) => void): void => {
  const house = plant(files);
  try {
    check(house);
  } finally {
    rmSync(house, { recursive: true, force: true });
  }
};

const cruise = (house: string) =>
  run(
    house,
    'depcruise',
    [
      '--config',
      '.dependency-cruiser.cjs',
      'core',
      'lambdas',
      'lib',
      'cli',
      'bin',
      'local',
      'use-cases',
      'greengrass-components',
    ].filter((a, i) => i < 2 || spawnSync('test', ['-d', join(house, a)]).status === 0),
  );

const VALUE = 'export const value = 1;\n';

describe('import rules', () => {
  const breaches: [string, string, Record<string, string>][] = [
    [
      'a static import from core to a Lambda',
      'core-is-pure',
      {
        'core/a.ts': "import { value } from '../lambdas/x/handler.ts';\nexport const a = value;\n",
        'lambdas/x/handler.ts': VALUE,
      },
    ],
    [
      'a dynamic import from core to a Lambda',
      'core-is-pure',
      { 'core/a.ts': "export const a = () => import('../lambdas/x/handler.ts');\n", 'lambdas/x/handler.ts': VALUE },
    ],
    [
      'a re-export from core of a stack',
      'core-is-pure',
      { 'core/a.ts': "export { value } from '../lib/stack.ts';\n", 'lib/stack.ts': VALUE },
    ],
    [
      'a type-only import from core of the local plant',
      'core-is-pure',
      {
        'core/a.ts': "import type { T } from '../local/t.ts';\nexport type A = T;\n",
        'local/t.ts': 'export type T = 1;\n',
      },
    ],
    [
      'the AWS SDK in core',
      'core-allow-list',
      { 'core/a.ts': "import { S3Client } from '@aws-sdk/client-s3';\nexport const a = S3Client;\n" },
    ],
    [
      'a Node builtin in core',
      'core-no-builtins',
      { 'core/a.ts': "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n" },
    ],
    [
      'one Lambda importing another',
      'lambdas',
      {
        'lambdas/a/index.ts': "import { value } from '../b/handler.ts';\nexport const a = value;\n",
        'lambdas/b/handler.ts': VALUE,
      },
    ],
    [
      'a Lambda importing a use case',
      'lambdas',
      {
        'lambdas/a/index.ts': "import { value } from '../../use-cases/u/use-case.ts';\nexport const a = value;\n",
        'use-cases/u/use-case.ts': VALUE,
      },
    ],
    [
      'a component importing another component',
      'components',
      {
        'greengrass-components/a/main.ts': "import { value } from '../b/main.ts';\nexport const a = value;\n",
        'greengrass-components/b/main.ts': VALUE,
      },
    ],
    [
      'a use case importing core beyond contracts',
      'use-cases',
      {
        'use-cases/u/use-case.ts': "import { value } from '../../core/features/x.ts';\nexport const a = value;\n",
        'core/features/x.ts': VALUE,
      },
    ],
    [
      'a stack importing a handler',
      'lib',
      {
        'lib/s.ts': "import { value } from '../lambdas/a/handler.ts';\nexport const a = value;\n",
        'lambdas/a/handler.ts': VALUE,
      },
    ],
    [
      'the composition root importing core',
      'bin',
      { 'bin/app.ts': "import { value } from '../core/a.ts';\nexport const a = value;\n", 'core/a.ts': VALUE },
    ],
    [
      'the CLI importing a Lambda',
      'cli',
      {
        'cli/c.ts': "import { value } from '../lambdas/a/handler.ts';\nexport const a = value;\n",
        'lambdas/a/handler.ts': VALUE,
      },
    ],
    [
      'the local plant importing a Lambda',
      'local',
      {
        'local/l.ts': "import { value } from '../lambdas/a/handler.ts';\nexport const a = value;\n",
        'lambdas/a/handler.ts': VALUE,
      },
    ],
    [
      'a cycle',
      'no-cycles',
      {
        'core/a.ts': "import { b } from './b.ts';\nexport const a = b;\n",
        'core/b.ts': "import { a } from './a.ts';\nexport const b = a;\n",
      },
    ],
  ];

  it.each(breaches)('refuse %s', (_what, rule, files) => {
    withHouse(files, (house) => {
      const { status, output } = cruise(house);
      expect(output).toContain(rule);
      expect(status).not.toBe(0);
    });
  });

  it('let a Lambda import core and its own folder', () => {
    withHouse(
      {
        'lambdas/a/index.ts':
          "import { value } from '../../core/a.ts';\nimport { own } from './handler.ts';\nexport const a = value + own;\n",
        'lambdas/a/handler.ts': 'export const own = 1;\n',
        'core/a.ts': VALUE,
      },
      (house) => {
        expect(cruise(house).status).toBe(0);
      },
    );
  });
});

describe('purity of core', () => {
  const impure: [string, string][] = [
    ['process.env', 'export const a = process.env.HOME;\n'],
    ['process at all', 'export const a = process.pid;\n'],
    ['the wall clock by Date.now', 'export const a = Date.now();\n'],
    ['the wall clock by a new Date', 'export const a = new Date();\n'],
    ['the wall clock handed on as a function', 'export const clock = Date.now;\n'],
    ['chance', 'export const a = Math.random();\n'],
    ['the network', "export const a = () => fetch('http://127.0.0.1');\n"],
    ['timers', 'export const a = () => setTimeout(() => {}, 1);\n'],
    ['the performance clock', 'export const a = performance.now();\n'],
    ['a Node builtin', "import { readFileSync } from 'node:fs';\n\nexport const a = readFileSync;\n"],
  ];

  it.each(impure)('refuses %s', (_what, source) => {
    withHouse({ 'core/a.ts': source }, (house) => {
      expect(run(house, 'biome', ['lint', 'core']).status).not.toBe(0);
    });
  });

  it('allows a date made from an argument', () => {
    withHouse({ 'core/a.ts': 'export const a = (ms: number): Date => new Date(ms);\n' }, (house) => {
      expect(run(house, 'biome', ['lint', 'core']).output).not.toContain('error');
    });
  });

  it('leaves the clock to the shells', () => {
    withHouse({ 'lambdas/a/index.ts': 'export const a = Date.now();\n' }, (house) => {
      expect(run(house, 'biome', ['lint', 'lambdas']).status).toBe(0);
    });
  });
});
