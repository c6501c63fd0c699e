import fc from 'fast-check';
import { LedgerCommand } from '#core/contracts/ledger.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';

/** Parts like those that callers give: short ones and some beyond any limit. */
const part = fc.oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.string({ minLength: 150, maxLength: 400 }));
const parts = fc.array(part, { minLength: 1, maxLength: 4 });

describe('id of a ledger command', () => {
  test('is what it was made of, where that fits', () => {
    expect(commandIdOf('release', 'e-1', 'deployment', 'ring-0')).toBe('release/e-1/deployment/ring-0');
    expect(commandIdOf('x'.repeat(200))).toBe('x'.repeat(200));
  });
  test('the contract takes it, however long its parts', () => {
    fc.assert(fc.property(parts, (given) => LedgerCommand.shape.commandId.safeParse(commandIdOf(...given)).success));
  });
  test('two commands that differ anywhere have two ids', () => {
    fc.assert(
      fc.property(parts, part, part, (begin, a, b) => {
        fc.pre(a !== b);
        return commandIdOf(...begin, a) !== commandIdOf(...begin, b);
      }),
    );
  });
});
