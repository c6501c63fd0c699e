import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsIn } from '../../../local/faults/faults-file.ts';
import { localPlant } from '../faults/plant.ts';
import { fakeWorld, NOW, runWith } from './fakes.ts';

let dir: string;
const local = () => fakeWorld({ plant: localPlant(dir), plantDir: dir });

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-chaos-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test.each([
  [['kill', 'emulator']],
  [['kill', 'worker']],
  [['kill', 'device', 'edge-1']],
  [['kill', 'trainer']],
  [['network', 'edge-1', 'off']],
  [['messages', '--drop', '1']],
  [['throttle', 's3']],
  [['stop']],
  [['status']],
])('chaos %j is refused on a stage in AWS', async (args) => {
  const { code, err } = await runWith(fakeWorld(), ['chaos', ...args]);
  expect(code).toBe(2);
  expect(err).toContain('chaos is for the local plant only');
});

test('faults of messages are put in force with all that was said', async () => {
  const { code, out } = await runWith(local(), [
    ...['chaos', 'messages', '--drop', '0.1', '--delay', '2s', '--repeat', '0.1'],
    ...['--from', 'iot', '--for', '30s', '--seed', '9'],
  ]);
  expect(code).toBe(0);
  expect(out).toContain('messages of iot: 10 % lost, 10 % twice, all 2 s late, until 2026-01-02T00:00:30.000Z');
  expect(out).toContain('Expect:');
  expect(faultsIn(dir, NOW)).toMatchObject({
    seed: 9,
    messages: { carriers: ['iot'], drop: 0.1, repeat: 0.1, delaySeconds: 2 },
  });
});

test('a throttle is put in force, shown, and taken back', async () => {
  await runWith(local(), ['chaos', 'throttle', 'lambda', '--share', '0.3']);
  expect((await runWith(local(), ['chaos', 'status'])).out).toContain('lambda: 0.3 refused');
  const json = JSON.parse((await runWith(local(), ['chaos', 'status', '--json'])).out);
  expect(json.faults.throttles).toEqual([{ service: 'lambda', share: 0.3, until: null }]);
  await runWith(local(), ['chaos', 'stop']);
  expect(faultsIn(dir, NOW)).toBeNull();
});

test.each([
  [['throttle', 'ec2'], '"ec2" is no service that can be throttled'],
  [['throttle', 's3', '--share', '2'], '"2" is no share'],
  [['throttle', 's3', '--for', 'ever'], '"ever" is no duration'],
  [['messages', '--drop', 'all'], '"all" is no share'],
  [['messages', '--drop', '1', '--from', 'pigeons'], '"pigeons" is no carrier'],
  [['messages', '--drop', '1', '--seed', 'x'], '"x" is no seed'],
  [['network', 'edge-1', 'up'], '"up" is no state of a network'],
  [['messages'], 'nothing would happen to any message'],
  [['throttle', 's3', '--share', '0'], 'no request to s3 would be refused'],
])('chaos %j is refused: %s', async (args, message) => {
  const { code, err } = await runWith(local(), ['chaos', ...args]);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(faultsIn(dir, NOW)).toBeNull();
});

test('an order that would do nothing says what to give', async () => {
  expect((await runWith(local(), ['chaos', 'messages'])).err).toContain('say --drop, --delay or --repeat');
});

test('what does not run cannot be killed, and the way out is told', async () => {
  const { code, err } = await runWith(local(), ['chaos', 'kill', 'trainer']);
  expect(code).toBe(3);
  expect(err).toContain('no training or processing job runs');
});
