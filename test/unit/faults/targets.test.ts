import { makeChaos } from '../../../local/faults/chaos.ts';
import type { Process } from '../../../local/faults/processes.ts';
import { deviceProcessOf, emulatorOf, jobsOf, workersOf } from '../../../local/faults/targets.ts';
import { localPlant } from './plant.ts';

const STATE = '/srv/plant';
const plant = localPlant(STATE);
const p = (pid: number, parent: number, args: string, cwd = '/'): Process => ({
  pid,
  parent,
  args: args.split(' '),
  cwd,
});
const worker = (pid: number, name: string, state = STATE, parent = 11): Process =>
  p(pid, parent, `node ${state}/aws/tmp/ministack-lambda-${name}-ab_c12x9/_worker.js`);
const OURS = [
  p(10, 1, 'node local/start/main.ts'),
  p(11, 10, 'python -u /repo/local/aws/launcher.py', `${STATE}/aws`),
  worker(21, 'millwright-local-gate'),
  worker(22, 'millwright-local-ledger-writer'),
  p(12, 10, 'node /repo/local/sagemaker/main.ts'),
  p(31, 12, 'node /repo/local/sagemaker/guard.ts python -m millwright_training train'),
  p(32, 31, 'python -m millwright_training train'),
  p(41, 10, `node /repo/local/greengrass/core-device/main.ts --thing-name t --root ${STATE}/devices/edge-1`),
];
const scene = (processes: readonly Process[]) => ({ plant, stateDir: STATE, processes });

test('workers are known by the function whose code they run', () => {
  expect(workersOf(scene(OURS))).toEqual([
    { function: 'millwright-local-gate', pid: 21 },
    { function: 'millwright-local-ledger-writer', pid: 22 },
  ]);
});

test('a worker of another plant is not ours', () => {
  const others = [
    ...OURS,
    worker(23, 'millwright-local-gate', '/srv/other'),
    worker(24, 'millwright-local-gate', STATE, 999),
  ];
  expect(workersOf(scene(others)).map((w) => w.pid)).toEqual([21, 22]);
});

test('a process that took the id of the local AWS is not the local AWS', () => {
  const reused = OURS.map((x) => (x.pid === 11 ? p(11, 10, 'vim launcher.py', '/home') : x));
  expect(emulatorOf(scene(OURS))?.pid).toBe(11);
  expect(emulatorOf(scene(reused))).toBeNull();
  expect(workersOf(scene(reused))).toEqual([]);
});

test('a job is the program that its guard started', () => {
  expect(jobsOf(scene(OURS))).toEqual([{ program: '-m millwright_training train', pid: 32 }]);
  expect(jobsOf(scene(OURS.filter((x) => x.pid !== 12)))).toEqual([]);
});

test('a device is the process with its root folder', () => {
  expect(deviceProcessOf(scene(OURS), 'edge-1')?.pid).toBe(41);
  const reused = OURS.map((x) => (x.pid === 41 ? p(41, 10, 'node --root /elsewhere') : x));
  expect(deviceProcessOf(scene(reused), 'edge-1')).toBeNull();
  expect(deviceProcessOf(scene(OURS), 'edge-9')).toBeNull();
});

const chaosOn = (processes: readonly Process[], killed: number[] = []) =>
  makeChaos({
    plant,
    stateDir: STATE,
    now: () => '2026-01-01T00:00:00.000Z',
    processes: { list: () => processes, kill: (pid) => void killed.push(pid) },
    switchNetwork: async (root, on) => void killed.push(Number(on), root.length),
  });

test('one process is killed: the one that was meant', () => {
  const killed: number[] = [];
  const chaos = chaosOn(OURS, killed);
  expect(chaos.killWorker('ledger-writer', 1).did).toContain('millwright-local-ledger-writer (process 22)');
  chaos.killEmulator();
  chaos.killDevice('edge-1');
  chaos.killTrainer(1);
  expect(killed).toEqual([22, 11, 41, 32]);
});

test('any worker is chosen by the seed, the same for the same seed', () => {
  const killed: number[] = [];
  const chaos = chaosOn(OURS, killed);
  for (let seed = 0; seed < 20; seed++) for (let again = 0; again < 2; again++) chaos.killWorker(null, seed);
  const pairs = Array.from({ length: 20 }, (_, i) => killed.slice(2 * i, 2 * i + 2));
  expect(pairs.every(([a, b]) => a === b)).toBe(true);
  expect(new Set(killed)).toEqual(new Set([21, 22]));
});

test.each([
  ['no Lambda worker runs', () => chaosOn(OURS.slice(0, 2)).killWorker(null, 1)],
  ['no Lambda worker of "query" runs', () => chaosOn(OURS).killWorker('query', 1)],
  ['the local AWS does not run', () => chaosOn([]).killEmulator()],
  ['the plant has no device "edge-9"', () => chaosOn(OURS).killDevice('edge-9')],
  ['edge-1 does not run', () => chaosOn([]).killDevice('edge-1')],
  ['no training or processing job runs', () => chaosOn([]).killTrainer(1)],
])('%s is told, and nothing is killed', (message, order) => {
  expect(order).toThrow(message);
});

test('a network is switched on the device that was named', async () => {
  const asked: number[] = [];
  const done = await chaosOn(OURS, asked).network('edge-1', false);
  expect(done.did).toBe('cut edge-1 off from the cloud; its machines still reach it');
  expect(asked).toEqual([0, `${STATE}/devices/edge-1`.length]);
  await expect(chaosOn(OURS).network('edge-9', true)).rejects.toThrow('no device "edge-9"');
});
