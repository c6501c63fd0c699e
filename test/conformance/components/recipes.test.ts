import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { parse } from 'yaml';
import { componentName } from '#core/contracts/release.ts';
import { COMPONENTS_OUT, componentNames } from '../../../scripts/build-components.ts';
import { ROOT } from '../../../scripts/setup.mjs';

interface Recipe {
  readonly ComponentName: string;
  readonly ComponentVersion: string;
  readonly Manifests: readonly {
    readonly Name: string;
    readonly Platform: Readonly<Record<string, string>>;
    readonly Lifecycle: Readonly<Record<string, { readonly Script: string }>>;
    readonly Artifacts: readonly { readonly Uri: string; readonly Unarchive: string }[];
  }[];
}

const build = (only = ''): void => {
  const script = `import('./scripts/build-components.ts').then((m) => m.buildComponents(undefined, ${only}))`;
  execFileSync(process.execPath, ['-e', script], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
};
beforeAll(() => build(), 120_000);

/** Names in an archive; nothing is unpacked. */
const filesIn = (zip: string): string[] => {
  const names: string[] = [];
  unzipSync(readFileSync(zip), { filter: ({ name }) => names.push(name) < 0 });
  return names;
};

const built = (name: string) => {
  const dir = join(COMPONENTS_OUT, name);
  const text = readFileSync(join(dir, 'recipe.yaml'), 'utf8');
  return {
    dir,
    text,
    recipe: parse(text) as Recipe,
    artifacts: JSON.parse(readFileSync(join(dir, 'artifacts.json'), 'utf8')) as {
      component: string;
      files: { name: string; digest: string; bytes: number }[];
    },
  };
};

describe.each(componentNames())('the recipe of %s', (name) => {
  it('fits what Greengrass takes, and leaves version and place to publishing', () => {
    const { text, recipe, artifacts } = built(name);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16 * 1024 - 2048);
    expect(recipe.ComponentName).toBe(componentName(name));
    expect(artifacts.component).toBe(recipe.ComponentName);
    expect(recipe.ComponentVersion).toBe('{{version}}');
    expect([...new Set(text.match(/\{\{\w+\}\}/g))].sort()).toEqual(['{{artifacts}}', '{{version}}']);
  });

  it('names exactly the archives that were built', () => {
    const { recipe, artifacts } = built(name);
    const named = recipe.Manifests.flatMap((m) => m.Artifacts.map((a) => a.Uri));
    expect(named).toEqual(artifacts.files.map((f) => `{{artifacts}}${f.name}`));
  });

  it('runs only files that its archive holds', () => {
    const { dir, recipe } = built(name);
    for (const manifest of recipe.Manifests) {
      const scripts = Object.values(manifest.Lifecycle).map((s) => s.Script);
      const used = scripts.join('\n').match(/\{artifacts:decompressedPath\}\/[^\s"]+/g) ?? [];
      expect(used.length).toBeGreaterThan(0);
      for (const path of used) {
        const [, zip, ...rest] = path.split('/');
        expect(filesIn(join(dir, `${zip}.zip`))).toContain(rest.join('/'));
      }
    }
  }, 30_000);

  it('is portable: any runtime, lower-case steps, exec or set -e, readiness by startup', () => {
    for (const manifest of built(name).recipe.Manifests) {
      expect(manifest.Platform['runtime']).toBe('*');
      expect(Object.keys(manifest.Lifecycle)).not.toContain('run');
      for (const [step, { Script }] of Object.entries(manifest.Lifecycle)) {
        expect(['install', 'startup']).toContain(step);
        expect(Script).toMatch(/^(exec |set -e\n)/);
      }
    }
  });
});

it('a component stays the same, byte for byte, when built again', () => {
  const before = built('connector-jsonl').artifacts;
  rmSync(join(COMPONENTS_OUT, 'connector-jsonl'), { recursive: true });
  build("['connector-jsonl']");
  expect(built('connector-jsonl').artifacts).toEqual(before);
}, 60_000);
