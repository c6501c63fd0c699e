import type { Frame } from '#core/contracts/frame.ts';
import type { PlantSource, SourceOptions, UseCaseDefinition } from '#core/contracts/source.ts';
import type { UseCase } from '#core/contracts/use-case.ts';

const useCase: UseCase = {
  schema: 'use-case/1',
  id: 'tool-wear',
  version: 1,
  title: 'Passes left in a milling tool',
  owner: 'machining',
  assetClass: 'mill',
  indexUnit: 'pass',
  signals: [{ name: 'edge', unit: '1', kind: 'scalar', range: [0, 100] }],
  featureSet: {
    schema: 'feature-set/1',
    id: 'tool-edge',
    owner: 'machining',
    description: 'What is left of the edge, and how fast it goes.',
    features: [
      { name: 'edge', feature: 'latest', signal: 'edge', window: 1, params: {} },
      { name: 'edge_trend', feature: 'slope', signal: 'edge', window: 8, params: {} },
    ],
  },
  label: { outcome: 'remaining-useful-life', from: 'failure', cap: 40, unit: 'pass' },
  trainer: {
    algorithm: 'mlp-regressor',
    hyperparameters: { hidden: '8', epochs: 60, members: 1, learningRate: 0.02 },
    seed: 1,
    maxRuntimeSeconds: 60,
  },
  gate: {
    minTrainRuns: 8,
    minTestRuns: 4,
    maxRmse: 5,
    maxRmseOverChampion: 1.1,
    minSinceRuns: 8,
    maxRmseOverChampionSince: 1,
    maxVariantRmseRatio: 1.5,
  },
  thresholds: { alarmBelow: 3, undecidedBelow: 5 },
  fallback: { kind: 'hold', message: 'change the tool by the schedule' },
  rollout: {
    riskClass: 'automatic',
    rings: [0],
    minDecisionsPerDevice: 5,
    maxFallbackShare: 0.2,
    bakeSeconds: 1,
    waveTimeoutSeconds: 60,
    shadow: { tolerance: 15, batch: 5, maxDisagreement: 0.1, margin: 0.3, alpha: 0.001, beta: 0.05 },
  },
  judging: {
    lossTolerance: 0.03,
    alarmAt: 1000,
    minOutcomes: 36,
    leaveAfter: 8,
    cooldownDays: 7,
    maxRetrains: 3,
    budgetDays: 90,
    maturityDays: 14,
    psiWatch: 0.02,
    psiSerious: 0.1,
    alpha: 0.01,
    drift: { season: { hours: 12, offsetMinutes: 60 } },
  },
  nextAction: {
    fail: 'plan an exchange within the time that is left; open the machine and say what was found',
    undecided: 'look at the machine at the next stop',
  },
  latencyBudgetMs: 250,
  expiresAfterDays: 30,
  seal: { testShare: 0.3, calibrationShare: 0.2, salt: 'tool-wear' },
};

const tools = ({ site, seed, start }: SourceOptions): PlantSource => {
  const frames = (asset: string, run: string, passes: number, count = passes): Frame[] =>
    Array.from({ length: count }, (_, i) => {
      const at = new Date(Date.parse(start) + i * 60_000).toISOString();
      return {
        schema: 'frame/1',
        site,
        asset,
        run,
        index: i + 1,
        context: 'milling',
        sourceTime: at,
        receivedTime: at,
        signals: { edge: { value: passes - i - 1, quality: 'GOOD' } },
      };
    });
  /** Between 30 and 59 passes, other ones for another seed. */
  const passesOf = (n: number): number => 30 + ((n * 7 + seed * 11) % 30);
  return {
    name: 'counting tools',
    *history() {
      for (let n = 0; n < 30; n++) {
        const [asset, run, passes] = ['mill-1', `tool-${n + 1}`, passesOf(n)];
        const life = frames(asset, run, passes);
        const ended = life.at(-1)?.sourceTime as string;
        yield {
          asset,
          run,
          frames: life,
          events: [
            {
              schema: 'plant-event/1',
              eventId: `${asset}-${run}-failure`,
              kind: 'failure',
              site,
              asset,
              run,
              index: passes,
              validTime: ended,
              knownTime: ended,
              reportedBy: 'machinist',
              detail: {},
            },
          ],
        };
      }
    },
    live: (machines) =>
      Array.from({ length: machines }, (_, m) => [
        {
          asset: `mill-${m + 2}`,
          run: 'tool-1',
          frames: frames(`mill-${m + 2}`, 'tool-1', passesOf(m), 20),
          remainingAtEnd: passesOf(m) - 20,
        },
      ]),
  };
};

export const definitions: readonly UseCaseDefinition[] = [{ useCase, needsData: false, source: tools }];
