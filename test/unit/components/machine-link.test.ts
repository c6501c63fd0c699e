import { createServer, type Server, type Socket } from 'node:net';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import { ContractError } from '#core/contracts/errors.ts';
import { type LinkDeps, MachineLink } from '../../../greengrass-components/connector-jsonl/machine-link.ts';
import { onLines } from '../../../greengrass-components/shared/line-socket.ts';
import { makeFrame } from '../../support/model-package.ts';

let server: Server;
let link: MachineLink;
let sockets: Socket[];
let answers: { ack: { run: string; index: number }; verdict: string }[];
let connections: number;

/** A machine that sends the given lines at each connection. */
const start = async (
  lines: readonly string[],
  decide: LinkDeps['decide'],
  read: LinkDeps['read'] = async () => {},
): Promise<void> => {
  sockets = [];
  answers = [];
  connections = 0;
  server = createServer((socket) => {
    connections += 1;
    sockets.push(socket);
    socket.on('error', () => {});
    onLines(socket, (line) => answers.push(JSON.parse(line) as (typeof answers)[number]));
    for (const line of lines) socket.write(`${line}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  link = new MachineLink({ asset: 'spindle-1', host: '127.0.0.1', port }, { decide, read, log: () => {} });
  link.open();
};
afterEach(async () => {
  link.close();
  for (const s of sockets) s.destroy();
  await new Promise((resolve) => server.close(resolve));
});
const until = async (check: () => boolean): Promise<void> => {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 10));
};
const decided = (frame: unknown): DecisionRecord => {
  const { run, index } = frame as { run: string; index: number };
  return { id: 'x', run, index, verdict: 'pass', value: 1 } as DecisionRecord;
};

describe('the link to a machine', () => {
  it('brings the verdict of each frame', async () => {
    await start([JSON.stringify(makeFrame(1, 1)), JSON.stringify(makeFrame(2, 1))], async (f) => decided(f));
    await until(() => answers.length === 2);
    expect(answers[1]).toEqual({ ack: { run: 'run-1', index: 2 }, id: 'x', verdict: 'pass', value: 1 });
  });

  it('says so when a frame is refused, so that the machine goes on', async () => {
    await start([JSON.stringify(makeFrame(1, 1))], async () => {
      throw new ContractError('frame', ['bad']);
    });
    await until(() => answers.length === 1);
    expect(answers[0]).toMatchObject({ ack: { run: 'run-1', index: 1 }, verdict: 'refused' });
  });

  it('connects anew when the runtime did not take a frame, and the machine sends it again', async () => {
    let tries = 0;
    await start([JSON.stringify(makeFrame(1, 1))], async (f) => {
      tries += 1;
      if (tries === 1) throw new Error('runtime away');
      return decided(f);
    });
    await until(() => answers.length === 1);
    expect(connections).toBe(2);
    expect(answers[0]?.verdict).toBe('pass');
  });

  it('connects anew when the machine sends what is no JSON', async () => {
    await start(['nonsense'], async (f) => decided(f));
    await until(() => connections === 2);
    expect(answers).toEqual([]);
  });

  const reading = JSON.stringify({ schema: 'reading/1', session: 's1', n: 7, points: [] });
  const never = async (): Promise<DecisionRecord> => {
    throw new Error('no frame came');
  };

  it('answers a reading once it is kept, and brings the verdicts of the frames that it completed', async () => {
    await start([reading], never, async (_, tell) => tell(decided(makeFrame(3, 1))));
    await until(() => answers.length === 2);
    expect(answers).toEqual([
      { ack: { run: 'run-1', index: 3 }, id: 'x', verdict: 'pass', value: 1 },
      { ack: { session: 's1', n: 7 } },
    ]);
  });

  it('says so when a reading is refused, so that the machine goes on', async () => {
    await start([reading], never, async () => {
      throw new ContractError('reading', ['bad']);
    });
    await until(() => answers.length === 1);
    expect(answers).toEqual([{ ack: { session: 's1', n: 7 }, refused: 'reading does not match its contract: bad' }]);
  });

  it('connects anew when a reading could not be kept, and the machine sends it again', async () => {
    let tries = 0;
    await start([reading], never, async () => {
      tries += 1;
      if (tries === 1) throw new Error('the disk is full');
    });
    await until(() => answers.length === 1);
    expect(connections).toBe(2);
  });
});
