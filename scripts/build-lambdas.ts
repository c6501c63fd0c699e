import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { fingerprint } from '../local/start/fingerprint.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILD = join(ROOT, '.build');
/** A link to the newest build, so that it changes in one step: whoever reads sees a whole build, old or new. */
export const LAMBDAS_OUT = join(BUILD, 'lambdas');

/** Names of all functions: every folder of lambdas/ with an index.ts. */
export const lambdaNames = (): string[] =>
  readdirSync(join(ROOT, 'lambdas'))
    .filter((name) => existsSync(join(ROOT, 'lambdas', name, 'index.ts')))
    .sort();

/** The native library of one platform, beside the bundle: onnxruntime-node carries all of them, 288 MB. */
const copyOnnxRuntime = (to: string, platform: string): void => {
  const from = join(ROOT, 'node_modules');
  for (const path of [
    'onnxruntime-node/package.json',
    'onnxruntime-node/dist',
    'onnxruntime-common/package.json',
    'onnxruntime-common/dist/cjs',
  ])
    cpSync(join(from, path), join(to, 'node_modules', path), {
      recursive: true,
      filter: (file) => !/\.(map|d\.ts)$/.test(file),
    });
  const native = readdirSync(join(from, 'onnxruntime-node/bin')).map((abi) =>
    join('onnxruntime-node/bin', abi, platform),
  )[0];
  if (native === undefined || !existsSync(join(from, native)))
    throw new Error(
      `onnxruntime-node has no library for ${platform}; run "npm ci", or build on a platform that it supports (linux/x64, linux/arm64)`,
    );
  mkdirSync(dirname(join(to, 'node_modules', native)), { recursive: true });
  cpSync(join(from, native), join(to, 'node_modules', native), { recursive: true, dereference: true });
};

/**
 * Makes a finished build the one that `link` names, under a name of its bytes. The one before stays for those who are
 * still reading it; older ones go.
 */
export const publishBuild = (made: string, link: string): void => {
  const [folder, name] = [dirname(link), basename(link)];
  const target = `${name}-${fingerprint(made, ['.'], { modules: true }).slice(0, 16)}`;
  const before = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(link) : null;
  if (existsSync(join(folder, target))) rmSync(made, { recursive: true });
  else renameSync(made, join(folder, target));
  if (before === null) rmSync(link, { recursive: true, force: true });
  const next = `${made}.link`;
  symlinkSync(target, next);
  renameSync(next, link);
  for (const old of readdirSync(folder))
    if (old.startsWith(`${name}-`) && old !== target && old !== before)
      rmSync(join(folder, old), { recursive: true, force: true });
};

/**
 * Bundles every Lambda in one esbuild run: `.build/lambdas/<name>/index.mjs`, the same bytes for the same sources.
 * A folder with a file `needs-onnxruntime` gets the native library beside its bundle.
 * @param platform native library to ship, `<os>/<cpu>` as onnxruntime-node names them.
 */
export const buildLambdas = async (platform = 'linux/x64'): Promise<Record<string, number>> => {
  const made = `${LAMBDAS_OUT}.${process.pid}`;
  rmSync(made, { recursive: true, force: true });
  const names = lambdaNames();
  await build({
    absWorkingDir: ROOT,
    entryPoints: names.map((name) => ({ in: `lambdas/${name}/index.ts`, out: `${name}/index` })),
    outdir: made,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    keepNames: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: ['onnxruntime-node'],
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const sizes: Record<string, number> = {};
  for (const name of names) {
    const out = join(made, name);
    sizes[name] = statSync(join(out, 'index.mjs')).size;
    writeFileSync(join(out, 'package.json'), '{"type":"module"}\n');
    if (existsSync(join(ROOT, 'lambdas', name, 'needs-onnxruntime'))) copyOnnxRuntime(out, platform);
  }
  publishBuild(made, LAMBDAS_OUT);
  return sizes;
};
