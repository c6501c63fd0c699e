import { firstFailing, raiseAlert } from '../../../core/alerts/raise.ts';
import { AlertRecord } from '../../../core/contracts/judgement.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aDecision } from '../../support/alerts.ts';

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;

describe('an alert', () => {
  test('says in words what the model says, and the next action of its use case', () => {
    const alert = AlertRecord.parse(raiseAlert(aDecision(1), useCase));
    expect(alert).toMatchObject({
      alertId: 'plant-a/spindle-101/live-01',
      says: 'about 6.3 h left (alarm below 8 h)',
      nextAction: useCase.nextAction.fail,
      features: [55, 80],
      status: 'open',
    });
  });
  test('without a value says why', () => {
    expect(raiseAlert(aDecision(1, { value: null, features: null }), useCase)).toMatchObject({
      says: 'failing: 6.3 h < 8 h',
      features: [],
    });
  });
  test.each([[{ verdict: 'pass' as const }], [{ packageDigest: null }]])(
    'is raised by nothing but a package that says fail (%j)',
    (more) => expect(() => raiseAlert(aDecision(1, more), useCase)).toThrow(/expected "fail" by a package/),
  );
});

describe('the first failing decision', () => {
  test('of each run is the one with the lowest index', () => {
    const decisions = [
      aDecision(1, { verdict: 'pass' }),
      aDecision(2, { index: 50 }),
      aDecision(3, { index: 49 }),
      aDecision(4, { run: 'live-02' }),
      aDecision(5, { asset: 'spindle-102' }),
    ];
    const found = firstFailing(decisions, [
      { asset: 'spindle-101', run: 'live-01' },
      { asset: 'spindle-101', run: 'live-02' },
      { asset: 'spindle-101', run: 'live-03' },
    ]);
    expect(found.map((d) => d.sequence)).toEqual([3, 4]);
  });
});
