import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetDeploymentCommand, ListDeploymentsCommand } from '@aws-sdk/client-greengrassv2';
import { EvaluationReport } from '#core/contracts/evaluation.ts';
import { type AlertRecord, LineJudgement } from '#core/contracts/judgement.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { modelComponentName, ReleaseRecord, ringGroupName } from '#core/contracts/release.ts';
import { RetrainRecord } from '#core/contracts/retrain.ts';
import { StartedPlant } from './started-plant.ts';

const UP_MS = 900_000;

let started: StartedPlant;
let up: Awaited<ReturnType<StartedPlant['up']>>;
let forced: ReleaseRecord;

const retrains = async (): Promise<RetrainRecord[]> =>
  (await up.registry.list('retrain')).map(({ body }) => RetrainRecord.parse(body));
const judgement = async (): Promise<LineJudgement> =>
  LineJudgement.parse(
    (await started.cli<{ judgement: unknown }[]>('lines')).map((l) => l.judgement).find((j) => j !== null),
  );

beforeAll(async () => {
  started = new StartedPlant();
  up = await started.up(UP_MS);
  const releases = (await up.registry.list('release')).map(({ body }) => ReleaseRecord.parse(body));
  forced = releases.find((r) => r.status === 'reverted') as ReleaseRecord;
}, UP_MS + 20_000);

afterAll(async () => {
  await started.end();
  started.folder.remove();
}, 90_000);

describe('the story', () => {
  it('is told in facts that have neither times nor digests in them', () => {
    const { facts, finished } = JSON.parse(readFileSync(join(started.folder.dir, 'story.json'), 'utf8'));
    expect(finished).toBe(true);
    expect(facts).toHaveLength(5);
    for (const fact of facts) expect(fact).not.toMatch(/sha256|\d{4}-\d\d-\d\d|[0-9a-f]{12}/);
  });

  it('counts every decision that the line was told', () => {
    expect(started.told()).toMatch(/every decision counted +\d+ told to the line, each with its record; \d+ held/);
  });
});

describe('the retrain', () => {
  it('was asked for by outcomes, once, and made the champion of the line', async () => {
    const byDrift = (await retrains()).filter((r) => r.cause === 'drift');
    expect(byDrift).toMatchObject([{ status: 'candidate', packageDigest: up.champion.packageDigest }]);
  });

  it('was judged on runs that ended since, and on those of before', async () => {
    const [byDrift] = (await retrains()).filter((r) => r.cause === 'drift');
    const evaluations = await up.registry.list('evaluation');
    const reports = evaluations.map(({ body }) => EvaluationReport.parse(body['report']));
    const report = reports.find((r) => r.snapshotDigest === byDrift?.snapshotDigest);
    expect(report?.since?.ratio.upper).toBeLessThan(0.95);
    expect(report?.earlier?.ratio.upper).toBeLessThan(1.2);
  });
});

describe('the forced package', () => {
  it('was stopped by its decisions, against the champion on the same frames', () => {
    const stopped = forced.waves.find((w) => w.verdict === 'revert');
    expect(stopped?.shadow?.champion).toBe(up.champion.packageDigest);
    expect(stopped?.shadow?.against).toBeGreaterThanOrEqual(1000);
    expect(stopped?.devices.map((d) => d.status)).toEqual(['adopted']);
  });

  it('went no further than the ring that stopped it', () => {
    expect(forced.waves.map((w) => w.ring)).toEqual([1]);
    expect(forced.notBack).toEqual([]);
  });

  it('serves nowhere: every device reports the champion', async () => {
    const devices = await started.cli<{ device: string; serving: { packageDigest: string } | null }[]>('devices');
    expect(devices.map((d) => d.serving?.packageDigest)).toEqual(up.plant.devices.map(() => up.champion.packageDigest));
  });

  it('is in no deployment of a ring any more', async () => {
    const { region, account, site, stage } = up.plant;
    for (const { ring, deviceClass } of up.plant.devices) {
      const targetArn = `arn:aws:iot:${region}:${account}:thinggroup/${ringGroupName(stage, site, deviceClass, ring)}`;
      const { deployments = [] } = await up.greengrass.send(
        new ListDeploymentsCommand({ targetArn, historyFilter: 'LATEST_ONLY' }),
      );
      const { components = {} } = await up.greengrass.send(
        new GetDeploymentCommand({ deploymentId: deployments[0]?.deploymentId }),
      );
      expect(components[modelComponentName(up.plant.modelLine)]?.componentVersion).toBe(
        `1.0.${up.champion.releaseNumber}`,
      );
    }
  });
});

describe('operators', () => {
  it('have alerts, and one that a person answered', async () => {
    const alerts = (await started.cli<unknown[]>('alerts', '--all')) as (AlertRecord & { version: number })[];
    expect(alerts.filter((a) => a.status === 'closed')).toMatchObject([
      { truth: 'true', note: 'found as the model said' },
    ]);
    expect(alerts.length).toBeGreaterThan(1);
  });
});

describe('events that are false, late, doubled or reversed', () => {
  it('start no second retrain and count nothing twice', async () => {
    const before = await judgement();
    const events = (await up.registry.list('plant-event')).map(({ body }) => body as unknown as PlantEvent);
    // Ids that end in ~joined are the joiner's own.
    const reported = events.filter((e) => !e.eventId.endsWith('~joined'));
    const ofLives = reported.filter((e) => e.run !== null && e.kind === 'failure' && /-l\d+$/.test(e.run));
    const day = ofLives.slice(0, 40);
    const [known] = ofLives as [PlantEvent, ...PlantEvent[]];
    const newest = Math.max(...ofLives.map((e) => Date.parse(e.knownTime)));
    const later = (days: number): string => new Date(newest + days * 86_400_000).toISOString();
    const lies = Array.from({ length: 200 }, (_, i) => ({
      ...known,
      eventId: `lie-${i}`,
      asset: i % 2 === 0 ? `nobody-${i}` : known.asset,
      run: i % 2 === 0 ? 'never' : known.run,
      index: i % 2 === 0 ? 5 : 1,
      knownTime: later(1),
    }));
    const corrected = [1, 2].map((n) => ({
      ...known,
      eventId: `${known.eventId}-again-${n}`,
      corrects: n === 1 ? known.eventId : `${known.eventId}-again-1`,
      knownTime: later(n + 1),
    }));
    const file = join(started.folder.dir, 'odd-events.jsonl');
    for (const batch of [lies, [...day].reverse(), corrected, day]) {
      writeFileSync(file, batch.map((e) => `${JSON.stringify(e)}\n`).join(''));
      await started.cli('events', 'add', file);
    }
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const after = await judgement();
    expect((await retrains()).filter((r) => r.cause === 'drift')).toHaveLength(1);
    expect({ state: after.state, action: after.action }).toEqual({ state: before.state, action: before.action });
  }, 180_000);
});
