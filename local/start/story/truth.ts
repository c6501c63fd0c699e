import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { parseAs } from '#core/contracts/errors.ts';
import { judgementKeys, LineJudgement } from '#core/contracts/judgement.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { sendPlantEvents } from '../../plant/historian.ts';
import { StartError } from '../errors.ts';
import type { Plant } from '../plant-context.ts';
import { pause } from '../wait.ts';
import { nextBatch } from './late-truth.ts';

/** How long the judge may take to answer to an outcome, and how long it must be still to have answered. */
const ANSWER_MS = 15_000;
const STILL_MS = 1_500;
const LAST_ANSWER_MS = 120_000;
const DAY_MS = 86_400_000;

interface Judged {
  readonly judgement: LineJudgement;
  readonly version: number;
}

/** What the judge says of the line last; null before its first outcome. */
export const judgedLine = async ({ clients, names, modelLine }: Plant): Promise<Judged | null> => {
  const { Item } = await clients.db.send(
    new GetCommand({ TableName: names.judgementTable.name, Key: judgementKeys.state(modelLine), ConsistentRead: true }),
  );
  if (Item === undefined) return null;
  return {
    judgement: parseAs(LineJudgement, Item['judgement'], `judgement of ${modelLine}`),
    version: Number(Item['version']),
  };
};

/** How many outcomes a request rests on: the judge may know more by now. */
const outcomesOf = async ({ registry }: Plant, requestId: string, otherwise: number): Promise<number> => {
  const count = (await registry.body('judgement', `request/${requestId}`))?.['outcomes'];
  return typeof count === 'number' ? count : otherwise;
};

/** Waits until the judge has taken events. Without a word for long it is not waited for: the story says so at its end. */
const taken = async ({ clients, names, signal }: Plant, events: readonly PlantEvent[]): Promise<void> => {
  let left = events;
  for (const until = performance.now() + LAST_ANSWER_MS; left.length > 0 && performance.now() < until; ) {
    const found = await Promise.all(
      left.map(async ({ site, asset, eventId }) => {
        const Key = judgementKeys.event(site, asset, eventId);
        return clients.db.send(new GetCommand({ TableName: names.judgementTable.name, Key, ConsistentRead: true }));
      }),
    );
    left = left.filter((_, i) => found[i]?.Item === undefined);
    if (left.length > 0) await pause(200, signal);
  }
};

export interface TruthTold {
  /** Request of the retrain that the judge asked for. */
  readonly requestId: string;
  readonly told: number;
  readonly outcomes: number;
  /** When the outcome was sent that started it, ms of the monotonic clock. */
  readonly lastNeededAt: number;
  readonly latestDays: number;
  readonly judgement: LineJudgement;
}

/**
 * Tells the plant what became of the runs, in the order in which it was known, until the judge asks for a retrain by
 * itself; what is not told by then is left.
 * @throws {StartError} when all is told and it did not ask.
 */
export const tellTruth = async (
  plant: Plant,
  packageDigest: string,
  events: readonly PlantEvent[],
  progress: {
    /** Events that were sent before. */
    readonly told: number;
    /** Requests that ended in vain: not these. */
    readonly inVain: readonly string[];
    readonly onTold: (told: number) => void;
    readonly onState: (judgement: LineJudgement) => void;
  },
): Promise<TruthTold> => {
  const { clients, names, signal, teller, played } = plant;
  const needed = played.useCase.judging.minOutcomes;
  let state = '';
  const current = async (): Promise<Judged | null> => {
    const judged = await judgedLine(plant);
    // What was said of an earlier champion says nothing of this one.
    if (judged === null || judged.judgement.packageDigest !== packageDigest) return null;
    if (judged.judgement.state !== state) {
      state = judged.judgement.state;
      progress.onState(judged.judgement);
    }
    return judged;
  };
  const asked = (judged: Judged | null): string | null =>
    judged?.judgement.action?.kind === 'retrain' && !progress.inVain.includes(judged.judgement.action.requestId ?? '')
      ? judged.judgement.action.requestId
      : null;
  let { told } = progress;
  let sentAt = performance.now();
  for (;;) {
    const before = await current();
    const requestId = asked(before);
    if (before !== null && requestId !== null) {
      const lags = events.slice(0, told).map((e) => Date.parse(e.knownTime) - Date.parse(e.validTime));
      return {
        requestId,
        told,
        outcomes: await outcomesOf(plant, requestId, before.judgement.outcomes),
        lastNeededAt: sentAt,
        latestDays: Math.max(0, ...lags) / DAY_MS,
        judgement: before.judgement,
      };
    }
    if (told >= events.length) {
      // A message that a queue brings again may take a while.
      if (performance.now() - sentAt < LAST_ANSWER_MS) {
        await pause(500, signal);
        continue;
      }
      throw new StartError(
        `all ${told} events are told and no retrain was asked for: ${before === null ? 'the line was never judged' : `${before.judgement.state} after ${before.judgement.outcomes} outcomes, ${before.judgement.reasons.join('; ')}`}`,
        'look at "npx millwright lines", and for failures of outcome-joiner in the log',
      );
    }
    const size = nextBatch(before?.judgement.outcomes ?? 0, needed, events.length - told);
    sentAt = performance.now();
    await sendPlantEvents(clients.lambda, names.plantEvents.name, events.slice(told, told + size));
    told += size;
    progress.onTold(told);
    teller.progress(`late truth: ${told} of ${events.length} events told, ${before?.judgement.outcomes ?? 0} outcomes`);
    if (asked(await current()) === null) await taken(plant, events.slice(told - size, told));
    let { version } = (await current()) ?? { version: 0 };
    let stillFrom = performance.now();
    // The judge has them and may be at work: one event more while it is would make its count a matter of chance.
    for (const until = performance.now() + ANSWER_MS; performance.now() < until; ) {
      await pause(200, signal);
      const judged = await current();
      if (asked(judged) !== null) break;
      if (judged !== null && judged.version !== version) {
        version = judged.version;
        stillFrom = performance.now();
      }
      const hasAnswered = judged !== null && judged.version !== (before?.version ?? 0);
      if (performance.now() - stillFrom > (hasAnswered ? STILL_MS : 2 * STILL_MS)) break;
    }
  }
};
