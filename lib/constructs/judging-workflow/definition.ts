import { EXECUTION, functionTask, type Machine, partsTask } from '../states.ts';

export interface JudgingDefinitionProps {
  /** ARNs by folder of `lambdas/`. */
  readonly functions: Readonly<Record<'list-lines' | 'judge-line', string>>;
  /** Bucket of the list of lines, of the workflow's own account and region. */
  readonly bucket: string;
}

/**
 * Scheduled judgement: every model line, side by side. Nothing is kept here; a run that fails is made good by the next,
 * and a line that cannot be judged does not keep the others from it.
 */
export const judgingDefinition = ({ functions: fn, bucket }: JudgingDefinitionProps): Machine => ({
  Comment: 'Millwright judging: every model line, because time alone may change what is said of it.',
  StartAt: 'List',
  States: {
    List: functionTask({
      says: 'Which model lines there are.',
      arn: fn['list-lines'],
      payload: { execution: EXECUTION },
      into: '$.list',
      timeoutSeconds: 120,
      onFault: { step: 'List', next: 'Failed' },
      next: 'IsThereOne',
    }),
    IsThereOne: {
      Type: 'Choice',
      Choices: [{ Variable: '$.list.lines', NumericGreaterThan: 0, Next: 'Judge' }],
      Default: 'Judged',
    },
    Judge: partsTask({
      says: 'Judges a line, and looks whether anybody watches its devices.',
      bucket,
      keyPath: '$.list.itemsKey',
      step: 'Judge',
      arn: fn['judge-line'],
      selector: null,
      timeoutSeconds: 150,
      toleratedPercentage: 100,
      onFault: { step: 'Judge', next: 'Failed' },
      next: 'Judged',
    }),
    Judged: { Type: 'Succeed', Comment: 'What it found is in the registry.' },
    Failed: { Type: 'Fail', Error: 'JudgingFailed', Cause: 'The lines could not be listed or worked through.' },
  },
});
