import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecisionRecord } from '#core/contracts/decision.ts';
import { DeviceReport } from '#core/contracts/device.ts';
import type { LineClient } from '../../../greengrass-components/shared/line-socket.ts';
import { makeFrame, makePackage, newSigner, writePackage } from '../../support/model-package.ts';
import { buildEdgeComponents, type EdgeDevice, runtimeConfiguration, startEdgeDevice, until } from './edge-device.ts';

const signer = newSigner();
let device: EdgeDevice;
let client: LineClient;
let pid: number;

beforeAll(buildEdgeComponents, 120_000);
beforeEach(async () => {
  device = await startEdgeDevice({
    'millwright.runtime': runtimeConfiguration(signer),
  });
  pid = (await device.start('runtime')).pid as number;
  client = device.client();
});
afterEach(() => device.stop());

const decide = async (from: number, to: number): Promise<DecisionRecord[]> =>
  Promise.all(
    Array.from({ length: to - from + 1 }, async (_, i) =>
      DecisionRecord.parse(await client.request({ op: 'decide', frame: makeFrame(from + i, 5) }, 10_000)),
    ),
  );
const report = async (): Promise<DeviceReport> => DeviceReport.parse(await client.request({ op: 'status' }, 5000));
/** Processes of models, oldest first. */
const models = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((p) => {
      try {
        const [state, parent] = (readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1] ?? '').split(' ');
        return Number(parent) === pid && state !== 'Z';
      } catch {
        return false;
      }
    })
    .sort((a, b) => a - b);

/** A champion with two variants, then a package of another bias, as a release places it. */
const release = async (bias: number): Promise<{ champion: string; challenger: string }> => {
  const put = (releaseNumber: number, more: object) => {
    const p = makePackage(signer, { releaseNumber, int8Bias: 0.1, ...more });
    return { dir: writePackage(join(device.dir, `package-${releaseNumber}`), p.files), digest: p.digest };
  };
  const one = put(1, {});
  expect((await device.adopt(one.dir, one.digest)).code).toBe(0);
  const two = put(2, { bias, int8Bias: bias + 0.1 });
  device.reconfigure('runtime', {
    shadow: { packageDigest: one.digest, tolerance: '10', batch: '5', seconds: '120' },
  });
  expect(await device.adopt(two.dir, two.digest)).toMatchObject({ code: 0 });
  return { champion: one.digest, challenger: two.digest };
};

describe('a device with the built runtime and real models', () => {
  it('finds that a package agrees with the champion', async () => {
    const { champion, challenger } = await release(2);
    expect(models()).toHaveLength(2);
    const records = await decide(1, 20);
    expect(new Set(records.map((r) => r.packageDigest))).toEqual(new Set([challenger]));
    await until('all frames are compared', async () => (await report()).shadow?.frames === 20);
    expect((await report()).shadow).toMatchObject({
      packageDigest: champion,
      assets: [{ batches: [4, 0, 0, 0, 0, 0] }],
    });
    const said = records.flatMap((r) => (r.shadow ? [r.shadow.value as number] : []));
    for (const value of said) expect(Math.abs(value - 85)).toBeLessThan(0.2);
  }, 60_000);

  it('finds that a package of another scaling, which installs well, disagrees; taken back, the champion answers the next frame', async () => {
    const { champion, challenger } = await release(-60);
    await decide(1, 10);
    await until('all frames are compared', async () => (await report()).shadow?.frames === 10);
    expect((await report()).shadow?.assets).toEqual([{ asset: 'spindle-1', batches: [0, 0, 0, 0, 0, 2] }]);
    const [running] = models();
    device.reconfigure('runtime', { withdrawn: challenger, revertTo: champion, shadow: { packageDigest: '' } });
    await until('the champion serves', async () => (await report()).serving?.packageDigest === champion);
    expect(await decide(11, 11)).toMatchObject([{ verdict: 'pass', packageDigest: champion }]);
    expect(models()).toEqual([running]);
    expect((await report()).sinceAdoption.fallback).toBe(0);
  }, 60_000);

  it('answers the line while the process of the champion is killed, and goes on comparing afterwards', async () => {
    await release(0);
    await decide(1, 5);
    const [champion] = models();
    process.kill(champion as number, 'SIGKILL');
    const records = await decide(6, 30);
    expect(new Set(records.map((r) => r.verdict))).toEqual(new Set(['pass']));
    await until('the champion is there again', () => models().length === 2 && !models().includes(champion as number));
    let index = 31;
    const before = (await report()).shadow?.frames ?? 0;
    await until('frames are compared again', async () => {
      await decide(index, index);
      index += 1;
      return ((await report()).shadow?.frames ?? 0) > before;
    });
    expect((await report()).sinceAdoption.fallback).toBe(0);
  }, 60_000);
});
