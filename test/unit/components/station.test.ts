import fc from 'fast-check';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import type { ConnectorIntake } from '#core/contracts/device.ts';
import { ContractError } from '#core/contracts/errors.ts';
import type { Frame } from '#core/contracts/frame.ts';
import type { Reading } from '#core/contracts/reading.ts';
import { makeKeeper } from '../../../greengrass-components/connector-jsonl/hand-on.ts';
import { type HandOn, Station } from '../../../greengrass-components/connector-jsonl/station.ts';
import { Spool } from '../../../greengrass-components/shared/spool.ts';
import { aFrameAt, T0 } from '../../support/observations.ts';
import { good } from '../features/a-frame.ts';

const INTAKE: ConnectorIntake = {
  signals: [
    { name: 'temperature', unit: 'Cel', kind: 'scalar', range: [0, 100], quality: { gapSeconds: 30 } },
    { name: 'load', unit: '1', kind: 'scalar', range: [0, 2] },
  ],
  framing: { everySeconds: 10, latenessSeconds: 0 },
};

/** What outlives the process: the disk, and what the runtime has decided. */
class World {
  kept: string | null = null;
  handedOn: HandOn[] = [];
  readonly decided = new Map<string, Frame>();
  isAway = false;
  isDiskFull = false;
  time = T0;
  readonly log: string[] = [];

  station(intake = INTAKE): Station {
    return new Station({
      site: 'plant-a',
      asset: 'spindle-1',
      intake,
      decide: async (document) => {
        await Promise.resolve();
        if (this.isAway) throw new Error('the runtime is away');
        const frame = document as Frame;
        if (frame.run === undefined) throw new ContractError('frame', ['run is missing']);
        const id = `${frame.asset}/${frame.run}/${frame.index}`;
        const before = this.decided.get(id);
        if (before === undefined) this.decided.set(id, frame);
        return { id, run: frame.run, index: frame.index, verdict: 'pass', value: 1 } as DecisionRecord;
      },
      load: () => this.kept,
      keep: (state, handOn) => {
        if (this.isDiskFull) throw new Error('the disk is full');
        this.kept = state;
        this.handedOn.push(handOn);
      },
      clock: () => this.time,
      log: (_, message) => this.log.push(message),
    });
  }

  get findings() {
    return this.handedOn.flatMap((h) => h.findings);
  }
}

const reading = (n: number, seconds: number, value: number | null, more: Partial<Reading> = {}): Reading => ({
  schema: 'reading/1',
  session: 's1',
  n,
  points: [
    {
      signal: 'temperature',
      t: new Date(T0 + 1000 * seconds).toISOString(),
      v: value,
      q: value === null ? 'BAD' : 'GOOD',
    },
  ],
  ...more,
});

/** Gives readings to a station, and has it keep them. */
const take = async (station: Station, ...readings: readonly Reading[]): Promise<void> => {
  const all = readings.map((r) => station.read(r, () => {}));
  await station.keep();
  await Promise.all(all);
};

describe('the station of a machine that sends values one by one', () => {
  it('makes frames of them, has them decided, and answers a reading when it is kept', async () => {
    const world = new World();
    const station = world.station();
    const told: number[] = [];
    const acknowledged: number[] = [];
    for (const [n, seconds] of [1, 4, 11, 21].entries()) {
      world.time = T0 + 1000 * seconds;
      station.read(reading(n + 1, seconds, 20 + n), (d) => told.push(d.index)).then(() => acknowledged.push(n + 1));
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([1, 2]);
    expect(acknowledged).toEqual([]);
    await station.keep();
    await Promise.resolve();
    expect(acknowledged).toEqual([1, 2, 3, 4]);
    expect([...world.decided.values()].map((f) => f.signals['temperature']?.value)).toEqual([21, 22]);
    expect(world.handedOn.flatMap((h) => h.observations)).toHaveLength(4);
  });

  it('takes nothing twice that is sent again after a reconnect, and answers it at once when it is kept', async () => {
    const world = new World();
    const station = world.station();
    await take(station, reading(1, 1, 20));
    await station.read(reading(1, 1, 20), () => {});
    expect(world.handedOn.flatMap((h) => h.observations)).toHaveLength(1);
    // A sender that started again counts from 1.
    await take(station, reading(1, 2, 21, { session: 's2' }));
    expect(world.handedOn.flatMap((h) => h.observations)).toHaveLength(2);
  });

  it('gives up what was not kept when the runtime is away, and takes it anew', async () => {
    const world = new World();
    world.isAway = true;
    world.time = T0 + 30_000;
    const station = world.station();
    const one = station.read(reading(1, 1, 20), () => {});
    const two = station.read(reading(2, 11, 21), () => {});
    const three = station.read(reading(3, 12, 22), () => {});
    const results = await Promise.allSettled([one, two, three]);
    expect(results.map((r) => r.status)).toEqual(['rejected', 'rejected', 'rejected']);
    world.isAway = false;
    await take(station, reading(1, 1, 20), reading(2, 11, 21), reading(3, 12, 22));
    expect([...world.decided.keys()]).toEqual(['spindle-1/every-10-s-20260302t080000/1']);
    expect(world.handedOn.flatMap((h) => h.observations)).toHaveLength(3);
  });

  it('gives up what the disk does not take', async () => {
    const world = new World();
    world.isDiskFull = true;
    const station = world.station();
    const one = station.read(reading(1, 1, 20), () => {});
    one.catch(() => {});
    await station.keep();
    await expect(one).rejects.toThrow('the disk is full');
    expect(world.log).toEqual(['what came could not be kept']);
  });

  it('refuses what is no reading, and readings where no framing is configured', async () => {
    const station = new World().station();
    await expect(station.read({ schema: 'reading/1', n: 0 }, () => {})).rejects.toThrow(/reading does not match/);
    const without = new World().station({ signals: INTAKE.signals });
    await expect(without.read(reading(1, 1, 20), () => {})).rejects.toThrow(/framing: expected one/);
  });

  it('goes on with the next reading where the runtime refuses a frame that was put together', async () => {
    const world = new World();
    const station = new Station({
      site: 'plant-a',
      asset: 'spindle-1',
      intake: INTAKE,
      decide: async () => {
        throw new ContractError('frame', ['of another site']);
      },
      load: () => null,
      keep: () => {},
      clock: () => T0 + 30_000,
      log: (_, message) => world.log.push(message),
    });
    await take(station, reading(1, 1, 20), reading(2, 11, 20));
    expect(world.log).toEqual(['the runtime refused a frame that was put together']);
  });

  it('begins anew, and says so, where what was kept is not its own', async () => {
    const world = new World();
    world.kept = '{"version":7}';
    const station = world.station();
    expect(world.log).toEqual(['what was kept cannot be read; checks and blocks begin anew']);
    const one = station.read(reading(1, 1, 20), () => {});
    await station.keep();
    await expect(one).resolves.toBeUndefined();
  });

  it.each([
    ['goes on with the run', { everySeconds: 10, latenessSeconds: 5, scalars: { load: { take: 'mean' as const } } }, 3],
    ['begins another', { everySeconds: 10, latenessSeconds: 0, contextSignal: 'recipe' }, 1],
    ['begins another', { everySeconds: 5, latenessSeconds: 0 }, 1],
  ])('%s after its framing became %j', async (_, framing, index) => {
    const world = new World();
    world.time = T0 + 60_000;
    await take(world.station(), reading(1, 1, 20), reading(2, 11, 21), reading(3, 21, 22));
    await take(world.station({ ...INTAKE, framing }), reading(4, 22, 23), reading(5, 41, 24));
    const frames = [...world.decided.values()];
    expect(frames.map((f) => f.index)).toEqual([1, 2, index]);
    expect(new Set(frames.map((f) => f.run)).size).toBe(index === 3 ? 1 : 2);
  });

  it('finds silence when it keeps, and says so though nothing came', async () => {
    const world = new World();
    const station = world.station();
    await take(station, reading(1, 0, 20));
    world.time = T0 + 31_000;
    await station.keep();
    expect(world.findings).toEqual([expect.objectContaining({ check: 'gap', open: true, worst: 31 })]);
  });

  it('gives the same frames and findings, each value once, wherever it is killed', async () => {
    const values = fc.array(
      fc.record({ step: fc.integer({ min: 1, max: 15 }), value: fc.integer({ min: 90, max: 110 }) }),
      {
        minLength: 1,
        maxLength: 25,
      },
    );
    const run = async (
      steps: readonly { readonly step: number; readonly value: number }[],
      kills: ReadonlySet<number>,
      keeps: ReadonlySet<number>,
    ) => {
      const world = new World();
      let seconds = 0;
      const readings = steps.map((s, i) => {
        seconds += s.step;
        return reading(i + 1, seconds, s.value);
      });
      let station = world.station();
      let acknowledged = 0;
      const killed = new Set<number>();
      for (let i = 0; i < readings.length; i++) {
        const r = readings[i] as Reading;
        world.time = Date.parse(r.points[0]?.t as string);
        station
          .read(r, () => {})
          .then(
            () => {
              acknowledged = Math.max(acknowledged, r.n);
            },
            () => {},
          );
        await new Promise((resolve) => setImmediate(resolve));
        if (keeps.has(i)) await station.keep();
        await Promise.resolve();
        if (kills.has(i) && !killed.has(i)) {
          killed.add(i);
          station = world.station();
          i = acknowledged - 1;
        }
      }
      await station.keep();
      const last = new Map(world.findings.map((f) => [`${f.signal} ${f.check} ${f.from}`, f]));
      return {
        frames: [...world.decided.values()],
        observations: world.handedOn.flatMap((h) => h.observations),
        findings: [...last.values()],
      };
    };
    await fc.assert(
      fc.asyncProperty(values, fc.array(fc.nat(24)), fc.array(fc.nat(24)), async (steps, kills, keeps) => {
        const plain = await run(steps, new Set(), new Set());
        expect(await run(steps, new Set(kills), new Set(keeps))).toEqual(plain);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the station of a machine that sends whole frames', () => {
  const frame = (index: number, value: number): Frame =>
    aFrameAt(index, index, { temperature: good(value), other: good(1) });

  it('hands them on with the quality that they have after the checks, and what no check knows as it came', async () => {
    const world = new World();
    const station = world.station();
    await station.decide(frame(1, 140));
    expect(world.decided.get('spindle-1/r1/1')?.signals).toEqual({
      temperature: { value: 140, quality: 'BAD', reason: '140 Cel is outside 0 … 100' },
      other: { value: 1, quality: 'GOOD' },
    });
    await station.keep();
    expect(world.findings).toEqual([expect.objectContaining({ asset: 'spindle-1', check: 'range', worst: 40 })]);
  });

  it('gives up nothing that was found in them when the disk does not take it at first', async () => {
    const world = new World();
    const station = world.station();
    await station.decide(frame(1, 140));
    world.isDiskFull = true;
    await station.keep();
    world.isDiskFull = false;
    await station.keep();
    expect(world.findings).toEqual([expect.objectContaining({ check: 'range', worst: 40 })]);
  });

  it('checks them in turn with readings, and gives up nothing of them with a reading that has to come again', async () => {
    const world = new World();
    const station = world.station();
    world.time = T0 + 60_000;
    world.isAway = true;
    const readings = [reading(1, 1, 20), reading(2, 11, 20)].map((r) => station.read(r, () => {}));
    const decided = station.decide(frame(30, 140));
    await Promise.allSettled([...readings, decided]);
    world.isAway = false;
    await station.keep();
    expect(world.findings).toEqual([expect.objectContaining({ check: 'range', worst: 40 })]);
    expect(Object.values(JSON.parse(world.kept as string).intakes)).toMatchObject([
      { taken: [{ run: 'r1', index: 30 }] },
    ]);
  });

  it('leaves to the runtime to say what is wrong with what is no frame', async () => {
    await expect(new World().station().decide({ nothing: true })).rejects.toThrow(/run is missing/);
  });

  it('forgets the assets that were not seen for the longest, beyond 200', async () => {
    const world = new World();
    const station = world.station();
    for (let i = 1; i <= 230; i++) await station.decide({ ...frame(1, 20), asset: `engine-${i}` });
    await station.keep();
    const { intakes } = JSON.parse(world.kept as string) as { intakes: object };
    expect(Object.keys(intakes)).toHaveLength(200);
    expect(Object.keys(intakes)).toContain('engine-230');
  });
});

describe('what a connector hands on', () => {
  const deps = (spool: Spool, sendsObservations: boolean) => ({
    spool,
    stage: 'local',
    site: 'plant-a',
    device: 'edge-1',
    boot: 'b1',
    provenance: { connector: 'connector-jsonl', configVersion: '1' },
    sendsObservations,
    clock: () => T0,
  });

  it('goes into the spool together with the state, observations only where wanted', async () => {
    const world = new World();
    const station = world.station();
    await take(station, reading(1, 1, 140));
    const [handOn] = world.handedOn as [HandOn];
    for (const sends of [false, true]) {
      const spool = new Spool(':memory:');
      makeKeeper(deps(spool, sends))('connector/spindle-1', 'state', handOn);
      expect(spool.getMeta('connector/spindle-1')).toBe('state');
      const messages = spool.messages(10).map((m) => [m.topic, JSON.parse(m.payload)]);
      expect(messages[0]).toEqual([
        'millwright/local/plant-a/edge-1/quality',
        expect.objectContaining({ schema: 'quality/1', boot: 'b1', sequence: 1, findings: handOn.findings }),
      ]);
      expect(messages.slice(1).map(([topic]) => topic)).toEqual(
        sends ? ['millwright/local/plant-a/edge-1/observations'] : [],
      );
      spool.close();
    }
  });

  it('is not there in part when the disk does not take it', () => {
    const spool = new Spool(':memory:');
    const keep = makeKeeper({
      ...deps(spool, true),
      spool: {
        transaction: (work) => spool.transaction(work),
        setMeta: (name, value) => spool.setMeta(name, value),
        putMessage: () => {
          throw new Error('the disk is full');
        },
      },
    });
    const finding = {
      schema: 'quality-finding/1',
      site: 'plant-a',
      asset: 'spindle-1',
      signal: 'load',
      check: 'range',
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-01T00:00:00.000Z',
      open: true,
      count: 1,
      worst: 1,
      says: 'too much',
    } as const;
    expect(() => keep('connector/x', 'state', { findings: [finding], observations: [] })).toThrow('the disk is full');
    expect(spool.getMeta('connector/x')).toBeNull();
    spool.close();
  });
});
