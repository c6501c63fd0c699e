import { z } from 'zod';
import type { RetrainExecution } from './retrain-run.ts';

/** The event by which Step Functions tells that an execution ended otherwise than well. */
const Ended = z.looseObject({
  source: z.literal('aws.states'),
  detail: z.looseObject({
    executionArn: z.string().min(1),
    name: z.string().min(1),
    status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
    startDate: z.number().describe('milliseconds since 1970'),
    input: z.string(),
    error: z.string().nullish(),
    cause: z.string().nullish(),
  }),
});

const SAYS = {
  FAILED: ['Failed', 'it ended without a word'],
  TIMED_OUT: ['TimedOut', 'it took longer than it may'],
  ABORTED: ['Aborted', 'someone stopped it'],
} as const;

/**
 * What the last step of a workflow would have been given, for an execution that ended before it: stopped by a person,
 * timed out, or cut off. Its one fault is that of the step `Execution`. Null when the input is no such event.
 */
export const endedExecution = (
  event: unknown,
): {
  readonly execution: z.infer<typeof RetrainExecution>;
  readonly state: Readonly<Record<string, unknown>>;
} | null => {
  const ended = Ended.safeParse(event);
  if (!ended.success) return null;
  const { executionArn, name, status, startDate, input, error, cause } = ended.data.detail;
  const [what, why] = SAYS[status];
  return {
    execution: { id: executionArn, name, startedAt: new Date(startDate).toISOString() },
    state: { ...JSON.parse(input), failed: { Execution: { Error: error || what, Cause: cause || why } } },
  };
};

/** The request that a workflow was started with, from its state: that begins as the request and gains the steps' answers. */
export const requestIn = <S extends z.ZodObject>(schema: S, state: Readonly<Record<string, unknown>>): z.infer<S> =>
  schema.parse(Object.fromEntries(Object.keys(schema.shape).map((k) => [k, state[k]])));
