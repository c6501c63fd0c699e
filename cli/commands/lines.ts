import { parseAs } from '#core/contracts/errors.ts';
import type { LineAction, LineJudgement } from '#core/contracts/judgement.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { factsOf, JudgedPackage, judgeEvidence, type LineFacts } from '#core/outcomes/line-evidence.ts';
import { modelLines, oneModelLine } from '../find.ts';
import { answer, facts, figure, type Output, paint, say, sentence, short, table } from '../output.ts';
import type { World } from '../world.ts';
import { chainText, lineChain } from './line-chain.ts';

interface Judged {
  readonly line: ModelLineRecord;
  /** Null without a champion. */
  readonly of: (ReturnType<typeof judgeEvidence> & { readonly facts: LineFacts; readonly title: string }) | null;
}

/** Judges a line anew from what the judge keeps of it: the same evidence gives the same judgement. */
export const judgedLine = async (world: World, line: ModelLineRecord): Promise<Judged> => {
  if (line.champion === null) return { line, of: null };
  const { modelLine, site, useCaseDigest } = line;
  const { packageDigest } = line.champion;
  const [useCase, record, items] = await Promise.all([
    world.registry.latest('use-case', useCaseDigest),
    world.registry.latest('package', packageDigest),
    world.judgement(modelLine),
  ]);
  const { judging: policy, title } = parseAs(UseCase, useCase?.body, `use case ${useCaseDigest} of ${modelLine}`);
  const { validationLoss } = parseAs(JudgedPackage, record?.body ?? {}, `package ${packageDigest}`);
  const known = factsOf({ modelLine, site, packageDigest, policy, validationLoss }, items);
  return { line, of: { ...judgeEvidence(known), facts: known, title } };
};

const STYLES: Readonly<Record<LineJudgement['state'], 'green' | 'yellow' | 'red' | 'cyan'>> = {
  HEALTHY: 'green',
  WATCH: 'yellow',
  CONFIRMED: 'red',
  RETRAIN_REQUESTED: 'cyan',
  COOLDOWN: 'yellow',
  VERIFY: 'cyan',
  DATA_QUALITY_HOLD: 'yellow',
  NEW_CONTEXT: 'yellow',
  SUSPECTED_CHANGEOVER: 'yellow',
  RECURRING: 'cyan',
  AGEING: 'yellow',
};
/** A champion that nothing can be held against is in no state, and well least of all. */
const stateText = ({ judgement, facts: known }: NonNullable<Judged['of']>): string =>
  known.validationLoss === null ? 'not judged' : judgement.state;
const styleOf = ({ judgement, facts: known }: NonNullable<Judged['of']>) =>
  known.validationLoss === null ? 'yellow' : STYLES[judgement.state];
const eText = (eValue: number): string => (eValue < 1e5 ? figure(eValue, 1) : eValue.toExponential(1));
const evidenceText = ({ eValue, threshold }: LineJudgement): string => `${eText(eValue)} of ${threshold}`;
const lossText = ({ meanLoss, expectedLoss }: LineJudgement): string =>
  `${figure(meanLoss, 3)}, at most ${figure(expectedLoss, 3)}`;
const NEEDS: Readonly<Record<LineAction['kind'], (count: number) => string>> = {
  retrain: () => 'retrain asked',
  'ask-labels': (count) => `${count} more outcomes`,
  'ask-operator': () => 'an answer: changed over?',
  plan: (days) => (days === 0 ? 'a retrain planned' : `a retrain planned, ${days} days`),
};
const actionText = ({ action, wouldHave }: LineJudgement): string => {
  const shown = action ?? wouldHave ?? null;
  if (shown === null) return '';
  return `${action === null ? 'in shadow: ' : ''}${NEEDS[shown.kind](shown.count)}`;
};

/** What the judge says of each model line. */
export const lines = async (world: World, out: Output): Promise<void> => {
  const all = await Promise.all((await modelLines(world)).map((line) => judgedLine(world, line)));
  const documents = all.map(({ line, of }) => ({ modelLine: line.modelLine, judgement: of?.judgement ?? null }));
  const show = (of: (j: LineJudgement) => string) => (row: Judged) => (row.of === null ? '–' : of(row.of.judgement));
  answer(out, documents, () =>
    table<Judged>(
      out,
      all,
      [
        { title: 'MODEL LINE', of: (r) => r.line.modelLine },
        {
          title: 'STATE',
          of: (r) => (r.of === null ? 'no champion' : stateText(r.of)),
          style: (r) => (r.of === null ? null : styleOf(r.of)),
        },
        { title: 'E-VALUE', of: show((j) => eText(j.eValue)), align: 'right' },
        { title: 'OUTCOMES', of: show((j) => `${j.coverage.known} of ${j.coverage.matured}`), align: 'right' },
        {
          title: 'LOSS (AT MOST)',
          of: show((j) => `${figure(j.meanLoss, 3)} (${figure(j.expectedLoss, 3)})`),
          align: 'right',
        },
        { title: 'NEEDS', of: show(actionText) },
      ],
      'No model line yet: run "millwright publish".',
    ),
  );
};

const LAST = 12;

const showPath = (out: Output, { facts: known, path }: NonNullable<Judged['of']>): void => {
  const byUnit = new Map(known.outcomes.map((o) => [`${o.asset}/${o.run}`, o]));
  say(out);
  say(
    out,
    path.length > LAST
      ? `The last ${LAST} of ${path.length} outcomes, as they became known:`
      : 'Outcomes, as they became known:',
  );
  table(
    out,
    path.slice(-LAST),
    [
      { title: 'UNIT', of: (p) => p.unit },
      { title: 'END', of: (p) => byUnit.get(p.unit)?.end ?? '–' },
      { title: 'KNOWN', of: (p) => byUnit.get(p.unit)?.knownTime.slice(0, 16).replace('T', ' ') ?? '–' },
      { title: 'DECISIONS', of: (p) => String(byUnit.get(p.unit)?.withValue ?? '–'), align: 'right' },
      { title: 'LOSS', of: (p) => figure(byUnit.get(p.unit)?.loss, 3), align: 'right' },
      {
        title: 'E-VALUE',
        of: (p) => eText(p.eValue),
        align: 'right',
      },
      { title: 'STATE', of: (p) => p.state, style: (p) => STYLES[p.state] },
    ],
    '  none yet',
  );
};

const daysText = (days: number | null): string =>
  days === null ? 'not known in the time so far' : `known within ${figure(days, 1)} days`;

/** How long outcomes take, and to which side answers are wrong, where units tell of it. */
const delayFacts = ({ delays, calibration }: LineJudgement): readonly (readonly [string, string])[] => [
  ...(delays === undefined || delays.known === 0
    ? []
    : [['delay', `half ${daysText(delays.medianDays)}, nine of ten ${daysText(delays.matureDays)}`] as const]),
  ...(calibration === undefined
    ? []
    : [
        [
          'side',
          `${calibration.says ?? 'not shown to be too hopeful or too gloomy'}: mean error ${figure(calibration.meanError, 3)}, ` +
            `${calibration.allowed.map((x) => figure(x, 3)).join(' to ')} is as in validation`,
        ] as const,
      ]),
];

/** What the judge says of one model line, why, and the way there. */
export const explainLine = async (world: World, out: Output, name: string | undefined): Promise<void> => {
  const judged = await judgedLine(world, await oneModelLine(world, name));
  const { line, of } = judged;
  const document = {
    modelLine: line.modelLine,
    judgement: of?.judgement ?? null,
    outcomes: of?.facts.outcomes ?? [],
    retrains: of?.facts.retrains ?? [],
    path: of?.path ?? [],
    chain: await lineChain(world, line.modelLine),
  };
  answer(out, document, () => {
    if (of === null) {
      say(out, `${paint(out, 'bold', line.modelLine)} has no champion: nothing is judged.`);
      say(out, 'Ask for a first model with "millwright retrain --cause first --wait".');
      return;
    }
    const { judgement } = of;
    say(out, `${paint(out, styleOf(of), stateText(of))}  ${line.modelLine}, ${of.title}`);
    for (const reason of judgement.reasons) sentence(out, reason, '  ');
    say(out);
    facts(out, [
      ['champion', short(judgement.packageDigest)],
      ['e-value', `${evidenceText(judgement)}, where a loss is confirmed`],
      ['loss', lossText(judgement)],
      ['outcomes', `${judgement.coverage.known} known of ${judgement.coverage.matured} that are due`],
      ...delayFacts(judgement),
      ['worst', judgement.worstAsset ?? '–'],
      ['inputs', judgement.features.slice(0, 5).join(', ') || 'as in training'],
      ['needs', actionText(judgement) || 'nothing'],
      ...of.facts.retrains.map((r) => ['asked', `${r.requestId} on ${r.at.slice(0, 10)}: ${r.outcome}`] as const),
      ['evidence', chainText(document.chain)],
    ]);
    if (of.path.length > 0) showPath(out, of);
  });
};
