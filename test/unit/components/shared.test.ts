import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deviceOf, stateDirOf } from '../../../greengrass-components/shared/component.ts';
import {
  ConnectionLost,
  LineClient,
  runtimeSocketPath,
  serveLines,
} from '../../../greengrass-components/shared/line-socket.ts';

let dir: string;
let servers: Server[];
let clients: LineClient[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-line-'));
  servers = [];
  clients = [];
});
afterEach(async () => {
  for (const c of clients) c.close();
  for (const s of servers) await new Promise((resolve) => s.close(resolve));
  rmSync(dir, { recursive: true });
});
const client = (): LineClient => {
  const c = new LineClient(join(dir, 's.sock'));
  clients.push(c);
  return c;
};

describe('the name of a device', () => {
  it('is what the thing is called after stage and site', () => {
    expect(deviceOf('local-plant-a-edge-1', 'local', 'plant-a')).toBe('edge-1');
  });

  it('is refused when the thing is of another stage or site', () => {
    expect(() => deviceOf('local-plant-b-edge-1', 'local', 'plant-a')).toThrow('expected local-plant-a-<device>');
    expect(() => deviceOf(undefined, 'local', 'plant-a')).toThrow('AWS_IOT_THING_NAME is not set');
  });
});

it('the state folder must be given', () => {
  expect(stateDirOf(['--state-dir', '/x'])).toBe('/x');
  expect(() => stateDirOf([])).toThrow('expected --state-dir DIR');
});

describe('a socket path that the system would cut off', () => {
  const LONG = `/${'x'.repeat(120)}`;

  it('is moved into a folder of its own that only its user may enter, the same each time', () => {
    expect(runtimeSocketPath('/state', dir)).toBe('/state/runtime.sock');
    const path = runtimeSocketPath(LONG, dir);
    expect(path.length).toBeLessThan(100);
    expect(path.startsWith(`${dir}/mw-`)).toBe(true);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(runtimeSocketPath(LONG, dir)).toBe(path);
    expect(runtimeSocketPath(`${LONG}y`, dir)).not.toBe(path);
  });

  it('is refused where somebody else could have made the folder, or can enter it', () => {
    const folder = dirname(runtimeSocketPath(LONG, dir));
    chmodSync(folder, 0o755);
    expect(() => runtimeSocketPath(LONG, dir)).toThrow('remove it, or choose a shorter state folder');
    rmSync(folder, { recursive: true });
    mkdirSync(join(dir, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(dir, 'elsewhere'), folder);
    expect(() => runtimeSocketPath(LONG, dir)).toThrow('is not a folder that only this user may enter');
  });
});

it('a socket belongs to its user alone from its first moment', async () => {
  const before = process.umask();
  const listening = serveLines(join(dir, 's.sock'), async () => null);
  const { mode } = statSync(join(dir, 's.sock'));
  servers.push(await listening);
  expect(mode & 0o777).toBe(0o600);
  expect(process.umask()).toBe(before);
});

describe('requests over a socket', () => {
  it('get their own answers, in whatever order these come', async () => {
    servers.push(
      await serveLines(join(dir, 's.sock'), async ({ wait, say }) => {
        await new Promise((resolve) => setTimeout(resolve, wait as number));
        return say;
      }),
    );
    const c = client();
    const answers = [c.request({ wait: 20, say: 'slow' }, 5000), c.request({ wait: 0, say: 'fast' }, 5000)];
    expect(await Promise.all(answers)).toEqual(['slow', 'fast']);
  });

  it('are refused with message and name of the error', async () => {
    servers.push(
      await serveLines(join(dir, 's.sock'), async () => {
        throw new TypeError('no');
      }),
    );
    await expect(client().request({}, 5000)).rejects.toMatchObject({ name: 'TypeError', message: 'no' });
  });

  it('are lost when nobody listens, when nobody answers, and when the server goes; the next connects anew', async () => {
    const c = client();
    await expect(c.request({}, 5000)).rejects.toBeInstanceOf(ConnectionLost);
    const silent = createServer((socket) => socket.on('data', () => {}));
    await new Promise<void>((resolve) => silent.listen(join(dir, 's.sock'), resolve));
    await expect(c.request({}, 20)).rejects.toThrow('no answer within 20 ms');
    c.close();
    await new Promise((resolve) => silent.close(resolve));
    servers.push(await serveLines(join(dir, 's.sock'), async () => 'back'));
    expect(await c.request({}, 5000)).toBe('back');
  });

  it('that are no JSON are answered with an error', async () => {
    servers.push(await serveLines(join(dir, 's.sock'), async () => 1));
    const { connect } = await import('node:net');
    const socket = connect(join(dir, 's.sock'));
    socket.write('nonsense\n');
    const [answer] = await new Promise<[Buffer]>((resolve) => socket.once('data', (d) => resolve([d])));
    expect(JSON.parse(answer.toString())).toEqual({ error: 'expected one JSON document a line' });
    socket.destroy();
  });
});
