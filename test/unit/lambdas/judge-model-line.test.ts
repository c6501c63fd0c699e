import type { DriftPolicy } from '../../../core/contracts/drift.ts';
import { judgementKeys, type LineJudgement } from '../../../core/contracts/judgement.ts';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { verifyEvidence } from '../../../core/drift/decision/evidence-chain.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { factsOf, judgeEvidence } from '../../../core/outcomes/line-evidence.ts';
import { judgeModelLine } from '../../../lambdas/shared/judge-line.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { memoryStore } from '../../support/fakes.ts';
import { bad, day, device, facts, good, LINE, PACKAGE, policy } from '../../support/line-evidence.ts';
import { memoryJudgement, memoryRegistryWithLedger } from '../../support/memory-judging.ts';

const given = (definitions[0] as (typeof definitions)[number]).useCase;
const validationLoss = { mean: 0.1, upper: 0.12, runs: 40 };

/** A line that a judge finds with some outcomes and what the policy says of drift. */
const setUp = (drift?: DriftPolicy) => {
  const { judgement, items } = memoryJudgement();
  const registry = memoryRegistryWithLedger();
  const lake = memoryStore();
  const judging = { ...policy, ...(drift === undefined ? {} : { drift }) };
  const useCase: UseCase = { ...given, judging };
  const useCaseDigest = digestOf(useCase);
  const line = (modelLine: string, site: string) =>
    registry.put('model-line', modelLine, aModelLine(modelLine, useCaseDigest, PACKAGE, { site }));
  registry.put('use-case', useCaseDigest, { ...useCase });
  registry.put('package', PACKAGE, { modelLine: LINE, validationLoss });
  line(LINE, 'plant-a');
  const judge = () =>
    judgeModelLine(
      { judgement, registry: registry.registry, ledger: registry.ledger, lake },
      LINE,
      'test',
    ) as Promise<LineJudgement>;
  const know = async (losses: readonly number[]) => {
    const { outcomes, served } = facts(losses);
    for (const record of outcomes)
      await judgement.put({ ...judgementKeys.outcome(LINE, PACKAGE, record.asset, record.run), record });
    for (const { unit, lastAt } of served) {
      const [asset, run] = unit.split('/') as [string, string];
      await judgement.put({ ...judgementKeys.served(LINE, PACKAGE, asset, run), lastAt });
    }
  };
  const see = (more: Parameters<typeof device>[0]) =>
    judgement.put({
      ...judgementKeys.features(LINE, PACKAGE, 'plant-a', more?.device ?? 'edge-1'),
      ...device(more),
    });
  const change = (knownTime: string, eventId = 'e1') =>
    judgement.put({
      ...judgementKeys.event('plant-a', 'press-1', eventId),
      event: {
        schema: 'plant-event/1',
        eventId,
        kind: 'tool-change',
        site: 'plant-a',
        asset: 'press-1',
        run: null,
        index: null,
        validTime: knownTime,
        knownTime,
        reportedBy: 'person:x',
        detail: {},
      },
    });
  const announced = (type: string) => registry.announced.filter((a) => a.type === type).map((a) => a.detail);
  return { judge, judging, know, see, change, line, announced, registry, items, lake };
};

describe('the judgement of a line', () => {
  it('has a larger limit the more lines of the site share a budget of alarms', async () => {
    const { judge, know, line } = setUp({ alertsPerMonth: 1 });
    await know(good(30));
    for (let i = 0; i < 499; i++) line(`predictive-maintenance/other-${i}`, 'plant-a');
    line('predictive-maintenance/elsewhere', 'plant-b');
    const judgement = await judge();
    expect(judgement.threshold).toBe(500 * 30 * 2);
    expect(judgement.expectedLoss).toBeGreaterThan(validationLoss.upper + policy.lossTolerance);
  });
  it('asks for a retrain after a change for which the policy declares one', async () => {
    const declared = setUp({ onEvent: { 'tool-change': 'retrain' } });
    const not = setUp({ onEvent: { 'tool-change': 'mute' } });
    for (const { know, change } of [declared, not]) {
      await know(good(40));
      await change(day(10));
    }
    expect(await declared.judge()).toMatchObject({ state: 'RETRAIN_REQUESTED' });
    expect(declared.announced('RetrainRequested')).toHaveLength(1);
    expect(await not.judge()).toMatchObject({ state: 'HEALTHY', action: null });
  });
  it('keeps the changes that bear on it alone, however many there were, and can be made again from those', async () => {
    const { judge, judging, know, change, items } = setUp({ onEvent: { 'tool-change': 'retrain' } });
    await know(good(40));
    for (let i = 0; i < 300; i++) await change(day(i / 10), `e${i}`);
    const judgement = await judge();
    expect(judgement).toMatchObject({ state: 'RETRAIN_REQUESTED' });
    const ofLine = [...items.values()].filter((i) => i.pk === judgementKeys.line(LINE));
    const state = items.get(`LINE#${LINE}\nSTATE`) as unknown as { siteFacts: { changes: readonly unknown[] } };
    expect(state.siteFacts.changes.length).toBeLessThanOrEqual(3);
    const of = { modelLine: LINE, site: 'plant-a', packageDigest: PACKAGE, policy: judging, validationLoss };
    expect(judgeEvidence(factsOf(of, ofLine)).judgement).toEqual(judgement);
  });
  it('takes a change before the champion served for one that it may have learnt', async () => {
    const { judge, know, change } = setUp({ onEvent: { 'tool-change': 'retrain' } });
    await know(good(40));
    await change(day(-1));
    expect(await judge()).toMatchObject({ state: 'HEALTHY', action: null });
  });
  it('can be made again from the items of the line alone', async () => {
    const { judge, judging, know, line, items } = setUp({ alertsPerMonth: 1 });
    await know(bad(12));
    line('predictive-maintenance/other', 'plant-a');
    const judgement = await judge();
    const ofLine = [...items.values()].filter((i) => i.pk === judgementKeys.line(LINE));
    const of = { modelLine: LINE, site: 'plant-a', packageDigest: PACKAGE, policy: judging, validationLoss };
    expect(judgeEvidence(factsOf(of, ofLine)).judgement).toEqual(judgement);
    expect(factsOf(of, ofLine).lines).toBe(2);
  });
});

describe('the evidence of a line', () => {
  it('is kept whole for each judgement that is news, in a chain from which the same judgements are made', async () => {
    const { judge, know, registry, lake } = setUp();
    await know([...good(8), ...bad(4)]);
    await judge();
    await judge();
    await know([...good(8), ...bad(30)]);
    await judge();
    const cited = registry.versions('judgement', `line/${LINE}`).map((v) => v.body['evidence'] as string);
    const documents = await Promise.all(
      cited.map(async (hash) => JSON.parse(Buffer.from(await lake.get(lakeKeys.lineEvidence(LINE, hash))).toString())),
    );
    expect(verifyEvidence(documents)).toEqual({ holds: true, documents: cited.length, notReplayed: 0 });
    expect(await lake.list(lakeKeys.lineEvidences(LINE))).toHaveLength(cited.length);
  });
});

describe('who is told of a judgement', () => {
  it('are the people of the plant once, when a changeover is suspected', async () => {
    const { judge, know, see, announced } = setUp();
    await know(good(10));
    await see({ kind: 'suspected-changeover', since: day(2), assets: ['press-1'] });
    await judge();
    await know(good(11));
    await judge();
    expect(announced('OperatorAsked')).toEqual([
      {
        modelLine: LINE,
        site: 'plant-a',
        says: expect.stringMatching(
          /^predictive-maintenance\/plant-a: many inputs of press-1 stepped at once since 2025-01-03/,
        ),
      },
    ]);
  });
  it('are asked again when it was answered and another one is suspected', async () => {
    const { judge, know, see, announced } = setUp();
    await know(good(10));
    for (const kind of ['suspected-changeover', 'steady', 'suspected-changeover'] as const) {
      await see({ kind });
      await judge();
    }
    expect(announced('OperatorAsked')).toHaveLength(2);
  });
  it('are asked again when another device steps while nobody has answered for the first, and not when one is left', async () => {
    const { judge, know, see, announced } = setUp();
    await know(good(10));
    await see({ kind: 'suspected-changeover', since: day(2), assets: ['press-1'] });
    await judge();
    for (const kind of ['suspected-changeover', 'steady'] as const) {
      await see({ kind, since: day(3), assets: ['press-2'], device: 'edge-2' });
      await judge();
    }
    expect(announced('OperatorAsked').map((a) => a['says'])).toEqual([
      expect.stringContaining('many inputs of press-1 stepped'),
      expect.stringContaining('many inputs of press-1, press-2 stepped'),
    ]);
  });
  it('are the owners of all states, where no budget of alarms is declared', async () => {
    const { judge, know, announced } = setUp();
    await know([...good(8), ...bad(4)]);
    await judge();
    expect(announced('LineJudged')).toMatchObject([{ from: 'HEALTHY', to: 'WATCH' }]);
  });
  it('are the owners of what calls them only, where one is', async () => {
    const { judge, know, announced, registry } = setUp({ alertsPerMonth: 1 });
    await know([...good(8), ...bad(4)]);
    expect(await judge()).toMatchObject({ state: 'WATCH' });
    expect(announced('LineJudged')).toEqual([]);
    expect(registry.versions('judgement', `line/${LINE}`)).toHaveLength(1);
    await know([...good(8), ...bad(30)]);
    await judge();
    expect(announced('LineJudged')).toContainEqual(expect.objectContaining({ to: 'RETRAIN_REQUESTED' }));
  });
  it('are told in shadow what would have been asked for, and nobody is asked', async () => {
    const { judge, know, announced, registry } = setUp({ mode: 'shadow' });
    await know(bad(30));
    expect(await judge()).toMatchObject({ state: 'CONFIRMED', action: null, wouldHave: { kind: 'retrain' } });
    expect(announced('RetrainRequested')).toEqual([]);
    expect(announced('LineJudged')).toMatchObject([{ to: 'CONFIRMED' }]);
    await know(bad(31));
    await judge();
    expect(registry.versions('judgement', `line/${LINE}`)).toHaveLength(1);
  });
});
