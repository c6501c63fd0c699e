import fc from 'fast-check';
import { writeParquet } from '#core/lake/parquet.ts';
import { EVENTS, type EventDetail } from '../../../core/contracts/events.ts';
import type { JoinedOutcomeRecord, LineJudgement } from '../../../core/contracts/judgement.ts';
import type { PlantEvent } from '../../../core/contracts/plant-event.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { makeHandler } from '../../../lambdas/outcome-joiner/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { memoryLog, memoryStore, sqsEvent } from '../../support/fakes.ts';
import { memoryJudgement, memoryRegistryWithLedger } from '../../support/memory-judging.ts';

const LINE = 'predictive-maintenance/plant-a';
const CHAMPION = `sha256:${'1'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;
const given = (definitions[0] as (typeof definitions)[number]).useCase;
const useCase: UseCase = { ...given, judging: { ...given.judging, minOutcomes: 8, cooldownDays: 70 } };
const CAP = useCase.label.cap;
const at = (hour: number): string => new Date(Date.UTC(2025, 0, 1, hour)).toISOString();

interface Decision {
  readonly index: number;
  readonly value: number | null;
  readonly by?: string | null;
  readonly verdict?: 'fail';
}

const setUp = (validationLoss: object | null = { mean: 0.05, upper: 0.08, runs: 20 }) => {
  const { judgement, items, beforeNextWrite } = memoryJudgement();
  const registry = memoryRegistryWithLedger();
  const lake = memoryStore();
  const log = memoryLog();
  const useCaseDigest = digestOf(useCase);
  registry.put('use-case', useCaseDigest, { ...useCase });
  const crown = (packageDigest: string) =>
    registry.put('model-line', LINE, aModelLine(LINE, useCaseDigest, packageDigest));
  registry.put('package', CHAMPION, { modelLine: LINE, validationLoss });
  registry.put('package', OTHER, { modelLine: LINE, validationLoss });
  crown(CHAMPION);
  const handler = makeHandler({ lake, registry: registry.registry, ledger: registry.ledger, judgement, log });
  let sequence = 0;
  /** An object of decisions on one unit; hours of a run begin at `from`. */
  const decisions = async (asset: string, run: string, of: readonly Decision[], from = 0) => {
    const first = sequence + 1;
    sequence += of.length;
    const object = `plant-a/edge-1/b1/${first}-${sequence}`;
    const tableKey = `decisions/${object}.parquet`;
    const text = (name: string, data: (string | null)[]) => ({ name, type: 'string' as const, data });
    await lake.put(
      tableKey,
      writeParquet([
        text(
          'id',
          of.map((_, i) => `plant-a/edge-1/b1/${first + i}`),
        ),
        text(
          'asset',
          of.map(() => asset),
        ),
        text(
          'run',
          of.map(() => run),
        ),
        { name: 'index', type: 'integer', data: of.map((d) => d.index) },
        text(
          'source_time',
          of.map((d) => at(from + d.index)),
        ),
        { name: 'value', type: 'double', data: of.map((d) => d.value) },
        text(
          'verdict',
          of.map((d) => d.verdict ?? (d.value === null ? 'fallback' : 'pass')),
        ),
        text(
          'model_line',
          of.map(() => LINE),
        ),
        text(
          'package_digest',
          of.map((d) => (d.by === undefined ? CHAMPION : d.by)),
        ),
      ]),
    );
    const indexes = of.map((d) => d.index);
    const detail: EventDetail<'DecisionsRecorded'> = {
      site: 'plant-a',
      device: 'edge-1',
      object,
      tableKey,
      boot: 'b1',
      firstSequence: first,
      lastSequence: sequence,
      modelLines: [LINE],
      runs: [
        {
          asset,
          run,
          first: Math.min(...indexes),
          last: Math.max(...indexes),
          firstAt: at(from + Math.min(...indexes)),
          lastAt: at(from + Math.max(...indexes)),
          failing: of.filter((d) => d.verdict === 'fail').length,
          served: [...new Set(of.map((d) => (d.by === undefined ? CHAMPION : d.by)))].flatMap((packageDigest) =>
            packageDigest === null ? [] : [{ modelLine: LINE, packageDigest }],
          ),
        },
      ],
    };
    return { 'detail-type': 'DecisionsRecorded', detail: EVENTS.DecisionsRecorded.parse(detail) };
  };
  const told = (eventId: string, more: Partial<PlantEvent> = {}) => ({
    'detail-type': 'OutcomeKnown',
    detail: EVENTS.OutcomeKnown.parse({
      schema: 'plant-event/1',
      eventId,
      kind: 'failure',
      site: 'plant-a',
      asset: 'm1',
      run: 'r1',
      index: 10,
      validTime: at(10),
      knownTime: at(34),
      reportedBy: 'maintenance',
      ...more,
    }),
  });
  const send = async (...messages: unknown[]) => {
    const { batchItemFailures } = await handler(sqsEvent(...messages));
    if (batchItemFailures.length > 0) throw log.errors.at(-1)?.error ?? new Error('failed without a word');
  };
  const outcome = (asset: string, run: string, by = CHAMPION) =>
    registry.versions('judgement', `outcome/${LINE}/plant-a/${asset}/${run}/${by}`).at(-1)?.body as
      | JoinedOutcomeRecord
      | undefined;
  const line = () => (items.get(`LINE#${LINE}\nSTATE`) as { judgement: LineJudgement } | undefined)?.judgement;
  const requests = () => registry.announced.filter((a) => a.type === 'RetrainRequested').map((a) => a.detail);
  return {
    handler,
    send,
    decisions,
    told,
    outcome,
    line,
    requests,
    registry,
    items,
    log,
    lake,
    crown,
    judgement,
    beforeNextWrite,
  };
};
type Joiner = ReturnType<typeof setUp>;

/** A unit that lived to 10 and of which the model said `value` all along. */
const life = (value: number | null = 4, indexes = [6, 7, 8, 9, 10]): Decision[] =>
  indexes.map((index) => ({ index, value }));

describe('joining', () => {
  it('measures how far off the package was, once the end is known', async () => {
    const { send, decisions, told, outcome, registry } = setUp();
    await send(await decisions('m1', 'r1', life(2)), await decisions('m1', 'r2', life(60), 20));
    expect(outcome('m1', 'r1')).toBeUndefined();
    await send(told('e1'));
    expect(outcome('m1', 'r1')).toMatchObject({
      end: 'failed',
      endedAt: 10,
      events: ['e1'],
      decisions: 5,
      loss: (2 + 1 + 0 + 1 + 2) / 5 / CAP,
      lastError: 2,
    });
    expect(outcome('m1', 'r2')).toBeUndefined();
    expect(registry.commands.find((c) => c.record.id.startsWith('outcome/'))?.edges).toEqual([
      { from: expect.any(String), rel: 'about', to: `package:${CHAMPION}` },
      { from: expect.any(String), rel: 'about', to: 'run:plant-a/m1/r1' },
      { from: expect.any(String), rel: 'used', to: 'plant-event:plant-a/e1' },
    ]);
  });
  it('takes decisions that a device uploads after the end was known', async () => {
    const { send, decisions, told, outcome } = setUp();
    await send(told('e1'));
    await send(await decisions('m1', 'r1', life(2, [6, 7])));
    expect(outcome('m1', 'r1')?.decisions).toBe(2);
    await send(await decisions('m1', 'r1', life(2, [8, 9, 10])));
    expect(outcome('m1', 'r1')?.decisions).toBe(5);
  });
  it('keeps of a unit that some package called it failing, whichever decided when', async () => {
    const { send, decisions, told, outcome, items } = setUp();
    const alarm: Decision = { index: 8, value: 2, by: OTHER, verdict: 'fail' };
    await send(await decisions('m1', 'r1', [...life(2, [6, 7]), alarm]));
    await send(await decisions('m1', 'r1', life(2, [9, 10])));
    await send(await decisions('m1', 'r2', life(60), 20), told('e1'), told('e2', { run: 'r2' }));
    expect(outcome('m1', 'r1')?.rejected).toBe(true);
    expect(outcome('m1', 'r2')).not.toHaveProperty('rejected');
    const served = (run: string) => items.get(`LINE#${LINE}\nSERVED#${CHAMPION}#m1/${run}`);
    expect(served('r1')).toMatchObject({ rejected: true });
    expect(served('r2')).not.toHaveProperty('rejected');
  });
  it('says to which side a failure was judged, between which losses a prevented one, and nothing of what was taken back', async () => {
    const { send, decisions, told, outcome } = setUp();
    await send(await decisions('m1', 'r1', life(9)), told('e1'));
    expect(outcome('m1', 'r1')?.meanError).toBeCloseTo(7 / CAP, 12);
    await send(told('e1', { kind: 'repair', asFound: 'damaged', knownTime: at(40) }));
    expect(outcome('m1', 'r1')).toMatchObject({ loss: 0, lossAtMost: expect.closeTo((CAP - 9) / CAP, 12) });
    const opened = { kind: 'repair', asFound: 'damaged', knownTime: at(45), detail: { leftAtMost: 3 } } as const;
    await send(told('e1', opened));
    expect(outcome('m1', 'r1')).toMatchObject({
      loss: expect.closeTo(4 / CAP, 12),
      lossAtMost: expect.closeTo(7 / CAP, 12),
    });
    expect(outcome('m1', 'r1')).not.toHaveProperty('meanError');
    await send(told('e1', { kind: 'inspection', asFound: 'unknown', knownTime: at(50) }));
    expect(outcome('m1', 'r1')).toMatchObject({ end: 'contradicted', loss: null });
    expect(outcome('m1', 'r1')).not.toHaveProperty('lossAtMost');
  });
  it('keeps packages apart that decided on one unit, and leaves out what no package decided', async () => {
    const { send, decisions, told, outcome } = setUp();
    await send(
      await decisions('m1', 'r1', [
        { index: 7, value: 3 },
        { index: 8, value: 2, by: OTHER },
        { index: 9, value: null, by: null },
      ]),
      told('e1'),
    );
    expect(outcome('m1', 'r1')).toMatchObject({ decisions: 1, loss: 0 });
    expect(outcome('m1', 'r1', OTHER)).toMatchObject({ decisions: 1, loss: 0 });
  });
  it('joins an event without a run by asset and time, and says so in the registry for the labels', async () => {
    const { send, decisions, told, outcome, registry } = setUp();
    await send(await decisions('m1', 'r1', life()), await decisions('m1', 'r2', life(), 20));
    await send(told('e1', { run: null, index: null, validTime: at(9) }));
    expect(outcome('m1', 'r1')).toMatchObject({ end: 'failed', endedAt: 9 });
    await send(told('e2', { run: null, index: null, validTime: at(40) }));
    expect(outcome('m1', 'r2')).toMatchObject({ end: 'failed', endedAt: 10 });
    expect(registry.versions('plant-event', 'plant-a/e2~joined').at(-1)?.body).toMatchObject({
      corrects: 'e2',
      run: 'r2',
      index: 10,
      detail: { joinedBy: 'time' },
    });
  });
  it('moves what it said of an event in the registry, when decisions come late of the run that it speaks of', async () => {
    const { send, decisions, told, outcome, registry } = setUp();
    const joined = () => registry.versions('plant-event', 'plant-a/e1~joined').at(-1)?.body;
    await send(await decisions('m1', 'r1', life()), told('e1', { run: null, index: null, validTime: at(28) }));
    expect(joined()).toMatchObject({ run: 'r1', index: 10 });
    await send(await decisions('m1', 'r2', life(), 20), told('e2', { run: 'r2', knownTime: at(90) }));
    expect(outcome('m1', 'r1')?.end).toBe('contradicted');
    expect(outcome('m1', 'r2')?.events).toEqual(['e2']);
    expect(joined()).toMatchObject({ run: 'r2', index: 8 });
  });
  it('joins an event by the decision that it answers', async () => {
    const { send, decisions, told, outcome, registry } = setUp();
    await send(await decisions('m1', 'r1', life()), await decisions('m1', 'r2', life(), 20));
    await send(
      told('e1', {
        kind: 'finding',
        asFound: 'healthy',
        run: null,
        index: null,
        decision: 'plant-a/edge-1/b1/5',
        validTime: at(500),
      }),
    );
    expect(outcome('m1', 'r1')).toMatchObject({ end: 'healthy', endedAt: 10, loss: (CAP - 4) / CAP });
    expect(registry.versions('plant-event', 'plant-a/e1~joined').at(-1)?.body).toMatchObject({
      detail: { joinedBy: 'decision' },
    });
  });
  it('keeps how far each device decided by a package, whatever the order, and starts anew with the device', async () => {
    const { send, decisions, items } = setUp();
    const [one, two] = [await decisions('m1', 'r1', life()), await decisions('m1', 'r2', life(), 20)];
    await send(two, one, two);
    const deciding = () => items.get(`LINE#${LINE}\nDECIDING#${CHAMPION}#plant-a/edge-1`);
    expect(deciding()).toMatchObject({ boot: 'b1', first: 1, last: 10 });
    const again = await decisions('m1', 'r3', life(), 40);
    again.detail = { ...again.detail, boot: 'b2', firstSequence: 1, lastSequence: 5 };
    await send(again, two);
    expect(deciding()).toMatchObject({ boot: 'b2', first: 1, last: 5 });
  });
  it('keeps what changed on a machine for whoever judges its inputs, and joins nothing to it', async () => {
    const { send, decisions, told, outcome, items } = setUp();
    await send(await decisions('m1', 'r1', life()));
    await send({ 'detail-type': 'MachineChanged', detail: told('e1', { kind: 'changeover' }).detail });
    expect([...items.values()].filter((i) => i.sk.startsWith('EVENT#'))).toMatchObject([
      { pk: 'ASSET#plant-a/m1', event: { kind: 'changeover' } },
    ]);
    expect(outcome('m1', 'r1')).toBeUndefined();
  });
  it('joins nothing where no unit fits, until one is known', async () => {
    const { send, decisions, told, outcome } = setUp();
    await send(told('e1', { run: null, index: null, validTime: at(9) }));
    await send(told('e2', { run: null, index: null, decision: 'plant-a/edge-1/b1/3' }));
    await send(await decisions('m1', 'r1', life(), 24 * 30));
    expect(outcome('m1', 'r1')).toMatchObject({ events: ['e2'], endedAt: 8 });
    const answersAnother = told('e3', { run: null, index: null, asset: 'm2', decision: 'plant-a/edge-1/b1/3' });
    await send(answersAnother);
    expect(outcome('m2', 'r1')).toBeUndefined();
  });
  it('takes a correction, and a correction of a correction, without counting twice', async () => {
    const { send, decisions, told, outcome, line } = setUp();
    await send(await decisions('m1', 'r1', life()), told('e1'));
    await send(told('c1', { corrects: 'e1', index: 12, knownTime: at(40) }));
    await send(told('c2', { corrects: 'c1', index: 11, knownTime: at(50) }));
    expect(outcome('m1', 'r1')).toMatchObject({ endedAt: 11, events: ['c2'] });
    expect(line()?.outcomes).toBe(1);
  });
  it('takes back an outcome whose report was retracted', async () => {
    const { send, decisions, told, outcome, line } = setUp();
    await send(await decisions('m1', 'r1', life()), told('e1'));
    await send(told('c1', { corrects: 'e1', kind: 'inspection', asFound: 'unknown', knownTime: at(40) }));
    expect(outcome('m1', 'r1')).toMatchObject({ end: 'contradicted', loss: null });
    expect(line()).toMatchObject({ outcomes: 0, coverage: { known: 0 } });
    expect(line()?.reasons.join()).toContain('left out, since the unit went on or the report was taken back: m1/r1');
  });
  it('moves an outcome when a correction names another machine, whichever comes first', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const { send, decisions, told, outcome } = setUp();
      const reports = [told('e1'), told('c1', { asset: 'm2', corrects: 'e1', knownTime: at(40) })];
      await send(await decisions('m1', 'r1', life()), await decisions('m2', 'r1', life()));
      for (const i of order) await send(reports[i]);
      expect(outcome('m2', 'r1')).toMatchObject({ end: 'failed', events: ['c1'] });
      expect(outcome('m1', 'r1')?.end ?? 'contradicted').toBe('contradicted');
    }
  });
  it('moves it also when two workers take the event and its correction at the same moment', async () => {
    const { send, handler, decisions, told, outcome, beforeNextWrite } = setUp();
    await send(await decisions('m1', 'r1', life()), await decisions('m2', 'r1', life()));
    beforeNextWrite(async () => void (await handler(sqsEvent(told('e1')))));
    await send(told('c1', { asset: 'm2', corrects: 'e1', knownTime: at(40) }));
    expect(outcome('m2', 'r1')).toMatchObject({ end: 'failed', events: ['c1'] });
    expect(outcome('m1', 'r1')?.end).toBe('contradicted');
  });
  it('takes an event away from the machine that its older content named', async () => {
    const { send, decisions, told, outcome } = setUp();
    await send(await decisions('m1', 'r1', life()), await decisions('m2', 'r1', life()), told('e1'));
    await send(told('e1', { asset: 'm2', knownTime: at(40) }));
    expect(outcome('m1', 'r1')?.end).toBe('contradicted');
    expect(outcome('m2', 'r1')?.end).toBe('failed');
  });
  it('names a failure that the machine outlived, and counts it as none', async () => {
    const { send, decisions, told, outcome, line } = setUp();
    await send(await decisions('m1', 'r1', life()), told('e1'));
    await send(await decisions('m1', 'r1', life(50, [11, 12, 13])));
    expect(outcome('m1', 'r1')).toMatchObject({ end: 'contradicted', loss: null });
    expect(line()).toMatchObject({ outcomes: 0 });
  });
  it('writes nothing when the same messages come again', async () => {
    const { send, decisions, told, registry, items } = setUp();
    const all = [await decisions('m1', 'r1', life()), told('e1'), told('e2', { run: null, index: null })];
    await send(...all);
    const [written, kept] = [registry.commands.length, structuredClone([...items])];
    await send(...all);
    await send(...all.toReversed());
    expect(registry.commands).toHaveLength(written);
    expect([...items]).toEqual(kept);
  });
  it('joins again when another worker writes in between', async () => {
    const { send, decisions, told, outcome, beforeNextWrite, handler } = setUp();
    await send(told('e1'));
    const [early, late] = [
      await decisions('m1', 'r1', life(2, [6, 7])),
      await decisions('m1', 'r1', life(2, [8, 9, 10])),
    ];
    await send(early);
    beforeNextWrite(async () => void (await handler(sqsEvent(late))));
    await send(told('e1', { index: 11, knownTime: at(40) }));
    expect(outcome('m1', 'r1')).toMatchObject({ decisions: 5, endedAt: 11 });
  });
  it('loses no outcome when the ledger is away: the message comes again', async () => {
    const { handler, send, decisions, told, outcome, registry, line } = setUp();
    await send(await decisions('m1', 'r1', life()));
    const write = registry.ledger.write;
    registry.ledger.write = async () => Promise.reject(new Error('the ledger is away'));
    expect(await handler(sqsEvent(told('e1')))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    registry.ledger.write = write;
    await send(told('e1'));
    expect(outcome('m1', 'r1')?.end).toBe('failed');
    expect(line()?.outcomes).toBe(1);
  });
  it('fails where the model line is not in the registry, so that someone looks', async () => {
    const { handler, send, decisions, told, log, registry } = setUp();
    await send(await decisions('m1', 'r1', life()));
    registry.registry.latest = async () => null;
    expect(await handler(sqsEvent(told('e1')))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toMatch(/is not in the registry: publish it/);
  });
  it('returns a message that is none of its own, and only that one', async () => {
    const { handler, told } = setUp();
    expect(await handler(sqsEvent({ 'detail-type': 'Party', detail: {} }, told('e1')))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
  });
});

/** Units of some machines that failed at 10 while the model kept saying `value`, and what the plant says of them. */
const story = async ({ decisions, told }: Joiner, units: number, value = 60) => {
  const objects: unknown[] = [];
  const events: unknown[] = [];
  for (let n = 0; n < units; n++) {
    const asset = `m${n % 3}`;
    objects.push(await decisions(asset, `r${n}`, life(value), 20 * n));
    events.push(told(`e${n}`, { asset, run: `r${n}`, validTime: at(20 * n + 10), knownTime: at(20 * n + 60) }));
  }
  return { objects, events };
};

/** The judgement, less the digest of its evidence: that says also at which outcome the retrain was asked for. */
const judged = ({ line }: Joiner) => ({ ...line(), evidenceDigest: '' });

const releaseFinished = (packageDigest: string, outcome = 'released') => ({
  'detail-type': 'ReleaseFinished',
  detail: { modelLine: LINE, site: 'plant-a', releaseId: 'r', packageDigest, outcome, reason: 'r' },
});
/** Outcomes have asked for a retrain, and it has made a package. */
const askedWhichMade = async (packageDigest: string) => {
  const joiner = setUp();
  const { objects, events } = await story(joiner, 20);
  await joiner.send(...objects, ...events);
  const requestId = joiner.requests()[0]?.['requestId'] as string;
  joiner.registry.put('retrain', requestId, { packageDigest });
  return { joiner, requestId };
};

describe('judging', () => {
  it('says why it does not judge a champion without a validation loss', async () => {
    const { send, decisions, told, line } = setUp(null);
    await send(await decisions('m1', 'r1', life()), told('e1'));
    expect(line()).toMatchObject({ state: 'HEALTHY', outcomes: 1, eValue: 0 });
    expect(line()?.reasons[0]).toMatch(/^not judged: the record of this package has no validation loss/);
  });
  it('records and judges the champion only', async () => {
    const { send, decisions, told, line, outcome } = setUp();
    await send(await decisions('m1', 'r1', [{ index: 9, value: 60, by: OTHER }]), told('e1'));
    expect(outcome('m1', 'r1', OTHER)?.loss).toBeGreaterThan(0.9);
    expect(line()).toMatchObject({ packageDigest: CHAMPION, outcomes: 0 });
  });
  it('stays healthy while the outcomes are as expected, and says so once', async () => {
    const joiner = setUp();
    const { objects, events } = await story(joiner, 20, 2);
    await joiner.send(...objects);
    for (const e of events) await joiner.send(e);
    expect(joiner.line()).toMatchObject({ state: 'HEALTHY', outcomes: 20, coverage: { known: 20 } });
    expect(joiner.registry.versions('judgement', `line/${LINE}`)).toHaveLength(1);
    expect(joiner.registry.announced).toEqual([]);
  });
  it('asks for one retrain when the loss is confirmed, with an id that follows from the evidence', async () => {
    const joiner = setUp();
    const { objects, events } = await story(joiner, 20);
    await joiner.send(...objects);
    for (const e of events) await joiner.send(e);
    expect(joiner.line()).toMatchObject({ state: 'RETRAIN_REQUESTED' });
    expect(joiner.requests()).toEqual([
      expect.objectContaining({
        modelLine: LINE,
        cause: 'drift',
        requestId: expect.stringMatching(/^drift-[0-9a-f]{16}$/),
      }),
    ]);
    const [request] = joiner.requests();
    expect(joiner.line()?.action).toMatchObject({ kind: 'retrain', requestId: request?.['requestId'] });
    const states = joiner.registry.announced.filter((a) => a.type === 'LineJudged').map((a) => a.detail['to']);
    expect(states.at(-1)).toBe('RETRAIN_REQUESTED');
  });
  it('asks once, whatever else comes: 200 false outcomes, a replayed day, events in reverse, a correction of a correction', async () => {
    const plain = setUp();
    const { objects, events } = await story(plain, 20);
    await plain.send(...objects);
    await plain.send(...events);
    const [request] = plain.requests();

    const joiner = setUp();
    const same = await story(joiner, 20);
    await joiner.send(...same.objects);
    await joiner.send(...same.events.toReversed());
    await joiner.send(...same.events.slice(3, 15));
    for (let i = 0; i < 200; i += 20)
      await joiner.send(
        ...Array.from({ length: 20 }, (_, k) =>
          joiner.told(`false-${i + k}`, {
            asset: `m${(i + k) % 3}`,
            run: `r${(i + k) % 20}`,
            index: 6,
            knownTime: at(900 + i),
          }),
        ),
      );
    await joiner.send(
      joiner.told('c2', { corrects: 'c1', asset: 'm0', run: 'r0', validTime: at(10), knownTime: at(60) }),
      joiner.told('c1', { corrects: 'e0', asset: 'm0', run: 'r0', index: 300, validTime: at(10), knownTime: at(60) }),
    );
    await joiner.send(...same.objects.toReversed(), ...same.events);
    expect(joiner.requests()).toEqual([request]);
    expect(judged(joiner)).toEqual(judged(plain));
  });
  /** Reports of failures that were none: half way of units that failed, or at the last frame of units that run. */
  const noise = ({ told }: Joiner, from: number) =>
    Array.from({ length: 200 }, (_, i) =>
      told(`false-${i}`, { asset: `m${i % 3}`, run: `r${i % 20}`, index: 6, knownTime: at(from + i) }),
    );
  /** What the plant may send after all was said: the same day again, backwards, a correction of a correction first. */
  const rest = ({ told }: Joiner, all: { readonly objects: unknown[]; readonly events: unknown[] }) => [
    ...all.events.slice(3, 15),
    ...all.events.toReversed(),
    told('c2', { corrects: 'c1', asset: 'm0', run: 'r0', validTime: at(10), knownTime: at(60) }),
    told('c1', { corrects: 'e0', asset: 'm0', run: 'r0', index: 300, validTime: at(10), knownTime: at(60) }),
    ...all.objects.toReversed(),
  ];
  it.each(['refused', 'released'] as const)(
    'asks for no second retrain after one that was %s, whatever comes of what was: noise, a day again, reverse, corrections',
    async (how) => {
      const ended: unknown[] = [];
      for (const noisy of [false, true]) {
        const joiner = setUp();
        const all = await story(joiner, 20);
        await joiner.send(...all.objects);
        await joiner.send(...(noisy ? all.events.toReversed() : all.events));
        const requestId = joiner.requests()[0]?.['requestId'] as string;
        joiner.registry.put('retrain', requestId, { packageDigest: OTHER });
        if (how === 'released') joiner.crown(OTHER);
        await joiner.send(
          how === 'released'
            ? {
                'detail-type': 'ReleaseFinished',
                detail: {
                  modelLine: LINE,
                  site: 'plant-a',
                  releaseId: 'r',
                  packageDigest: OTHER,
                  outcome: how,
                  reason: 'r',
                },
              }
            : {
                'detail-type': 'RetrainFinished',
                detail: { modelLine: LINE, site: 'plant-a', requestId, outcome: how, reason: 'r' },
              },
        );
        if (noisy) {
          const messages = [...noise(joiner, 900), ...rest(joiner, all)];
          for (let i = 0; i < messages.length; i += 25) await joiner.send(...messages.slice(i, i + 25));
        }
        expect(joiner.requests()).toHaveLength(1);
        const outcomes = await joiner.judgement.list(`LINE#${LINE}`, `OUTCOME#${CHAMPION}#`);
        expect(outcomes).toHaveLength(20);
        ended.push({ ...judged(joiner), outcomes: outcomes.map((o) => ({ ...(o['record'] as object), events: [] })) });
      }
      // One outcome rests on the correction instead: the names of events are left out.
      const [plain, noisy] = ended as [LineJudgement, LineJudgement];
      expect(plain.state).toBe(how === 'released' ? 'VERIFY' : 'COOLDOWN');
      expect(noisy).toEqual(plain);
    },
  );
  it('takes 200 false failures for what they are once the machines ran on, or the reports were taken back', async () => {
    const joiner = setUp();
    const healthy: unknown[] = [];
    for (let n = 0; n < 200; n++) healthy.push(await joiner.decisions(`m${n % 3}`, `r${n}`, life(CAP), 20 * n));
    await joiner.send(...healthy);
    const reports = Array.from({ length: 200 }, (_, n) => ({
      asset: `m${n % 3}`,
      run: `r${n}`,
      knownTime: at(5000 + n),
    }));
    for (let n = 0; n < 200; n += 50)
      await joiner.send(...reports.slice(n, n + 50).map((of, k) => joiner.told(`false-${n + k}`, of)));
    expect(joiner.requests()).toHaveLength(1);
    const goOn: unknown[] = [];
    for (let n = 0; n < 100; n++)
      goOn.push(await joiner.decisions(`m${n % 3}`, `r${n}`, life(CAP, [11, 12, 13]), 20 * n));
    const back = reports.slice(100).map((of, k) =>
      joiner.told(`back-${100 + k}`, {
        ...of,
        corrects: `false-${100 + k}`,
        kind: 'inspection',
        asFound: 'unknown',
        knownTime: at(6000 + k),
      }),
    );
    for (let n = 0; n < 100; n += 50) await joiner.send(...back.slice(n, n + 50), ...goOn.slice(n, n + 50));
    await joiner.send(...reports.slice(0, 50).map((of, k) => joiner.told(`false-${k}`, of)));
    expect(joiner.requests()).toHaveLength(1);
    expect(joiner.line()).toMatchObject({ state: 'RETRAIN_REQUESTED', outcomes: 0, eValue: 0, coverage: { known: 0 } });
  });
  it('ends in the same judgement for any order and any grouping of the same messages', async () => {
    const whole = setUp();
    const all = await story(whole, 10);
    await whole.send(...all.objects, ...all.events);
    const shuffled = fc.shuffledSubarray(
      Array.from({ length: 20 }, (_, i) => i),
      { minLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(shuffled, fc.integer({ min: 1, max: 7 }), async (order, size) => {
        const joiner = setUp();
        const again = await story(joiner, 10);
        const messages = order.map((i) => [...again.objects, ...again.events][i]);
        for (let i = 0; i < messages.length; i += size) await joiner.send(...messages.slice(i, i + size));
        expect(judged(joiner)).toEqual(judged(whole));
        expect(joiner.requests()).toHaveLength(1);
      }),
      { numRuns: 12 },
    );
  });
  it('tells the ledger what it did not get to say before, once', async () => {
    const joiner = setUp();
    const { objects, events } = await story(joiner, 20);
    await joiner.send(...objects, ...events.slice(0, 19));
    const asked = joiner.requests().length;
    const { write } = joiner.registry.ledger;
    joiner.registry.ledger.write = async (commands) =>
      commands.some((c) => c.record.id.startsWith('line/')) ? Promise.reject(new Error('away')) : write(commands);
    joiner.crown(OTHER);
    const released = (packageDigest: string) => ({
      'detail-type': 'ReleaseFinished',
      detail: {
        modelLine: LINE,
        site: 'plant-a',
        releaseId: 'rel-2',
        packageDigest,
        outcome: 'released',
        reason: 'ok',
      },
    });
    expect((await joiner.handler(sqsEvent(released(OTHER)))).batchItemFailures).toHaveLength(1);
    joiner.registry.ledger.write = write;
    await joiner.send(released(OTHER));
    await joiner.send(released(OTHER));
    const lines = joiner.registry.versions('judgement', `line/${LINE}`);
    expect(lines.at(-1)?.body).toMatchObject({ packageDigest: OTHER, outcomes: 0 });
    expect(lines.filter((l) => l.body['packageDigest'] === OTHER)).toHaveLength(1);
    expect(joiner.requests()).toHaveLength(asked);
  });
  it('cools down after a retrain that was refused, and after one whose package was not released', async () => {
    for (const how of ['refused', 'not-released'] as const) {
      const joiner = setUp();
      const { objects, events } = await story(joiner, 20);
      await joiner.send(...objects, ...events);
      const requestId = joiner.requests()[0]?.['requestId'] as string;
      const finished = (outcome: string) => ({
        'detail-type': 'RetrainFinished',
        detail: { modelLine: LINE, site: 'plant-a', requestId, outcome, reason: 'r' },
      });
      if (how === 'refused') await joiner.send(finished('refused'));
      else {
        joiner.registry.put('retrain', requestId, { packageDigest: OTHER });
        await joiner.send({
          'detail-type': 'ReleaseFinished',
          detail: {
            modelLine: LINE,
            site: 'plant-a',
            releaseId: 'r',
            packageDigest: OTHER,
            outcome: 'reverted',
            reason: 'r',
          },
        });
        await joiner.send(finished('candidate'));
      }
      expect(joiner.line()?.state).toBe('COOLDOWN');
      expect(joiner.requests()).toHaveLength(1);
    }
  });
  it('tells when the budget is spent and a person must decide, although the state stays', async () => {
    const joiner = setUp();
    const { objects, events } = await story(joiner, 20);
    for (let n = 0; n < useCase.judging.maxRetrains; n++)
      joiner.items.set(`LINE#${LINE}\nRETRAIN#drift-before-${n}`, {
        pk: `LINE#${LINE}`,
        sk: `RETRAIN#drift-before-${n}`,
        requestId: `drift-before-${n}`,
        at: at(0),
        outcome: 'refused',
        champion: OTHER,
        version: 1,
      });
    await joiner.send(...objects);
    for (const e of events) await joiner.send(e);
    expect(joiner.requests()).toEqual([]);
    const judgements = joiner.registry.announced.filter((a) => a.type === 'LineJudged').map((a) => a.detail);
    const last = judgements.slice(-2);
    expect(last.map((j) => [j['from'], j['to']])).toEqual([
      [expect.stringMatching(/HEALTHY|WATCH/), 'CONFIRMED'],
      ['CONFIRMED', 'CONFIRMED'],
    ]);
    expect(last[1]?.['reason']).toContain('a person must decide');
  });
  it('takes a retrain for in vain whose package had to go for the champion before it', async () => {
    const { joiner, requestId } = await askedWhichMade(OTHER);
    await joiner.send(
      {
        'detail-type': 'RetrainFinished',
        detail: { modelLine: LINE, site: 'plant-a', requestId, outcome: 'candidate', reason: 'r' },
      },
      releaseFinished(OTHER),
    );
    expect(joiner.line()?.state).toBe('RETRAIN_REQUESTED');
    joiner.crown(OTHER);
    await joiner.send(releaseFinished(OTHER));
    expect(joiner.line()?.state).toBe('VERIFY');
    joiner.crown(CHAMPION);
    await joiner.send(releaseFinished(CHAMPION));
    expect(joiner.line()?.state).toBe('COOLDOWN');
  });
  it('verifies the package that its retrain made, also when a second try released it, and no other', async () => {
    const { joiner } = await askedWhichMade(OTHER);
    await joiner.send(releaseFinished(OTHER, 'refused'));
    expect(joiner.line()?.state).toBe('COOLDOWN');
    joiner.crown(OTHER);
    await joiner.send(releaseFinished(OTHER), releaseFinished(OTHER, 'refused'));
    expect(joiner.line()).toMatchObject({ state: 'VERIFY', packageDigest: OTHER });
    const third = `sha256:${'3'.repeat(64)}`;
    joiner.registry.put('package', third, { modelLine: LINE, validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } });
    joiner.crown(third);
    await joiner.send(releaseFinished(third));
    expect(joiner.line()).toMatchObject({ state: 'HEALTHY', packageDigest: third });
  });
  it('takes a retrain for in vain whose package was tried on some rings, and then not released', async () => {
    const { joiner } = await askedWhichMade(OTHER);
    await joiner.send(releaseFinished(OTHER));
    expect(joiner.line()?.state).toBe('RETRAIN_REQUESTED');
    await joiner.send(releaseFinished(OTHER, 'reverted'));
    expect(joiner.line()?.state).toBe('COOLDOWN');
  });
  it('says nothing of a line without a champion', async () => {
    const joiner = setUp();
    joiner.registry.put('model-line', LINE, {
      ...(joiner.registry.versions('model-line', LINE).at(-1)?.body ?? {}),
      champion: null,
    });
    await joiner.send(await joiner.decisions('m1', 'r1', life()), joiner.told('e1'));
    expect(joiner.outcome('m1', 'r1')?.end).toBe('failed');
    expect(joiner.line()).toBeUndefined();
  });
  it('gives up, to try again later, when it is overtaken again and again', async () => {
    const { handler, decisions, beforeNextWrite, items, log } = setUp();
    const message = await decisions('m1', 'r1', life());
    const disturb = async (): Promise<void> => {
      const key = 'ASSET#plant-a/m1\nUNIT#r1';
      items.set(key, { pk: 'ASSET#plant-a/m1', sk: 'UNIT#r1', version: Math.random() });
      beforeNextWrite(disturb);
    };
    beforeNextWrite(disturb);
    expect((await handler(sqsEvent(message))).batchItemFailures).toHaveLength(1);
    expect(log.errors[0]?.error.message).toMatch(/unit m1\/r1: 12 tries were overtaken by other writers/);
  });
});
