import { EXECUTION, functionTask, lastStates, type Machine, partsTask } from '../states.ts';

/** Functions of the workflow by folder of `lambdas/`; the values of `functions` are their ARNs. */
export type BackfillFunction = 'list-backfill' | 'backfill-part' | 'record-backfill';

export interface BackfillDefinitionProps {
  readonly functions: Readonly<Record<BackfillFunction, string>>;
  /** Bucket of the list of parts, of the workflow's own account and region. */
  readonly bucket: string;
}

const RECORD = 'Record';

/**
 * Backfill: rows of one feature set for raw objects that are there already. Parts keep what they did in objects of their
 * own; the last step adds it up. The same request again writes the same objects.
 */
export const backfillDefinition = ({ functions: fn, bucket }: BackfillDefinitionProps): Machine => {
  const step = (name: string) => ({ onFault: { step: name, next: RECORD } });
  return {
    Comment: 'Millwright backfill: features of what was recorded before, by one feature set.',
    StartAt: 'List',
    States: {
      List: functionTask({
        says: 'Which frames, in which parts; registers that it runs.',
        arn: fn['list-backfill'],
        payload: { execution: EXECUTION, 'request.$': '$' },
        into: '$.list',
        timeoutSeconds: 600,
        ...step('List'),
        onDuplicate: 'AlreadyAnswered',
        next: 'IsThereWork',
      }),
      IsThereWork: {
        Type: 'Choice',
        Choices: [{ Variable: '$.list.parts', NumericGreaterThan: 0, Next: 'Compute' }],
        Default: RECORD,
      },
      Compute: partsTask({
        says: 'Features by the code that devices run.',
        bucket,
        keyPath: '$.list.itemsKey',
        step: 'Compute',
        arn: fn['backfill-part'],
        selector: null,
        timeoutSeconds: 660,
        ...step('Compute'),
        next: RECORD,
      }),
      AlreadyAnswered: { Type: 'Succeed', Comment: 'The same request has its own execution.' },
      ...lastStates({
        record: RECORD,
        says: 'What the parts did, together, and how it ended.',
        arn: fn['record-backfill'],
        timeoutSeconds: 300,
        ended: { state: 'Ended', says: 'Done or refused: an answer, not a fault.' },
        failed: { error: 'BackfillFailed', cause: 'The backfill record says what failed and why.' },
      }),
    },
  };
};
