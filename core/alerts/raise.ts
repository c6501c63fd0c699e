import type { DecisionRecord } from '../contracts/decision.ts';
import type { AlertRecord } from '../contracts/judgement.ts';
import type { UseCase } from '../contracts/use-case.ts';

/** Id of the one alert of a run of an asset. */
export const alertIdOf = (of: Pick<DecisionRecord, 'site' | 'asset' | 'run'>): string =>
  `${of.site}/${of.asset}/${of.run}`;

const inWords = (value: number | null, reason: string, { label, thresholds }: Of): string =>
  value === null
    ? `failing: ${reason}`
    : `about ${value.toFixed(1)} ${label.unit} left (alarm below ${thresholds.alarmBelow} ${label.unit})`;

type Of = Pick<UseCase, 'label' | 'thresholds' | 'nextAction'>;

/**
 * The alert that a decision with the verdict fail raises. It is raised when the device decided, so that whoever asks
 * twice gets the same alert.
 * @throws {RangeError} when the decision has another verdict, or no package made it.
 */
export const raiseAlert = (decision: DecisionRecord, useCase: Of): AlertRecord => {
  const { id, verdict, packageDigest } = decision;
  if (verdict !== 'fail' || packageDigest === null)
    throw new RangeError(
      `decision ${id} is "${verdict}" by ${packageDigest ?? 'no package'}; expected "fail" by a package: only a model that says fail raises an alert`,
    );
  return {
    schema: 'alert/1',
    alertId: alertIdOf(decision),
    site: decision.site,
    modelLine: decision.modelLine,
    asset: decision.asset,
    run: decision.run,
    index: decision.index,
    decision: id,
    packageDigest,
    value: decision.value,
    says: inWords(decision.value, decision.reason, useCase),
    nextAction: useCase.nextAction.fail,
    features: [...(decision.features ?? [])],
    raisedAt: decision.decidedAt,
    sourceTime: decision.sourceTime,
    status: 'open',
    by: null,
    note: '',
    shelvedUntil: null,
    truth: null,
  };
};

/** Of decisions in order, the first with the verdict fail of each run named; runs without one are left out. */
export const firstFailing = (
  decisions: readonly DecisionRecord[],
  runs: readonly Pick<DecisionRecord, 'asset' | 'run'>[],
): readonly DecisionRecord[] =>
  runs.flatMap(({ asset, run }) => {
    const failing = decisions.filter((d) => d.asset === asset && d.run === run && d.verdict === 'fail');
    const [first] = failing.sort((a, b) => a.index - b.index || a.sequence - b.sequence);
    return first === undefined ? [] : [first];
  });
