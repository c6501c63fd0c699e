import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { strToU8, zipSync } from 'fflate';
import { ArtifactStore } from '../../../local/greengrass/core-device/artifacts.ts';
import {
  atPointer,
  changedPaths,
  merge,
  mergeAt,
  resolveConfiguration,
} from '../../../local/greengrass/core-device/configuration.ts';
import { askDevice, serveControl } from '../../../local/greengrass/core-device/control.ts';
import { loadState, saveState } from '../../../local/greengrass/core-device/device-state.ts';
import { socketPathIn } from '../../../local/greengrass/core-device/paths.ts';
import {
  type ArtifactPlan,
  artifactsOf,
  interpolate,
  lifecycleOf,
  type Places,
  Recipe,
} from '../../../local/greengrass/core-device/recipe.ts';
import { startTokenExchange } from '../../../local/greengrass/core-device/token-exchange.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'mw-parts-'));
  cleanups.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

describe('configuration of a component', () => {
  it('merges maps key by key, replaces lists whole and takes null as a value', () => {
    expect(merge({ a: { b: 1, c: 2 }, l: [1, 2], n: 1 }, { a: { c: 3 }, l: [9], n: null })).toEqual({
      a: { b: 1, c: 3 },
      l: [9],
      n: null,
    });
  });

  it('lets an old value win over a new default until it is reset', () => {
    const current = { speed: 'old', mine: 'kept' };
    const defaults = { speed: 'new default', extra: 'new' };
    expect(resolveConfiguration(current, defaults, [])).toEqual({ speed: 'old', mine: 'kept', extra: 'new' });
    expect(resolveConfiguration(current, defaults, [{ reset: ['/speed'] }])).toMatchObject({ speed: 'new default' });
    expect(resolveConfiguration(current, defaults, [{ reset: [''], merge: { a: 1 } }])).toEqual({ ...defaults, a: 1 });
    expect(resolveConfiguration(current, defaults, [{ reset: ['/not/there'] }])).toMatchObject({ speed: 'old' });
  });

  it('names the paths that changed', () => {
    expect(changedPaths({ a: { b: 1, c: 1 }, d: [1] }, { a: { b: 2, c: 1 }, d: [1, 2], e: 1 })).toEqual([
      ['a', 'b'],
      ['d'],
      ['e'],
    ]);
  });

  it('merges at a key path and reads at a pointer with escapes', () => {
    const made = mergeAt({ a: { x: 1 } }, ['a', 'b/c'], { '~': 2 });
    expect(made).toEqual({ a: { x: 1, 'b/c': { '~': 2 } } });
    expect(atPointer(made, '/a/b~1c/~0')).toBe(2);
    expect(atPointer(made, '/a/none')).toBeUndefined();
  });
});

const linux = { os: 'linux', architecture: 'amd64', runtime: 'aws_nucleus_classic' };
const recipeWith = (manifest: object, more: object = {}): Recipe =>
  Recipe.parse({ ComponentName: 'test.a', ComponentVersion: '1.0.0', Manifests: [manifest], ...more });
const steps = (lifecycle: object, nucleus: 'classic' | 'lite' = 'classic') =>
  lifecycleOf(recipeWith({ Platform: { runtime: '*' }, Lifecycle: lifecycle }), linux, nucleus, (text) => text);

describe('a recipe on a device', () => {
  it('takes the first manifest that fits, regular expressions on classic only', () => {
    const recipe = Recipe.parse({
      ComponentName: 'test.a',
      ComponentVersion: '1.0.0',
      Manifests: [
        { Platform: { os: 'windows' }, Artifacts: [{ Uri: 's3://bucket/win' }] },
        { Platform: { architecture: '/amd64|aarch64/', runtime: '*' }, Artifacts: [{ Uri: 's3://bucket/regex' }] },
        { Platform: { runtime: 'aws_nucleus_lite' }, Artifacts: [{ Uri: 's3://bucket/lite' }] },
      ],
    });
    const first = (nucleus: 'classic' | 'lite', runtime: string): string | undefined =>
      artifactsOf(recipe, { ...linux, runtime }, nucleus)[0]?.fileName;
    expect(first('classic', 'aws_nucleus_classic')).toBe('regex');
    expect(first('lite', 'aws_nucleus_lite')).toBe('lite');
  });

  it('refuses an artifact that is not in S3, and two of the same name', () => {
    const artifacts = (...uris: string[]) => recipeWith({ Artifacts: uris.map((Uri) => ({ Uri })) });
    expect(() => artifactsOf(artifacts('docker:image'), linux, 'classic')).toThrow('this device reads S3 only');
    expect(() => artifactsOf(artifacts('s3://b/x/f', 's3://b/y/f'), linux, 'classic')).toThrow('names must differ');
  });

  it('reads steps in any case on classic, and only the portable case on lite', () => {
    const lifecycle = { Install: 'one', run: { script: 'two', Script: 'three', Timeout: '5' }, shutdown: 'bye' };
    expect(steps(lifecycle).install?.script).toBe('one');
    expect(steps(lifecycle).shutdown).toMatchObject({ script: 'bye', timeoutMs: 15_000 });
    expect(steps(lifecycle, 'lite')).toMatchObject({
      install: undefined,
      shutdown: undefined,
      run: { script: 'three', timeoutMs: 5_000 },
    });
  });

  it('refuses steps it cannot run', () => {
    expect(() => steps({ run: { Timeout: 3 } })).toThrow('the step run has no Script');
    expect(() => steps({ run: { Script: 'x', Timeout: 'soon' } })).toThrow('Timeout of run');
    expect(() => steps({ setenv: 'A=1' })).toThrow('setenv is not a map of texts');
    expect(() => steps({ bootstrap: 'x' })).toThrow('bootstrap is not rehearsed');
    expect(() => steps({ run: 'x', startup: 'y' })).toThrow('both startup and run');
  });

  it('fills recipe variables, of direct dependencies on classic only', () => {
    const places = (name: string): Places => ({
      configuration: { key: name, map: { a: 1 } },
      artifactsPath: `${name}/art`,
      decompressedPath: `${name}/zip`,
      workPath: `${name}/work`,
      rootPath: '/gg',
      thingName: 'thing',
    });
    const text =
      '{artifacts:path} {artifacts:decompressedPath} {work:path} {kernel:rootPath} {iot:thingName} {configuration:/key} {configuration:/map} {configuration:/no} {dep:artifacts:path} {dep:configuration:/key} {other:work:path} {x:y}';
    const of = (name: string): Places | undefined => (name === 'dep' ? places('dep') : undefined);
    const own = 'me/art me/zip me/work /gg thing me {"a":1} {configuration:/no}';
    expect(interpolate(text, places('me'), 'classic', of)).toBe(`${own} dep/art dep {other:work:path} {x:y}`);
    expect(interpolate(text, places('me'), 'lite', of)).toBe(
      `${own} {dep:artifacts:path} {dep:configuration:/key} {other:work:path} {x:y}`,
    );
  });
});

describe('the artifact store', () => {
  const s3With = (bytes: Uint8Array): S3Client =>
    ({ send: async () => ({ Body: Readable.from(Buffer.from(bytes)) }) }) as unknown as S3Client;
  const zipPlan: ArtifactPlan = {
    uri: 's3://b/k/t.zip',
    fileName: 't.zip',
    unzip: true,
    mode: 0o500,
    digest: undefined,
  };

  it('refuses an archive that is none, and one that writes outside its folder', async () => {
    const store = new ArtifactStore(folder());
    await expect(store.ensure('a', '1.0.0', [zipPlan], s3With(strToU8('no zip')))).rejects.toThrow('no ZIP');
    const evil = zipSync({ '../../escape': strToU8('x') });
    await expect(store.ensure('a', '1.0.1', [zipPlan], s3With(evil))).rejects.toThrow('outside its folder');
  });

  it('passes on an error of the network so that it is tried again', async () => {
    const s3 = { send: async () => Promise.reject(new Error('socket hang up')) } as unknown as S3Client;
    await expect(new ArtifactStore(folder()).ensure('a', '1.0.0', [zipPlan], s3)).rejects.toThrow(/^socket hang up$/);
  });

  it('deletes the versions nobody keeps', async () => {
    const root = folder();
    const store = new ArtifactStore(root);
    const zip = zipSync({ f: strToU8('x') });
    for (const version of ['1.0.0', '1.0.1']) await store.ensure('a', version, [zipPlan], s3With(zip));
    await store.prune(new Set(['a 1.0.1']));
    expect(() => readFileSync(join(store.artifactsPath('a', '1.0.0'), 't.zip'))).toThrow('ENOENT');
    expect(readFileSync(join(store.decompressedPath('a', '1.0.1'), 't', 'f'), 'utf8')).toBe('x');
  });
});

describe('the rest of a device', () => {
  it('says which state file cannot be read', () => {
    const root = folder();
    saveState(root, { components: [], underway: null, finished: null });
    expect(loadState(root).components).toEqual([]);
    mkdirSync(join(root, 'config'), { recursive: true });
    writeFileSync(join(root, 'config/state.json'), '{');
    expect(() => loadState(root)).toThrow(/state\.json cannot be read; delete the device's folder/);
  });

  it('keeps socket paths short', () => {
    expect(socketPathIn('/gg', 'ipc.socket')).toBe('/gg/ipc.socket');
    const long = socketPathIn(`/${'x'.repeat(120)}`, 'ipc.socket');
    expect(long.length).toBeLessThan(108);
    expect(long).not.toBe(socketPathIn(`/${'y'.repeat(120)}`, 'ipc.socket'));
  });

  it('answers an unknown control request with its error, and a device that is not there is named', async () => {
    const path = join(folder(), 'c.sock');
    await expect(askDevice(path, { op: 'status' })).rejects.toThrow(/cannot be reached/);
    cleanups.push(
      await serveControl(path, () => {
        throw new Error('not now');
      }),
    );
    await expect(askDevice(path, { op: 'status' })).rejects.toThrow(/refused .*not now/);
    await expect(askDevice(path, { op: 'dance' } as never)).rejects.toThrow('refused');
  });

  it('gives credentials only to components that may have them, and says 500 when the role cannot be had', async () => {
    let answer = true;
    const sts = createServer((_request, response) => {
      const expiration = new Date(Date.now() + 3_600_000).toISOString();
      response.writeHead(answer ? 200 : 403, { 'content-type': 'text/xml' });
      response.end(
        answer
          ? `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>SK</SecretAccessKey><SessionToken>T</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
          : '<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
      );
    });
    await new Promise<void>((resolve) => sts.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      sts.closeAllConnections();
      return new Promise<void>((resolve) => sts.close(() => resolve()));
    });
    const start = async () => {
      const exchange = await startTokenExchange({
        stsUrl: `http://127.0.0.1:${(sts.address() as { port: number }).port}`,
        region: 'us-east-1',
        roleArn: 'arn:aws:iam::000000000000:role/device',
        thingName: 'thing',
        bootstrap: { accessKeyId: 'test', secretAccessKey: 'test' },
        mayHaveCredentials: (token) => token === 'good',
        log: () => undefined,
      });
      cleanups.push(() => exchange.stop());
      return exchange;
    };
    const ask = (url: string, authorization: string) => fetch(url, { headers: { authorization } });
    const exchange = await start();
    const good = await ask(exchange.url, 'good');
    expect(await good.json()).toMatchObject({ AccessKeyId: 'AK', SecretAccessKey: 'SK', Token: 'T' });
    expect((await ask(exchange.url, 'bad')).status).toBe(403);
    expect((await ask(exchange.url.replace('credentialprovider', 'x'), 'good')).status).toBe(404);
    answer = false;
    expect((await ask(exchange.url, 'good')).status).toBe(200);
    expect((await ask((await start()).url, 'good')).status).toBe(500);
  });

  it('names a missing argument and missing credentials', () => {
    const main = join(process.cwd(), 'local/greengrass/core-device/main.ts');
    const run = (args: string[]) => spawnSync(process.execPath, [main, ...args], { env: { PATH: process.env.PATH } });
    expect(run([]).stderr.toString()).toMatch(/core device: --thing-name/);
    const url = 'http://127.0.0.1:1';
    const all = { 'thing-name': 't', root: folder(), 'control-plane': url, 'aws-url': url, mqtt: 'h:1', cert: 'c' };
    const rest = { key: 'k', ca: 'c', 'role-arn': 'arn:x' };
    const args = Object.entries({ ...all, ...rest }).flatMap(([name, value]) => [`--${name}`, value]);
    expect(run(args).stderr.toString()).toMatch(/set AWS_ACCESS_KEY_ID/);
  });
});
