import type { DecisionRecord } from '../../../core/contracts/decision.ts';
import { EVENTS } from '../../../core/contracts/events.ts';
import { AlertRecord } from '../../../core/contracts/judgement.ts';
import { decisionObject } from '../../../core/inference/decision-object.ts';
import { makeHandler } from '../../../lambdas/raise-alerts/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { AT, aDecision, LINE } from '../../support/alerts.ts';
import {
  announcedBy,
  memoryLedger,
  memoryLog,
  memoryStore,
  recordCommand,
  registryOf,
  sqsEvent,
} from '../../support/fakes.ts';

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;
const USE_CASE = `sha256:${'1'.repeat(64)}`;
const PUBLISHED = [
  recordCommand('use-case', USE_CASE, useCase),
  recordCommand('model-line', LINE, aModelLine(LINE, USE_CASE)),
];

const setUp = (records = PUBLISHED) => {
  const lake = memoryStore('lake');
  const ledger = memoryLedger();
  ledger.commands.push(...records);
  const log = memoryLog();
  const handler = makeHandler({ lake, ledger, registry: registryOf(ledger.commands), log });
  /** Uploads and registers decisions; gives the event that tells of them. */
  const recorded = async (...decisions: DecisionRecord[]) => {
    const { key, header, body } = decisionObject('local', decisions);
    const id = `plant-a/edge-1/boot-1/${header.firstSequence}-${header.lastSequence}`;
    await lake.put(key, Buffer.from(body));
    ledger.commands.push(recordCommand('decision-object', id, { ...header, key }));
    const runs = new Map(
      decisions.map((d) => [`${d.asset}/${d.run}`, decisions.filter((o) => o.run === d.run && o.asset === d.asset)]),
    );
    const detail = EVENTS.DecisionsRecorded.parse({
      site: 'plant-a',
      device: 'edge-1',
      object: id,
      tableKey: 't',
      boot: 'boot-1',
      firstSequence: header.firstSequence,
      lastSequence: header.lastSequence,
      modelLines: [LINE],
      runs: [...runs.values()].map((of) => ({
        asset: of[0]?.asset,
        run: of[0]?.run,
        first: of[0]?.index,
        last: of.at(-1)?.index,
        firstAt: AT,
        lastAt: AT,
        failing: of.filter((d) => d.verdict === 'fail').length,
      })),
    });
    return { detail, key };
  };
  const raised = () => ledger.commands.filter((c) => c.record.class === 'alert');
  return { handler, lake, ledger, log, recorded, raised };
};

describe('raise-alerts', () => {
  test('raises one alert for a run, from the first decision that says fail, and tells of it', async () => {
    const { handler, recorded, raised } = setUp();
    const { detail } = await recorded(aDecision(1, { verdict: 'pass', value: 20 }), aDecision(2), aDecision(3));
    expect(await handler(sqsEvent({ detail }))).toEqual({ batchItemFailures: [] });
    const [command, ...more] = raised();
    expect(more).toEqual([]);
    expect(AlertRecord.parse(command?.record.body)).toMatchObject({ decision: 'plant-a/edge-1/boot-1/2', index: 42 });
    expect(command?.announce).toMatchObject({ type: 'AlertRaised', detail: { asset: 'spindle-101' } });
    expect(EVENTS.AlertRaised.parse(announcedBy(command)[0]?.detail)).toBeDefined();
    expect(command?.edges?.map((e) => e.to)).toContain('decision-object:plant-a/edge-1/boot-1/1-3');
  });

  test('raises one for each run of an object, and none for a run that does not fail', async () => {
    const { handler, recorded, raised } = setUp();
    const { detail } = await recorded(
      aDecision(1),
      aDecision(2, { asset: 'spindle-102' }),
      aDecision(3, { asset: 'spindle-103', verdict: 'undecided' }),
    );
    await handler(sqsEvent({ detail }));
    expect(raised().map((c) => c.record.id)).toEqual(['plant-a/spindle-101/live-01', 'plant-a/spindle-102/live-01']);
  });

  test('changes nothing and tells nobody when a later object of the run comes', async () => {
    const { handler, recorded, raised } = setUp();
    const first = await recorded(aDecision(1));
    const second = await recorded(aDecision(2));
    await handler(sqsEvent({ detail: first.detail }));
    await handler(sqsEvent({ detail: second.detail }));
    expect(raised()).toHaveLength(1);
  });

  test('takes the earliest of several objects of a run in one batch', async () => {
    const { handler, recorded, raised } = setUp();
    const first = await recorded(aDecision(1));
    const second = await recorded(aDecision(2));
    await handler(sqsEvent({ detail: second.detail }, { detail: first.detail }));
    expect(raised().map((c) => c.record.body['decision'])).toEqual(['plant-a/edge-1/boot-1/1']);
  });

  test('takes the next object of the run where the earliest cannot be read, and keeps that alert', async () => {
    const { handler, recorded, raised, ledger } = setUp();
    const first = await recorded(aDecision(1));
    const second = await recorded(aDecision(2));
    const registered = ledger.commands.splice(-2, 1);
    const batch = sqsEvent({ detail: first.detail }, { detail: second.detail });
    expect(await handler(batch)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    ledger.commands.push(...registered);
    expect(await handler(sqsEvent({ detail: first.detail }))).toEqual({ batchItemFailures: [] });
    expect(raised().map((c) => c.record.body['decision'])).toEqual(['plant-a/edge-1/boot-1/2']);
  });

  test('sends the same command when the same object comes again, for it may not have been told', async () => {
    const { handler, recorded, raised } = setUp();
    const { detail } = await recorded(aDecision(1));
    await handler(sqsEvent({ detail }));
    await handler(sqsEvent({ detail }));
    const [a, b] = raised();
    expect(b).toEqual(a);
  });

  test.each([
    ['of a model line that is not published', [], /is not in the registry: publish it, millwright publish/],
    ['of a model line whose use case is gone', PUBLISHED.slice(1), /or its use case is not in the registry/],
  ])('returns a message %s, saying what to do', async (_, records, says) => {
    const { handler, recorded, log } = setUp(records);
    const { detail } = await recorded(aDecision(1));
    expect(await handler(sqsEvent({ detail }))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toMatch(says);
  });

  test('returns a message whose object was changed since it was registered', async () => {
    const { handler, recorded, log, lake, raised } = setUp();
    const { detail, key } = await recorded(aDecision(1));
    const { body } = decisionObject('local', [aDecision(1, { value: 1 })]);
    await lake.put(key, Buffer.from(body));
    expect(await handler(sqsEvent({ detail }))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toMatch(/is not what was registered/);
    expect(raised()).toEqual([]);
  });

  test('returns a message whose object is not registered, and one that is no event, and works on the rest', async () => {
    const { handler, recorded, log, raised } = setUp();
    const { detail } = await recorded(aDecision(1));
    const unknown = { ...detail, object: 'nowhere', runs: detail.runs.map((r) => ({ ...r, run: 'live-09' })) };
    expect(await handler(sqsEvent({ detail: unknown }, 'oops', { detail }))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm1' }, { itemIdentifier: 'm0' }],
    });
    expect(log.errors[1]?.error.message).toMatch(/nowhere is announced and not in the registry/);
    expect(raised()).toHaveLength(1);
  });
});
