import { RetrainRecord } from '#core/contracts/retrain.ts';
import { CliError } from '../errors.ts';
import { oneModelLine } from '../find.ts';
import { answer, type Output, paint, say, short } from '../output.ts';
import { endedRecord } from '../wait.ts';
import type { World } from '../world.ts';

export interface RetrainOptions {
  readonly modelLine?: string;
  readonly reason: string;
  readonly cause: 'person' | 'first';
  readonly wait: boolean;
  readonly timeoutSeconds: number;
}

/** Waits for the end of a retrain, telling each step once. @throws {CliError} when it takes longer than allowed. */
export const waitForRetrain = async (
  world: World,
  requestId: string,
  timeoutSeconds: number,
  onStep: (step: string) => void,
): Promise<RetrainRecord> => {
  let step = '';
  const of = { class: 'retrain', id: requestId, schema: RetrainRecord } as const;
  const ended = await endedRecord(world, of, timeoutSeconds, async (record) => {
    const now = (await world.execution(record.execution))?.step ?? record.step;
    if (now !== step) onStep(now);
    step = now;
  });
  if (ended !== null) return ended;
  throw new CliError(
    `retrain ${requestId} did not end within ${timeoutSeconds} s${step === '' ? ' and never began' : ` (it is at ${step})`}`,
    `it goes on: see "millwright explain ${requestId}"${step === '' ? '; if it never begins, look at the rule on the bus' : ''}`,
  );
};

/** Asks for a new model by an event on the bus, as drift and the schedule do; with `wait` tells how it ended. */
export const retrain = async (world: World, out: Output, options: RetrainOptions): Promise<void> => {
  const line = await oneModelLine(world, options.modelLine);
  const requestId = world.newId('retrain');
  await world.announce('RetrainRequested', {
    modelLine: line.modelLine,
    site: world.site,
    cause: options.cause,
    requestedBy: await world.actor(),
    reason: options.reason,
    requestId,
  });
  if (!options.wait)
    return answer(out, { requestId, modelLine: line.modelLine }, () => {
      say(out, `Asked for a new model of ${line.modelLine}: ${paint(out, 'bold', requestId)}`);
      say(out, `Follow it with "millwright explain ${requestId}".`);
    });
  const record = await waitForRetrain(world, requestId, options.timeoutSeconds, (step) => {
    if (!out.json) say(out, `  ${step}`);
  });
  answer(out, record, () =>
    say(
      out,
      record.status === 'candidate'
        ? `${paint(out, 'green', '✓')} a candidate: package ${short(record.packageDigest)}`
        : `${paint(out, 'red', '✗')} ${record.status} at ${record.step}: ${record.detail}`,
    ),
  );
  if (record.status !== 'candidate')
    throw new CliError(
      `retrain ${requestId} was ${record.status}: ${record.detail}`,
      `see "millwright explain ${requestId}"`,
    );
};
