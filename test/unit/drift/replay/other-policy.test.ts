import { ContractError } from '../../../../core/contracts/errors.ts';
import type { JudgingPolicy } from '../../../../core/contracts/use-case.ts';
import { otherPolicy } from '../../../../core/drift/replay/other-policy.ts';
import { policy } from '../../../support/drift-history.ts';

const declared: JudgingPolicy = {
  ...policy,
  drift: { arl0: 5000, onEvent: { changeover: 'mute', repair: 're-baseline' } },
  outcomes: { inspected: 'rejects', quota: 0.1 },
};

describe('a policy that says what is other than declared', () => {
  it('keeps all that it does not name, inside of drift and outcomes too', () => {
    const other = { alpha: 0.001, drift: { mode: 'shadow', onEvent: { repair: 'mute' } }, outcomes: { quota: 0.2 } };
    expect(otherPolicy(declared, other, 'other')).toEqual({
      ...declared,
      alpha: 0.001,
      drift: { arl0: 5000, mode: 'shadow', onEvent: { changeover: 'mute', repair: 'mute' } },
      outcomes: { inspected: 'rejects', quota: 0.2 },
    });
  });
  it('takes a field away by null', () => {
    expect(otherPolicy(declared, { drift: { arl0: null }, outcomes: null }, 'other')).toEqual({
      ...policy,
      drift: { onEvent: declared.drift?.onEvent },
    });
  });
  it.each([[7], [null], ['abc'], [[]], [{ alpha: 7 }], [{ alpha: null }], [{ drift: { arl: 1 } }], [{ drift: 3 }]])(
    'is refused where it is none: %j',
    (other) => {
      expect(() => otherPolicy(declared, other, 'odd.json')).toThrow(ContractError);
      expect(() => otherPolicy(declared, other, 'odd.json')).toThrow('odd.json');
    },
  );
});
