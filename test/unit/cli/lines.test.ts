import type { JoinedOutcomeRecord, LineEvidenceDocument } from '../../../core/contracts/judgement.ts';
import { evidenceDocument } from '../../../core/drift/decision/evidence-chain.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { judgeEvidence } from '../../../core/outcomes/line-evidence.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { anOutcome } from '../../support/an-outcome.ts';
import { bad as bads, facts, good } from '../../support/line-evidence.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const LINE = 'predictive-maintenance/plant-a';
const CHAMPION = digest('a');
const published = (definitions[0] as (typeof definitions)[number]).useCase;
const useCase = { ...published, judging: { ...published.judging, lossTolerance: 0.03, minOutcomes: 36 } };
const day = (n: number): string => new Date(Date.UTC(2025, 0, n, 7, 30)).toISOString();

const outcome = (n: number, more: Partial<JoinedOutcomeRecord> = {}) => {
  const [asset, run] = [`spindle-${100 + (n % 3)}`, `run-${n}`];
  const times = { validTime: day(n), knownTime: day(n + 2) };
  const record = anOutcome({ modelLine: LINE, packageDigest: CHAMPION, asset, run, ...times, ...more });
  return { sk: `OUTCOME#${CHAMPION}#${asset}/${run}`, record };
};
const world = (
  champion: boolean,
  items: readonly { sk: string; [field: string]: unknown }[] = [],
  validationLoss: object | null = { mean: 0.05, upper: 0.08, runs: 20 },
) =>
  fakeWorld({
    judgement: async (modelLine) => (modelLine === LINE ? items : []),
    registry: memoryRegistry([
      {
        class: 'model-line',
        id: LINE,
        body: { ...aModelLine(LINE, digestOf(useCase), champion ? CHAMPION : null) },
      },
      { class: 'use-case', id: digestOf(useCase), body: { ...useCase } },
      { class: 'package', id: CHAMPION, body: { validationLoss } },
    ]),
  });
const bad = Array.from({ length: 14 }, (_, n) => outcome(n));

describe('lines', () => {
  test('says the state of each line, its evidence, coverage, loss and what it needs', async () => {
    const { code, out } = await runWith(world(true, bad), ['lines']);
    expect(code).toBe(0);
    expect(out).toMatch(/CONFIRMED|WATCH/);
    expect(out).toContain('14 of 14');
    expect(out).toContain('0.400 (0.110)');
    expect(out).toContain('22 more outcomes');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
  test('says that a line without a champion is not judged', async () => {
    expect((await runWith(world(false), ['lines'])).out).toContain('no champion');
    expect((await runWith(world(false), ['lines', LINE])).out).toMatch(/has no champion: nothing is judged/);
  });
  test('does not call a line healthy whose champion has no loss to be held against', async () => {
    for (const args of [['lines'], ['lines', LINE]]) {
      const { out } = await runWith(world(true, bad, null), args);
      expect(out).toContain('not judged');
      expect(out).not.toContain('HEALTHY');
    }
  });
  test('explains one line by the outcomes in the order they became known, and by what it asked for', async () => {
    const items = [
      ...bad,
      outcome(20, { end: 'contradicted', loss: null, rmse: null, lastError: null }),
      { sk: 'RETRAIN#drift-1', requestId: 'drift-1', at: day(9), outcome: 'refused' },
    ];
    for (const command of [
      ['lines', LINE],
      ['explain', LINE],
    ]) {
      const { code, out } = await runWith(world(true, items), command);
      expect(code).toBe(0);
      expect(out).toContain('The last 12 of 14 outcomes, as they became known:');
      expect(out).toMatch(/spindle-101\/run-13 +failed +2025-01-15 07:30 +38 +0\.400/);
      expect(out).toContain('left out, since the unit went on or the report was taken back: spindle-102/run-20');
      expect(out).toContain('drift-1 on 2025-01-09: refused');
    }
  });
  test('with --json gives judgement, outcomes and the way there', async () => {
    const { out } = await runWith(world(true, bad), ['lines', LINE, '--json']);
    const document = JSON.parse(out);
    expect(document.judgement).toMatchObject({ outcomes: 14, meanLoss: expect.closeTo(0.4) });
    expect(document.path).toHaveLength(14);
    expect(document.outcomes).toHaveLength(14);
  });
  test('names the lines there are when the one asked for is none', async () => {
    const { code, err } = await runWith(world(true), ['lines', 'a/b']);
    expect(code).toBe(3);
    expect(err).toContain(LINE);
  });
});

describe('the evidence that judgements of a line left', () => {
  const key = (n: number) => `drift/lines/${LINE}/${String(n).repeat(64)}.json`;
  const documents: LineEvidenceDocument[] = [];
  for (const known of [facts(good(6)), facts([...good(8), ...bads(8)])])
    documents.push(evidenceDocument(documents.at(-1) ?? null, known, judgeEvidence(known).judgement));
  const said = async (kept: readonly unknown[]) => {
    const lakeFiles = Object.fromEntries(kept.map((d, i) => [key(i), typeof d === 'string' ? d : JSON.stringify(d)]));
    const { judgement, registry } = world(true, bad);
    return (await runWith(fakeWorld({ judgement, registry, lakeFiles }), ['lines', LINE])).out;
  };
  test('is judged again, in the order of its chain', async () => {
    expect(await said([...documents].reverse())).toContain(
      '2 judgements: unbroken, and judged again to the same bytes',
    );
    expect(await said(documents.slice(0, 1))).toContain('1 judgement: unbroken');
    expect(await said([])).toContain('none kept yet');
  });
  test('leaves out what a judge left in vain, who judged at the same time as another', async () => {
    const other = facts([...good(8), ...bads(9)]);
    const inVain = evidenceDocument(documents[0] ?? null, other, judgeEvidence(other).judgement);
    const third = evidenceDocument(documents[1] ?? null, other, judgeEvidence(other).judgement);
    for (const rival of [inVain, evidenceDocument(null, other, judgeEvidence(other).judgement)])
      expect(await said([rival, ...documents, third])).toContain('3 judgements: unbroken');
    expect(await said([inVain, ...documents])).toContain('2 judgements: unbroken');
  });
  test('is said to be broken where it is', async () => {
    const [first, second] = documents as [LineEvidenceDocument, LineEvidenceDocument];
    expect(await said([first, { ...second, sequence: 3 }])).toContain('broken at judgement 3: its hash is not that');
    expect(await said(['no JSON'])).toContain('it is no line evidence');
  });
  test('says how much of it other rules judged', async () => {
    const { hash: _, ...old } = { ...(documents[0] as LineEvidenceDocument), judgeVersion: 999 };
    expect(await said([{ ...old, hash: digestOf(old) }])).toContain('1 judgement, 1 of them by other rules');
  });
});
