import type { DriftPolicy } from '../../../core/contracts/drift.ts';
import { EVENTS } from '../../../core/contracts/events.ts';
import { judgementKeys } from '../../../core/contracts/judgement.ts';
import { LabelRequest, type OutcomePolicy } from '../../../core/contracts/label-request.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { judgeModelLine } from '../../../lambdas/shared/judge-line.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { anOutcome } from '../../support/an-outcome.ts';
import { memoryStore } from '../../support/fakes.ts';
import { memoryJudgement, memoryRegistryWithLedger } from '../../support/memory-judging.ts';

const LINE = 'predictive-maintenance/plant-a';
const CHAMPION = `sha256:${'1'.repeat(64)}`;
const given = (definitions[0] as (typeof definitions)[number]).useCase;
const day = (n: number): string => new Date(Date.UTC(2025, 0, 1 + n)).toISOString();

const setUp = async (o: { units: number; minOutcomes?: number; outcomes?: OutcomePolicy; drift?: DriftPolicy }) => {
  const { judgement, items, beforeNextWrite } = memoryJudgement();
  const { registry, ledger, put, announced, commands } = memoryRegistryWithLedger();
  const judging = {
    ...given.judging,
    alarmAt: 100,
    maturityDays: 30,
    minOutcomes: o.minOutcomes ?? 10,
    ...(o.outcomes === undefined ? {} : { outcomes: o.outcomes }),
    ...(o.drift === undefined ? {} : { drift: o.drift }),
  };
  const useCase = { ...given, judging };
  put('use-case', digestOf(useCase), useCase);
  put('package', CHAMPION, { validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } });
  put('model-line', LINE, aModelLine(LINE, digestOf(useCase), CHAMPION));
  for (let n = 0; n < o.units; n++)
    await judgement.put({ ...judgementKeys.served(LINE, CHAMPION, `m${n % 3}`, `r${n}`), lastAt: day(n) });
  const outcome = async (n: number, loss: number): Promise<void> => {
    const [asset, run] = [`m${n % 3}`, `r${n}`];
    const times = { validTime: day(n), knownTime: day(o.units + n) };
    const record = anOutcome({ modelLine: LINE, packageDigest: CHAMPION, asset, run, ...times, loss });
    await judgement.put({ ...judgementKeys.outcome(LINE, CHAMPION, asset, run), record });
  };
  const judge = () => judgeModelLine({ judgement, registry, ledger, lake: memoryStore() }, LINE, 'test');
  const requests = (): LabelRequest[] =>
    [...items.values()].filter((i) => i.sk.startsWith('LABELS#')).map((i) => LabelRequest.parse(i['request']));
  const told = () => announced.filter((a) => a.type === 'LabelsRequested');
  return { outcome, judge, requests, told, commands, beforeNextWrite };
};

describe('requests for labels of a line that is judged', () => {
  it('name so many units as outcomes are missing, once, in the registry and to the people of the plant', async () => {
    const line = await setUp({ units: 40 });
    for (const n of [0, 1, 2]) await line.outcome(n, 0.5);
    const judged = await line.judge();
    expect(judged).toMatchObject({ action: { kind: 'ask-labels', count: 7 } });
    const [request] = line.requests();
    expect(request).toMatchObject({ ordinal: 1, count: 7, candidates: 34, share: 7 / 34 });
    const [event] = line.told();
    expect(EVENTS.LabelsRequested.parse(event?.detail)).toMatchObject({ site: 'plant-a', count: 7 });
    expect(event?.detail['says']).toContain('7 more outcomes are needed before anything may follow');
    expect(event?.detail['says']).toContain(request?.units[0]);
    const id = `labels/${LINE}/${'1'.repeat(64)}/1`;
    expect(line.commands.filter((c) => c.record.id === id).map((c) => c.record.body)).toEqual([request]);

    await line.judge();
    await line.outcome(3, 0.5);
    await line.judge();
    expect(line.requests()).toHaveLength(1);
    expect(line.told()).toHaveLength(1);
  });

  it('are made in the grey zone, where the line is watched and no outcome is missing, for as many as decide', async () => {
    const line = await setUp({ units: 200, minOutcomes: 4 });
    for (let n = 0; n < 12; n++) await line.outcome(n, 0.15);
    expect(await line.judge()).toMatchObject({ state: 'WATCH', action: null });
    expect(line.requests()[0]?.reason).toMatch(/neither healthy nor confirmed worse: about \d+ more outcomes decide/);
    expect(line.told()).toHaveLength(1);
  });

  it('are none of a line that is healthy, or is judged in the shadow', async () => {
    const healthy = await setUp({ units: 40 });
    await healthy.outcome(0, 0.01);
    await healthy.judge();
    expect(healthy.requests()).toEqual([]);
    const shadow = await setUp({ units: 40, drift: { mode: 'shadow' } });
    for (const n of [0, 1, 2]) await shadow.outcome(n, 0.5);
    await shadow.judge();
    expect(shadow.requests()).toEqual([]);
  });

  it('are made for the quota of a line of which only rejects are inspected, also while it is healthy', async () => {
    const line = await setUp({ units: 60, outcomes: { inspected: 'rejects', quota: 0.2 } });
    await line.judge();
    const [request] = line.requests();
    expect(request).toMatchObject({ standing: true, share: 0.2, candidates: 57 });
    expect(request?.count).toBe(request?.units.length);
    expect(line.told()[0]?.detail['says']).toContain(
      'of units that are not rejected a share of 0.2 is inspected all the same',
    );
    await line.judge();
    expect(line.requests()).toHaveLength(1);
  });

  it('are made once by two that judge at the same moment', async () => {
    const line = await setUp({ units: 40 });
    for (const n of [0, 1, 2]) await line.outcome(n, 0.5);
    line.beforeNextWrite(async () => {
      await line.judge();
    });
    await line.judge();
    expect(line.requests()).toHaveLength(1);
    expect(line.told()).toHaveLength(1);
  });
});
