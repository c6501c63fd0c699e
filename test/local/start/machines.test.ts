import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Frame } from '../../../core/contracts/frame.ts';
import type { LiveRun } from '../../../core/contracts/source.ts';
import {
  type AnsweredFrame,
  laneName,
  type Machines,
  type MachinesOptions,
  startMachines,
} from '../../../local/plant/machines.ts';

const HOUR_MS = 3_600_000;
const T0 = Date.parse('2010-01-01T00:00:00.000Z');

const run = (asset: string, name: string, count: number): LiveRun => ({
  asset,
  run: name,
  remainingAtEnd: 5,
  frames: Array.from({ length: count }, (_, i) => ({
    schema: 'frame/1' as const,
    site: 'plant-a',
    asset,
    run: name,
    index: i + 1,
    context: 'normal',
    sourceTime: new Date(T0 + i * HOUR_MS).toISOString(),
    receivedTime: new Date(T0 + i * HOUR_MS).toISOString(),
    signals: { speed: { value: i, quality: 'GOOD' as const } },
  })),
});

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const start = async (
  runs: readonly LiveRun[],
  onAnswer?: (a: AnsweredFrame) => void,
  more: Partial<MachinesOptions> = {},
): Promise<Machines> => {
  const options = { paceMs: 0, ...(onAnswer ? { onAnswer } : {}), ...more };
  const machines = await startMachines([{ machine: 'm1', runs }], options);
  open.push(() => machines.close());
  return machines;
};

const connector = (machines: Machines, onFrame: (frame: Frame, socket: Socket) => void): Socket => {
  const socket = connect(machines.endpoints[0]?.port as number, '127.0.0.1');
  open.push(() => void socket.destroy());
  socket.on('error', () => {});
  createInterface({ input: socket }).on('line', (line) => onFrame(JSON.parse(line), socket));
  return socket;
};

const answer = (frame: Frame, socket: Socket): void => {
  const ack = { run: frame.run, index: frame.index };
  socket.write(`${JSON.stringify({ ack, id: `plant-a/edge-1/b/${frame.index}`, verdict: 'pass', value: 7 })}\n`);
};

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('simulated machines', () => {
  test('rest when told: nothing more is sent, and what was sent is answered first', async () => {
    const machines = await start([run('a', 'r1', 500)]);
    const held: (() => void)[] = [];
    let sent = 0;
    connector(machines, (frame, socket) => {
      sent++;
      held.push(() => answer(frame, socket));
    });
    void machines.play(1, { repeat: true });
    await until(() => sent >= 8);
    let rested = false;
    const resting = machines.rest().then(() => {
      rested = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(rested).toBe(false);
    for (const reply of held) reply();
    await resting;
    expect([sent, machines.stats()[0]?.answered]).toEqual([8, 8]);
  });

  test('live through other runs than their own when told, and then through their own again', async () => {
    const seen: string[] = [];
    const machines = await start([run('a', 'own', 2)]);
    connector(machines, (frame, socket) => {
      seen.push(`${frame.asset} ${frame.run}/${frame.index}`);
      answer(frame, socket);
    });
    await machines.play(1, { runs: [[run('b', 'other', 2)]] });
    await machines.play(2);
    expect(seen).toEqual(['b other-l1/1', 'b other-l1/2', 'a own-l2/1', 'a own-l2/2']);
  });

  test('send every frame in order and finish when each is answered', async () => {
    const seen: string[] = [];
    const machines = await start([run('a', 'r1', 20), run('a', 'r2', 3)]);
    connector(machines, (frame, socket) => {
      seen.push(`${frame.run}/${frame.index}`);
      answer(frame, socket);
    });
    await machines.play(1);
    expect(seen).toHaveLength(23);
    expect(seen[0]).toBe('r1-l1/1');
    expect(seen.at(-1)).toBe('r2-l1/3');
    expect(machines.stats()[0]).toMatchObject({ answered: 23, sent: 23, verdicts: { pass: 23 } });
  });

  test('keep at most eight frames without an answer', async () => {
    const seen: number[] = [];
    const machines = await start([run('a', 'r1', 20)]);
    connector(machines, (frame) => seen.push(frame.index));
    void machines.play(1);
    await until(() => seen.length === 8);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('send unanswered frames again after a reconnect, and no answered one', async () => {
    const machines = await start([run('a', 'r1', 6)]);
    const first: number[] = [];
    const dying = connector(machines, (frame, socket) => {
      first.push(frame.index);
      if (frame.index <= 2) answer(frame, socket);
    });
    const through = machines.play(1);
    await until(() => first.length === 6 && machines.stats()[0]?.answered === 2);
    dying.destroy();
    await until(() => machines.stats()[0]?.connected === false);
    const second: number[] = [];
    connector(machines, (frame, socket) => {
      second.push(frame.index);
      answer(frame, socket);
    });
    await through;
    expect(second).toEqual([3, 4, 5, 6]);
  });

  test('drop a connector that does not speak the protocol, and keep its frames for the next', async () => {
    const machines = await start([run('a', 'r1', 2)]);
    const through = machines.play(1);
    const rude = connector(machines, (_, socket) => void socket.write('{"hello":1}\n'));
    await new Promise((resolve) => rude.once('close', resolve));
    connector(machines, answer);
    await through;
    expect(machines.stats()[0]?.answered).toBe(2);
  });

  test('tell the asset, lap and latency of each answer', async () => {
    const answers: AnsweredFrame[] = [];
    const machines = await start([run('a', 'r1', 1)], (a) => answers.push(a));
    connector(machines, answer);
    await machines.play(4);
    expect(answers[0]).toMatchObject({ asset: 'a', lap: 4, verdict: 'pass', value: 7, machine: 'm1' });
    expect(answers[0]?.latencyMs).toBeGreaterThanOrEqual(0);
  });

  test('name a repeated round so that no frame has the name of an earlier one', async () => {
    const seen: string[] = [];
    const machines = await start([run('a', 'r1', 2)]);
    connector(machines, (frame, socket) => {
      if (seen.length < 6) answer(frame, socket);
      seen.push(`${frame.run}/${frame.index}`);
    });
    void machines.play(2, { repeat: true });
    await until(() => seen.length >= 6);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen[2]).toBe('r1-l2r1/1');
  });

  test('never go back in time, over rounds, laps and starts', async () => {
    const times: number[] = [];
    let lived: number | null = null;
    const take = (machines: Machines): Socket =>
      connector(machines, (frame, socket) => {
        times.push(Date.parse(frame.sourceTime));
        answer(frame, socket);
      });
    const onLived = (until: number): void => {
      lived = until;
    };
    const first = await start([run('a', 'r1', 3), run('a', 'r2', 2)], undefined, { onLived });
    take(first);
    void first.play(1, { repeat: true });
    await until(() => times.length > 12);
    await first.rest();
    await first.play(2, { runs: [[run('b', 'r1', 2)]] });
    await first.close();
    const again = await start([run('a', 'r1', 3)], undefined, { livedUntil: lived, onLived });
    take(again);
    expect(again.moved()).toBeGreaterThan(0);
    await again.play(3);
    expect(times.length).toBeGreaterThan(17);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  });

  test('say until when they live before they send a frame of it', async () => {
    const said: number[] = [];
    const seen: number[] = [];
    const machines = await start([run('a', 'r1', 3)], undefined, { onLived: (at) => said.push(at) });
    connector(machines, (frame, socket) => {
      seen.push(said.length);
      answer(frame, socket);
    });
    await machines.play(1);
    expect(said).toEqual([T0 + 2 * HOUR_MS]);
    expect(seen).toEqual([1, 1, 1]);
  });

  test('send nothing that has not happened yet', async () => {
    let present = T0 + HOUR_MS;
    const seen: number[] = [];
    const machines = await start([run('a', 'r1', 4)], undefined, { now: () => present });
    const socket = connector(machines, (frame, s) => {
      seen.push(frame.index);
      answer(frame, s);
    });
    const through = machines.play(1);
    await until(() => machines.stats()[0]?.answered === 2);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(seen).toEqual([1, 2]);
    present = T0 + 10 * HOUR_MS;
    // A connection that comes back looks again at once, not only after a minute.
    socket.destroy();
    await until(() => machines.stats()[0]?.connected === false);
    connector(machines, (frame, s) => {
      seen.push(frame.index);
      answer(frame, s);
    });
    await through;
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test('a lane is named by its asset, or as a stand when many assets pass over it', () => {
    expect(laneName([run('a', 'r1', 1), run('a', 'r2', 1)], 1)).toBe('a');
    expect(laneName([run('a', 'r1', 1), run('b', 'r1', 1)], 2)).toBe('stand-2');
  });

  test('take the port they had, and another when that is taken', async () => {
    const first = await start([run('a', 'r1', 1)]);
    const port = first.endpoints[0]?.port as number;
    const lane = { machine: 'm2', runs: [run('a', 'r1', 1)], port };
    const other = await startMachines([lane], { paceMs: 0 });
    open.push(() => other.close());
    expect(other.endpoints[0]?.port).not.toBe(port);
    await first.close();
    const again = await startMachines([lane], { paceMs: 0 });
    open.push(() => again.close());
    expect(again.endpoints[0]?.port).toBe(port);
  });
});
