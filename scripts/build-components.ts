import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { type Zippable, zipSync } from 'fflate';
import { parse, stringify } from 'yaml';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = join(ROOT, 'greengrass-components');
export const COMPONENTS_OUT = join(ROOT, '.build', 'components');

/** Processors a component is built for, as Node names them. */
export type Arch = 'x64' | 'arm64';
const ARCHES: readonly Arch[] = ['x64', 'arm64'];

export interface BuiltComponent {
  readonly name: string;
  readonly bytes: number;
}

/** Names of all code components: every folder of greengrass-components/ with a recipe. */
export const componentNames = (): string[] =>
  readdirSync(SOURCES)
    .filter((name) => existsSync(join(SOURCES, name, 'recipe.yaml')))
    .sort();

/** Files of a component that run as processes of their own: its main and what else starts by name. */
const entriesOf = (name: string): string[] =>
  ['main', 'adopt', 'inference-child'].filter((entry) => existsSync(join(SOURCES, name, `${entry}.ts`)));

/** aws-crt looks for its native library two folders up from its own file, which a bundle does not have. */
const crtBesideBundle: Plugin = {
  name: 'crt-beside-bundle',
  setup({ onLoad }) {
    onLoad({ filter: /aws-crt\/dist\/native\/binding\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const found = "path.resolve(__dirname, '..', '..')";
      if (!source.includes(found))
        throw new Error(`${path} no longer looks for its library by ${found}; adapt scripts/build-components.ts`);
      return { contents: source.replace(found, '__dirname'), loader: 'js' };
    });
  },
};

const walk = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name)) : [join(dir, e.name)]))
    .sort();

/** Native libraries a bundle needs, by their place beside it. */
const nativeFiles = (bundle: string, arch: Arch): Map<string, string> => {
  const modules = join(ROOT, 'node_modules');
  const files = new Map<string, string>();
  if (bundle.includes('aws-crt-nodejs'))
    for (const libc of ['glibc', 'musl'])
      files.set(
        `bin/linux-${arch}-${libc}/aws-crt-nodejs.node`,
        join(modules, `aws-crt/dist/bin/linux-${arch}-${libc}/aws-crt-nodejs.node`),
      );
  if (bundle.includes('onnxruntime-node')) {
    const native = join(modules, 'onnxruntime-node/bin');
    const wanted = [
      join(modules, 'onnxruntime-node/package.json'),
      join(modules, 'onnxruntime-common/package.json'),
      ...walk(join(modules, 'onnxruntime-node/dist')),
      ...walk(join(modules, 'onnxruntime-common/dist/cjs')),
      ...readdirSync(native).flatMap((abi) => walk(join(native, abi, 'linux', arch))),
    ];
    for (const path of wanted)
      if (!/\.(map|d\.ts)$/.test(path)) files.set(`node_modules/${relative(modules, path)}`, path);
  }
  for (const path of files.values())
    if (!existsSync(path)) throw new Error(`${path} is missing: run "npm ci", then build again`);
  return files;
};

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Fixed time of every entry: the same sources must give the same bytes, for the version depends on them. */
const EPOCH = new Date(1980, 0, 1, 0, 0, 0);

const buildOne = async (name: string, arches: readonly Arch[]): Promise<BuiltComponent> => {
  const out = join(COMPONENTS_OUT, name);
  mkdirSync(out, { recursive: true });
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: entriesOf(name).map((entry) => ({ in: join(SOURCES, name, `${entry}.ts`), out: entry })),
    outdir: join(out, 'bundle'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    keepNames: true,
    write: false,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    external: ['onnxruntime-node'],
    plugins: [crtBesideBundle],
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);const __dirname=import.meta.dirname,__filename=import.meta.filename;",
    },
    legalComments: 'none',
    logLevel: 'warning',
  });
  const bundles = new Map(result.outputFiles.map((f) => [relative(join(out, 'bundle'), f.path), f.contents]));
  const text = result.outputFiles.map((f) => f.text).join('\n');
  // Unchanged inputs: the archive on the disk is the one that would come out.
  const inputs = createHash('sha256').update(text);
  const files: { name: string; digest: string; bytes: number }[] = [];
  for (const arch of arches) {
    const native = nativeFiles(text, arch);
    const stamp = createHash('sha256')
      .update(inputs.copy().digest())
      .update([...native].map(([to, from]) => `${to} ${statSync(from).size} ${statSync(from).mtimeMs}`).join('\n'))
      .digest('hex');
    const zip = join(out, `${name}-linux-${arch}.zip`);
    const stampFile = `${zip}.stamp`;
    if (!existsSync(zip) || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
      const content: Zippable = {};
      for (const [to, bytes] of [...bundles].sort(([a], [b]) => (a < b ? -1 : 1))) content[to] = bytes;
      for (const [to, from] of native) content[to] = [readFileSync(from), { level: 6 }];
      writeFileSync(zip, zipSync(content, { mtime: EPOCH, level: 6 }));
      writeFileSync(stampFile, stamp);
    }
    const bytes = readFileSync(zip);
    files.push({ name: `${name}-linux-${arch}.zip`, digest: sha256(bytes), bytes: bytes.length });
  }
  const recipe = parse(readFileSync(join(SOURCES, name, 'recipe.yaml'), 'utf8')) as {
    Manifests: { Name: string }[];
  };
  recipe.Manifests = recipe.Manifests.filter((m) => arches.some((arch) => m.Name === `linux-${arch}`));
  const recipeText = stringify(recipe, { lineWidth: 0 });
  writeFileSync(join(out, 'recipe.yaml'), recipeText);
  const keep = new Set(['recipe.yaml', 'artifacts.json', ...files.flatMap((f) => [f.name, `${f.name}.stamp`])]);
  for (const found of readdirSync(out)) if (!keep.has(found)) rmSync(join(out, found), { recursive: true });
  const artifacts = { component: `millwright.${name}`, recipe: sha256(Buffer.from(recipeText)), files };
  writeFileSync(join(out, 'artifacts.json'), `${JSON.stringify(artifacts, null, 2)}\n`);
  return { name, bytes: files.reduce((sum, f) => sum + f.bytes, 0) };
};

/**
 * Builds every code component: `.build/components/<name>/` with one archive a processor, `recipe.yaml` (placeholders
 * `{{version}}` and `{{artifacts}}`) and `artifacts.json`, which lists the archives with their digests.
 * @param arches processors; by default only that of this machine.
 * @param only names of the components to build; by default all.
 */
export const buildComponents = async (
  arches: readonly Arch[] = ARCHES.filter((a) => a === process.arch),
  only: readonly string[] = componentNames(),
): Promise<readonly BuiltComponent[]> => {
  const names = componentNames();
  mkdirSync(COMPONENTS_OUT, { recursive: true });
  for (const found of readdirSync(COMPONENTS_OUT))
    if (!names.includes(found)) rmSync(join(COMPONENTS_OUT, found), { recursive: true });
  const built: BuiltComponent[] = [];
  // One after the other: an archive with its libraries takes some 100 MB of memory.
  for (const name of only) built.push(await buildOne(name, arches));
  return built;
};
