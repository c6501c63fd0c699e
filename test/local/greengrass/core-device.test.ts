import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import mqtt from 'mqtt';
import { isRunning } from '../../../local/greengrass/core-device/process-guard.ts';
import type { Device } from '../../../local/greengrass/core-device/start-core-device.ts';
import type { Nucleus } from '../../../local/greengrass/ipc/start-ipc.ts';
import { type Cloud, startCloud } from './core-device-fixtures/cloud.ts';
import { ScriptedControlPlane, sha256 } from './core-device-fixtures/scripted-control-plane.ts';

jest.setTimeout(120_000);

const THING = 'local-plant-a-edge-1';
const CLIENT = join(process.cwd(), 'test/local/greengrass/core-device-fixtures/component.mjs');
let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud(THING);
});
afterAll(() => cloud?.stop());

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Bench {
  readonly plane: ScriptedControlPlane;
  readonly root: string;
  device: Device;
  start(): Promise<Device>;
  component(name: string): Promise<{ version: string; state: string; detail: string; pids: number[] }>;
  read(path: string): string;
  /** Content of a file once it is there and not empty. */
  written(path: string): Promise<string>;
}

const bench = async (nucleus: Nucleus): Promise<Bench> => {
  const plane = new ScriptedControlPlane();
  await plane.start();
  cleanups.push(() => plane.stop());
  const root = mkdtempSync(join(tmpdir(), 'mw-dev-'));
  cleanups.push(() => rmSync(root, { recursive: true, force: true }));
  const start = async (): Promise<Device> => {
    const device = await cloud.startDevice(root, plane.url, nucleus);
    cleanups.push(() => device.stop());
    return device;
  };
  const made: Bench = {
    plane,
    root,
    device: await start(),
    start,
    component: async (name) => {
      const found = (await made.device.overview()).components.find((c) => c.name === name);
      if (found === undefined) throw new Error(`no component ${name}`);
      return found;
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    written: (path) =>
      plane.until(() => {
        try {
          return readFileSync(join(root, path), 'utf8') || undefined;
        } catch {
          return undefined;
        }
      }, path),
  };
  return made;
};

const forever = 'exec sleep 600';
const TOKEN_EXCHANGE = 'aws.greengrass.TokenExchangeService';
const withCredentials = { [TOKEN_EXCHANGE]: { VersionRequirement: '^2.0.0', DependencyType: 'HARD' as const } };
const tokenExchange = { name: TOKEN_EXCHANGE, version: '2.0.3' };

describe('a simulated core device', () => {
  it('brings a component with artifacts, configuration and environment to RUNNING', async () => {
    const b = await bench('classic');
    const plain = strToU8('plain text');
    const zip = zipSync({ 'inner/tool.sh': strToU8('#!/bin/sh\necho tool $1\n') });
    const id = b.plane.deploy([
      {
        name: 'test.hello',
        version: '1.0.0',
        defaults: { greeting: 'hello', list: [1, 2] },
        merge: { greeting: 'good morning', list: [3] },
        artifacts: [
          { Uri: await cloud.put('allowed/plain.txt', plain), Digest: sha256(plain), Algorithm: 'SHA-256' },
          {
            Uri: await cloud.put('allowed/tools.zip', zip),
            Digest: sha256(zip),
            Algorithm: 'SHA-256',
            Unarchive: 'ZIP',
            Permission: { Read: 'ALL', Execute: 'ALL' },
          },
        ],
        lifecycle: {
          setenv: { GREETING: '{configuration:/greeting} {configuration:/list} {configuration:/none}' },
          install: { Script: 'cat {artifacts:path}/plain.txt > installed' },
          run: {
            Script: `{artifacts:decompressedPath}/tools/inner/tool.sh {iot:thingName} > tool; env > environment; pwd > here; ${forever}`,
          },
        },
      },
    ]);
    expect(await b.plane.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await b.component('test.hello')).toMatchObject({ version: '1.0.0', state: 'RUNNING' });
    await b.written('work/test.hello/here');
    expect(b.read('work/test.hello/installed')).toBe('plain text');
    expect(b.read('work/test.hello/tool')).toBe(`tool ${THING}\n`);
    expect(b.read('work/test.hello/here').trim()).toBe(join(b.root, 'work/test.hello'));
    const environment = b.read('work/test.hello/environment');
    expect(environment).toContain('GREETING=good morning [3] {configuration:/none}');
    for (const name of [
      'SVCUID',
      'AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT',
      'AWS_CONTAINER_AUTHORIZATION_TOKEN',
      'AWS_IOT_THING_NAME',
      'AWS_REGION',
      'GGC_VERSION',
      'GG_ROOT_CA_PATH',
      'AWS_ENDPOINT_URL',
    ])
      expect(environment).toMatch(new RegExp(`^${name}=.`, 'm'));
    for (const name of ['AWS_SECRET_ACCESS_KEY', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'])
      expect(environment).not.toContain(name);
    const mode = (path: string): number => statSync(join(b.root, path)).mode & 0o777;
    expect(mode('packages/artifacts/test.hello/1.0.0/plain.txt')).toBe(0o400);
    expect(mode('packages/artifacts-unarchived/test.hello/1.0.0/tools/inner/tool.sh')).toBe(0o555);
    expect(b.plane.statusReports.at(-1)).toMatchObject({
      trigger: 'THING_GROUP_DEPLOYMENT',
      status: 'HEALTHY',
      runtime: 'aws_nucleus_classic',
      components: [{ name: 'test.hello', version: '1.0.0', state: 'RUNNING', isRoot: true }],
    });
  });

  it('fails a deployment whose artifact has another digest, and changes nothing', async () => {
    const b = await bench('classic');
    const first = b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle: { run: forever } }]);
    await b.plane.ended(first);
    const bytes = strToU8('what was published');
    const uri = await cloud.put('allowed/changed.bin', strToU8('what is there now'));
    const id = b.plane.deploy([
      { name: 'test.a', version: '1.0.1', artifacts: [{ Uri: uri, Digest: sha256(bytes), Algorithm: 'SHA-256' }] },
    ]);
    expect(await b.plane.ended(id)).toMatchObject({
      status: 'FAILED',
      reason: expect.stringMatching(/^FAILED_NO_STATE_CHANGE: artifact .*changed\.bin: its SHA-256 is/),
      errorStack: ['DEPLOYMENT_FAILURE', 'ARTIFACT_DOWNLOAD_ERROR'],
    });
    expect(await b.component('test.a')).toMatchObject({ version: '1.0.0', state: 'RUNNING' });
  });

  it("fails a deployment whose artifact the device's role may not read", async () => {
    const b = await bench('classic');
    const uri = await cloud.put('secret/file.bin', strToU8('x'));
    const id = b.plane.deploy([{ name: 'test.a', version: '1.0.0', artifacts: [{ Uri: uri }] }]);
    expect((await b.plane.ended(id)).reason).toMatch(/FAILED_NO_STATE_CHANGE.*403/);
  });

  it('fails on lite when no manifest names a runtime', async () => {
    const b = await bench('lite');
    const id = b.plane.deploy([{ name: 'test.a', version: '1.0.0', platform: { os: 'linux' } }]);
    expect((await b.plane.ended(id)).reason).toMatch(/no manifest fits.*name a runtime/);
  });

  it('rolls back on classic when startup fails three times', async () => {
    const b = await bench('classic');
    const good = { name: 'test.a', version: '1.0.0', defaults: { mode: 'old' }, lifecycle: { run: forever } };
    await b.plane.ended(b.plane.deploy([good]));
    const id = b.plane.deploy([
      {
        name: 'test.a',
        version: '1.1.0',
        merge: { mode: 'new' },
        lifecycle: { startup: 'echo try >> tries; exit 7', recover: 'echo recover >> tries' },
      },
      { name: 'test.b', version: '1.0.0', lifecycle: { run: forever } },
    ]);
    const report = await b.plane.ended(id);
    expect(report).toMatchObject({ status: 'FAILED' });
    expect(report.reason).toMatch(
      /^FAILED_ROLLBACK_COMPLETE: component test.a 1.1.0 is BROKEN: startup ended with exit code 7/,
    );
    expect(b.read('work/test.a/tries')).toBe('try\nrecover\n'.repeat(3));
    const { components } = await b.device.overview();
    expect(components.map((c) => [c.name, c.version, c.state])).toEqual([['test.a', '1.0.0', 'RUNNING']]);
    expect(JSON.parse(b.read('config/state.json')).components[0].configuration).toEqual({ mode: 'old' });
  });

  it('does not roll back on classic when the deployment says DO_NOTHING', async () => {
    const b = await bench('classic');
    await b.plane.ended(b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle: { run: forever } }]));
    const bad = { name: 'test.a', version: '1.1.0', lifecycle: { startup: 'exit 7' } };
    const id = b.plane.deploy([bad], { failureHandlingPolicy: 'DO_NOTHING' });
    expect((await b.plane.ended(id)).reason).toMatch(/^FAILED_ROLLBACK_NOT_REQUESTED/);
    expect(await b.component('test.a')).toMatchObject({ version: '1.1.0', state: 'BROKEN' });
  });

  it('never rolls back on lite', async () => {
    const b = await bench('lite');
    await b.plane.ended(b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle: { run: forever } }]));
    const bad = { name: 'test.a', version: '1.1.0', lifecycle: { startup: 'set -e\nsh -c "exit 7"' } };
    expect((await b.plane.ended(b.plane.deploy([bad]))).reason).toMatch(/^FAILED_ROLLBACK_NOT_REQUESTED/);
    expect(await b.component('test.a')).toMatchObject({ version: '1.1.0', state: 'BROKEN' });
  });

  it('lets lite take a dead startup without set -e for a success, as the real one does', async () => {
    const b = await bench('lite');
    const id = b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle: { startup: 'sh -c "exit 7"' } }]);
    expect(await b.plane.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await b.component('test.a')).toMatchObject({ state: 'FINISHED', pids: [] });
  });

  it('fails a startup on lite that ends after exec without telling that it runs', async () => {
    const b = await bench('lite');
    const id = b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle: { startup: 'exec true' } }]);
    expect((await b.plane.ended(id)).reason).toMatch(/before it was ready/);
  });

  it('restarts a crashed component and calls it BROKEN the third time', async () => {
    const b = await bench('classic');
    const run = 'echo start >> starts; sleep 0.3; exit 3';
    await b.plane.ended(b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle: { run } }]));
    await b.plane.until(
      () => b.plane.statusReports.find((r) => r.components[0]?.state === 'BROKEN' && r.status === 'UNHEALTHY'),
      'BROKEN',
    );
    expect(b.read('work/test.a/starts')).toBe('start\n'.repeat(3));
  });

  it('does not restart a classic component for its configuration alone, and a lite one it does', async () => {
    for (const [nucleus, starts] of [
      ['classic', 1],
      ['lite', 2],
    ] as const) {
      const b = await bench(nucleus);
      const lifecycle = { run: `echo start >> starts; ${forever}` };
      const spec = { name: 'test.a', version: '1.0.0', defaults: { speed: '1' }, lifecycle };
      await b.plane.ended(b.plane.deploy([spec]));
      await b.plane.ended(b.plane.deploy([{ ...spec, merge: { speed: '2' } }]));
      await b.plane.until(
        () => (b.read('work/test.a/starts') === 'start\n'.repeat(starts) ? true : undefined),
        `${starts} starts on ${nucleus}`,
      );
      await b.device.stop();
    }
  });

  it('uninstalls what a deployment no longer names, and stops it through its shutdown step', async () => {
    const b = await bench('classic');
    const lifecycle = { run: forever, shutdown: 'echo bye > bye' };
    await b.plane.ended(b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle }]));
    const [pid] = (await b.component('test.a')).pids;
    await b.plane.ended(b.plane.deploy([{ name: 'test.b', version: '1.0.0', lifecycle: { run: forever } }]));
    expect((await b.device.overview()).components.map((c) => c.name)).toEqual(['test.b']);
    expect(b.read('work/test.a/bye')).toBe('bye\n');
    expect(isRunning(pid as number)).toBe(false);
  });

  it('starts a hard dependency first and waits until it runs', async () => {
    const b = await bench('classic');
    const first = { name: 'test.first', version: '1.0.0', lifecycle: { startup: 'sleep 0.5; touch ../ready' } };
    const id = b.plane.deploy([
      first,
      {
        name: 'test.second',
        version: '1.0.0',
        dependencies: { 'test.first': { VersionRequirement: '^1.0.0', DependencyType: 'HARD' } },
        lifecycle: { startup: 'test -e ../ready' },
      },
    ]);
    expect(await b.plane.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('resumes its components after a pulled plug, and the plug leaves nothing running', async () => {
    const b = await bench('classic');
    const lifecycle = { install: 'echo install >> log', run: `sleep 600 & echo $! > child; ${forever}` };
    await b.plane.ended(b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle }]));
    const { pids } = await b.component('test.a');
    expect(pids).toHaveLength(1);
    const child = Number(await b.written('work/test.a/child'));
    expect([...pids, child].filter(isRunning)).toHaveLength(2);
    await b.device.powerOff();
    expect([...pids, child].filter(isRunning)).toEqual([]);
    b.device = await b.start();
    await b.plane.until(
      () => (b.plane.statusReports.filter((r) => r.trigger === 'NUCLEUS_LAUNCH').length === 2 ? true : undefined),
      'the second launch',
    );
    for (;;) if ((await b.component('test.a')).state === 'RUNNING') break;
    expect(b.read('work/test.a/log')).toBe('install\ninstall\n');
  });

  it('takes a deployment up again that the plug interrupted', async () => {
    const b = await bench('classic');
    await b.plane.ended(b.plane.deploy([{ name: 'test.a', version: '1.0.0', lifecycle: { run: forever } }]));
    const startup = 'test -e again && exit 7; echo yes > begun; exec sleep 600';
    const id = b.plane.deploy([{ name: 'test.a', version: '1.1.0', lifecycle: { startup } }]);
    await b.written('work/test.a/begun');
    await b.device.powerOff();
    writeFileSync(join(b.root, 'work/test.a/again'), '');
    b.device = await b.start();
    expect((await b.plane.ended(id)).reason).toMatch(/^FAILED_ROLLBACK_COMPLETE/);
    expect(await b.component('test.a')).toMatchObject({ version: '1.0.0', state: 'RUNNING' });
  });

  it("gives components the device's role, IPC, and AWS IoT; classic keeps a message while offline", async () => {
    const b = await bench('classic');
    const received: string[] = [];
    const cloudSide = mqtt.connect({
      protocol: 'mqtts',
      host: '127.0.0.1',
      port: cloud.aws.mqttPort,
      clientId: 'cloud-side',
      connectTimeout: 5000,
      ca: readFileSync(cloud.certPaths.ca),
      cert: readFileSync(cloud.certPaths.cert),
      key: readFileSync(cloud.certPaths.key),
      protocolVersion: 4,
    });
    cleanups.push(() => cloudSide.endAsync(true));
    cloudSide.on('message', (_topic, payload) => received.push(payload.toString('utf8')));
    await cloudSide.subscribeAsync('plant/#', { qos: 1 });
    await cloud.put('allowed/data.txt', strToU8('from S3'));
    const id = b.plane.deploy([
      tokenExchange,
      {
        name: 'test.a',
        version: '1.0.0',
        dependencies: withCredentials,
        defaults: {
          bucket: 'device-artifacts',
          accessControl: {
            'aws.greengrass.ipc.mqttproxy': { p: { operations: ['*'], resources: ['plant/*'] } },
          },
        },
        lifecycle: { startup: { Script: `exec node ${CLIENT}` } },
      },
    ]);
    expect(await b.plane.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
    await b.plane.until(() => (received.includes('read: from S3') ? true : undefined), 'the component’s message');
    await b.device.network(false);
    await b.plane.until(() => {
      const log = b.read('logs/test.a.log');
      return log.includes('tick accepted offline') ? true : undefined;
    }, 'a message accepted offline');
    expect((await b.device.overview()).mqttConnected).toBe(false);
    await b.device.network(true);
    await b.plane.until(() => received.find((m) => m === 'tick offline'), 'the message kept offline');
  });

  it.each<[Nucleus, Record<string, string>]>([
    ['classic', { alone: '403', direct: '200', behind: '200' }],
    ['lite', { alone: '200', direct: '200', behind: '200' }],
  ])('%s gives credentials to the components that it would on a real device', async (nucleus, answers) => {
    const b = await bench(nucleus);
    // Asks where a component that may have credentials is told to, with the token that each component has.
    const script = (name: string): Record<string, unknown> => ({
      startup: {
        Script: `set -e\nenv > environment\nuntil [ -s ../test.direct/environment ]; do sleep 0.05; done\nurl=$(grep ^AWS_CONTAINER_CREDENTIALS_FULL_URI ../test.direct/environment | cut -d= -f2-)\nnode -e 'fetch(process.argv[1],{headers:{authorization:process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN}}).then((r)=>process.stdout.write(String(r.status)))' $url > ${name}`,
      },
    });
    const id = b.plane.deploy([
      tokenExchange,
      { name: 'test.alone', version: '1.0.0', lifecycle: script('alone') },
      { name: 'test.direct', version: '1.0.0', dependencies: withCredentials, lifecycle: script('direct') },
      {
        name: 'test.behind',
        version: '1.0.0',
        dependencies: { 'test.direct': { VersionRequirement: '^1.0.0', DependencyType: 'SOFT' } },
        lifecycle: script('behind'),
      },
    ]);
    expect(await b.plane.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
    const seen = Object.fromEntries(Object.keys(answers).map((name) => [name, b.read(`work/test.${name}/${name}`)]));
    expect(seen).toEqual(answers);
    for (const [name, answer] of Object.entries(answers))
      expect(b.read(`work/test.${name}/environment`).includes('AWS_CONTAINER_CREDENTIALS_FULL_URI')).toBe(
        answer === '200',
      );
  });

  it('refuses to publish at once on lite while offline', async () => {
    const b = await bench('lite');
    const id = b.plane.deploy([
      {
        name: 'test.a',
        version: '1.0.0',
        defaults: {
          bucket: 'device-artifacts',
          accessControl: {
            'aws.greengrass.ipc.mqttproxy': { p: { operations: ['*'], resources: ['plant/*'] } },
          },
        },
        lifecycle: { startup: { Script: `exec node ${CLIENT}` } },
      },
    ]);
    expect(await b.plane.ended(id)).toMatchObject({ status: 'SUCCEEDED' });
    await b.device.network(false);
    await b.plane.until(
      () => (b.read('logs/test.a.log').includes('tick refused offline: ServiceError') ? true : undefined),
      'the refusal',
    );
  });
});
