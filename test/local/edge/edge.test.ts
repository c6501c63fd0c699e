import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { DecisionObjectHeader, DecisionRecord } from '#core/contracts/decision.ts';
import { DeviceReport } from '#core/contracts/device.ts';
import { ObservationMessage } from '#core/contracts/observation.ts';
import { QualityMessage } from '#core/contracts/quality.ts';
import { merkleRoot } from '#core/lineage/digest.ts';
import { makeFrame, makePackage, newSigner, writePackage } from '../../support/model-package.ts';
import {
  buildEdgeComponents,
  DEVICE,
  type EdgeDevice,
  runtimeConfiguration,
  SITE,
  STAGE,
  startEdgeDevice,
  until,
} from './edge-device.ts';

const signer = newSigner();
let device: EdgeDevice;
let closing: (() => Promise<unknown> | unknown)[];

beforeAll(buildEdgeComponents, 120_000);
beforeEach(async () => {
  closing = [];
  device = await startEdgeDevice({
    'millwright.runtime': runtimeConfiguration(signer),
    'millwright.uplink': {
      stage: STAGE,
      site: SITE,
      lakeBucket: 'lake-bucket',
      uploadEvery: '4',
      uploadSeconds: '1',
      accessControl: {
        'aws.greengrass.ipc.mqttproxy': {
          'test:1': { operations: ['aws.greengrass#PublishToIoTCore'], resources: ['millwright/*'] },
        },
      },
    },
    'millwright.connector-jsonl': { stage: STAGE, site: SITE, machines: '{}' },
  });
});
afterEach(async () => {
  await device.stop();
  for (const close of closing) await close();
});

const putPackage = (name: string, options: Parameters<typeof makePackage>[1] = {}): { dir: string; digest: string } => {
  const p = makePackage(signer, options);
  return { dir: writePackage(join(device.dir, name), p.files), digest: p.digest };
};
const decide = async (index: number, wear = 5): Promise<DecisionRecord> =>
  DecisionRecord.parse(await device.client().request({ op: 'decide', frame: makeFrame(index, wear) }, 10_000));

/** Child processes of a process, by /proc. */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((p) => {
      try {
        return Number(readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === pid;
      } catch {
        return false;
      }
    });

/** The part of S3 that the uplink uses: PutObject by path. */
const startLake = async () => {
  const objects = new Map<string, Buffer>();
  const state = { up: true };
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (d: Buffer) => parts.push(d));
    request.on('end', () => {
      if (!state.up) response.writeHead(503).end();
      else {
        objects.set(decodeURIComponent((request.url ?? '').split('?')[0] as string), Buffer.concat(parts));
        response.writeHead(200, { etag: '"x"' }).end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as { port: number };
  return {
    objects,
    state,
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_RESPONSE_CHECKSUM_VALIDATION: 'WHEN_REQUIRED',
      AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_REQUIRED',
    },
  };
};
/** A machine that reads answers line by line. @returns what configures a connector to talk to it. */
const startMachine = async (
  connected: (send: (document: object) => void) => void,
  answered: (answer: unknown) => void,
): Promise<{ machines: string }> => {
  const machine = createTcp((socket) => {
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (d) => {
      text += d;
      const lines = text.split('\n');
      text = lines.pop() as string;
      for (const l of lines) answered(JSON.parse(l));
    });
    connected((document) => socket.write(`${JSON.stringify(document)}\n`));
  });
  machine.listen(0, '127.0.0.1');
  await once(machine, 'listening');
  closing.push(() => new Promise((resolve) => machine.close(resolve)));
  const { port } = machine.address() as { port: number };
  return { machines: JSON.stringify({ [DEVICE]: [{ asset: 'spindle-1', host: '127.0.0.1', port }] }) };
};
const decisionsIn = (objects: ReadonlyMap<string, Buffer>): DecisionRecord[] =>
  [...objects]
    .filter(([key]) => key.includes('/inbox/decisions/'))
    .flatMap(([, body]) => {
      const [header, ...lines] = body.toString().trimEnd().split('\n') as [string, ...string[]];
      expect(DecisionObjectHeader.parse(JSON.parse(header)).merkleRoot).toBe(merkleRoot(lines));
      return lines.map((l) => DecisionRecord.parse(JSON.parse(l)));
    });

describe('a device with the built runtime', () => {
  it('answers with the fallback first, and by a real model once the package was adopted', async () => {
    await device.start('runtime');
    expect((await decide(1)).verdict).toBe('fallback');
    const p = putPackage('one', { int8Bias: 0.1 });
    expect(await device.adopt(p.dir, p.digest)).toMatchObject({ code: 0 });
    const record = await decide(2);
    expect(record).toMatchObject({ verdict: 'pass', packageDigest: p.digest });
    expect(Math.abs((record.value as number) - 85)).toBeLessThan(0.2);
  }, 60_000);

  it('refuses what is signed by a stranger, was flipped, or gives other answers: exit code 1, and the champion stays', async () => {
    await device.start('runtime');
    const good = putPackage('good', { releaseNumber: 1 });
    expect((await device.adopt(good.dir, good.digest)).code).toBe(0);
    const stranger = makePackage(newSigner(), { releaseNumber: 2 });
    const golden = putPackage('golden', {
      releaseNumber: 3,
      change: (m) => ({
        ...m,
        golden: { ...m.golden, samples: m.golden.samples.map((s) => ({ ...s, expected: s.expected + 1 })) },
      }),
    });
    const refused = [
      [writePackage(join(device.dir, 'stranger'), stranger.files), stranger.digest, 'signature'],
      [golden.dir, golden.digest, 'golden sample'],
      [good.dir, golden.digest, 'the deployment names'],
    ] as const;
    for (const [dir, digest, reason] of refused) {
      const answer = await device.adopt(dir, digest);
      expect(answer).toMatchObject({ code: 1, output: expect.stringContaining(reason) });
    }
    expect((await decide(1)).packageDigest).toBe(good.digest);
  }, 60_000);

  it('serves again after a kill -9 without any network, and neither loses nor doubles a decision', async () => {
    const first = await device.start('runtime');
    const p = putPackage('one');
    await device.adopt(p.dir, p.digest);
    const client = device.client();
    const answered: DecisionRecord[] = [];
    const ask = (index: number) =>
      client.request({ op: 'decide', frame: makeFrame(index, 5) }, 10_000).then(
        (r) => answered.push(r as DecisionRecord),
        () => {},
      );
    for (let i = 1; i <= 40; i++) ask(i);
    await until('some answers', () => answered.length > 5);
    const [gone, children] = [once(first, 'exit'), childrenOf(first.pid as number)];
    first.kill('SIGKILL');
    await gone;
    expect(children.length).toBe(1);
    await until('the model process ends with its parent', () => childrenOf(1).every((c) => !children.includes(c)));
    const before = [...answered];
    await device.start('runtime');
    // The machine sends again what has no answer, and here also what has.
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => decide(i + 1)));
    for (const a of before) expect(all[a.index - 1]).toEqual(a);
    for (const boot of new Set(all.map((d) => d.boot))) {
      const sequences = all.filter((d) => d.boot === boot).map((d) => d.sequence);
      expect(sequences.sort((a, b) => a - b)).toEqual(sequences.map((_, i) => i + 1));
    }
    const [oldBoot] = before.map((d) => d.boot);
    for (const d of all) if (d.boot !== oldBoot) expect(d).toMatchObject({ verdict: 'pass', packageDigest: p.digest });
  }, 60_000);

  it('falls back when the process of the model is killed, and recovers', async () => {
    const runtime = await device.start('runtime');
    const p = putPackage('one');
    await device.adopt(p.dir, p.digest);
    const [child] = childrenOf(runtime.pid as number);
    process.kill(child as number, 'SIGKILL');
    let index = 1;
    const verdicts: string[] = [];
    await until('the model answers again', async () => {
      const { verdict } = await decide(index++);
      verdicts.push(verdict);
      return verdict === 'pass' && childrenOf(runtime.pid as number)[0] !== child;
    });
    expect(new Set(verdicts)).toEqual(new Set(verdicts.length > 1 ? ['fallback', 'pass'] : ['pass']));
  }, 60_000);

  it('ends with an exit code other than 0 when its configuration is wrong', async () => {
    (device.configuration['millwright.runtime'] as Record<string, unknown>)['site'] = 'NOT A SITE';
    await expect(device.start('runtime')).rejects.toThrow(/ended \(1\)[\s\S]*configuration of the component/);
  }, 30_000);
});

describe('a device with runtime, uplink and connector', () => {
  it('hands on every decision once, frames and reports, through an outage of lake and broker', async () => {
    const lake = await startLake();
    await device.start('runtime');
    await device.start('uplink', lake.env);
    const p = putPackage('one');
    await device.adopt(p.dir, p.digest);
    for (let i = 1; i <= 6; i++) await decide(i);
    await until('decisions arrive', () => decisionsIn(lake.objects).length >= 4);
    lake.state.up = false;
    device.online = false;
    for (let i = 7; i <= 20; i++) await decide(i);
    lake.state.up = true;
    device.online = true;
    await until('all decisions arrive', () => decisionsIn(lake.objects).length >= 20, 40_000);
    const sequences = decisionsIn(lake.objects).map((d) => d.sequence);
    expect(sequences.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    await until('frames arrive', () => [...lake.objects.keys()].some((k) => k.includes('/raw/frames/')), 40_000);
    await until('a report of the new package arrives', () =>
      device.published.some(
        (m) =>
          m.topic === `millwright/${STAGE}/${SITE}/${DEVICE}/report` &&
          DeviceReport.parse(m.payload).serving?.packageDigest === p.digest,
      ),
    );
  }, 120_000);

  it('answers a machine that is configured later, and goes on with it after the runtime was away', async () => {
    const answers: { ack: { index: number }; verdict: string }[] = [];
    const machine = await startMachine(
      (send) => {
        for (const i of [1, 2, 3]) if (!answers.some((a) => a.ack.index === i)) send(makeFrame(i, 5));
      },
      (answer) => answers.push(answer as (typeof answers)[number]),
    );
    await device.start('connector-jsonl');
    // The machine is configured while the connector runs, and the runtime comes after it.
    device.reconfigure('connector-jsonl', machine);
    await device.start('runtime');
    await until('three answers', () => answers.length === 3, 40_000);
    expect(answers.map((a) => [a.ack.index, a.verdict])).toEqual([
      [1, 'fallback'],
      [2, 'fallback'],
      [3, 'fallback'],
    ]);
  }, 90_000);

  it('takes values one by one, each once although the connector is killed, and says what it found', async () => {
    const readings = Array.from({ length: 30 }, (_, i) => ({
      schema: 'reading/1',
      session: 's1',
      n: i + 1,
      points: [
        { signal: 'speed', t: new Date(Date.now() - 300_000 + 10_000 * i).toISOString(), v: i === 9 ? 9999 : i },
      ],
    }));
    let acknowledged = 0;
    let sent = 0;
    const verdicts = new Set<number>();
    const machine = await startMachine(
      (send) => {
        // What has no answer is sent again; until the connector was killed, no more than twenty.
        const upTo = sent === 0 ? 20 : 30;
        for (const r of readings.slice(acknowledged, upTo)) send(r);
        sent = upTo;
      },
      (answer) => {
        const { ack } = answer as { ack: { n?: number; index?: number } };
        if (ack.n !== undefined) acknowledged = Math.max(acknowledged, ack.n);
        else verdicts.add(ack.index as number);
      },
    );
    const signals = [{ name: 'speed', unit: '1/min', kind: 'scalar', range: [0, 6000] }];
    device.reconfigure('connector-jsonl', {
      ...machine,
      intake: JSON.stringify({ signals, framing: { everySeconds: 60, latenessSeconds: 0 } }),
      observations: 'true',
      messageSeconds: '1',
    });
    await device.start('runtime');
    await device.start('uplink', (await startLake()).env);
    const connector = await device.start('connector-jsonl');
    await until('some verdicts', () => verdicts.size >= 2);
    connector.kill('SIGKILL');
    await device.start('connector-jsonl');
    await until('all readings are answered', () => acknowledged === 30, 40_000);
    const published = (kind: string) =>
      device.published.filter((m) => m.topic === `millwright/${STAGE}/${SITE}/${DEVICE}/${kind}`).map((m) => m.payload);
    const values = () =>
      published('observations').flatMap((m) =>
        ObservationMessage.parse(m).series.flatMap((series) => series.points.map((point) => point.v)),
      );
    await until('all observations arrive', () => values().length >= 30, 40_000);
    expect(values().sort((a, b) => Number(a) - Number(b))).toEqual([
      ...readings.map((r) => r.points[0]?.v as number).sort((a, b) => a - b),
    ]);
    const found = published('quality').flatMap((m) => QualityMessage.parse(m).findings);
    expect(found).toContainEqual(
      expect.objectContaining({ asset: 'spindle-1', signal: 'speed', check: 'range', worst: 3999 }),
    );
    expect([...verdicts].sort((a, b) => a - b)).toEqual(Array.from(verdicts, (_, i) => i + 1));
  }, 120_000);
});
