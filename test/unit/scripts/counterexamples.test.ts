import fc from 'fast-check';
import { counterexamples } from '../../../scripts/counterexamples.mjs';

const failureOf = (law: () => void): string => {
  try {
    law();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};
const result = (status: string, message: string) => ({
  name: '/project/a.test.ts',
  assertionResults: [{ status, fullName: 'a law holds', failureMessages: [message] }],
});

describe('what failed in a run of jest', () => {
  it('comes with the seed and the path by which fast-check finds its counterexample again', () => {
    const small = fc.property(fc.integer(), (n) => n < 1000);
    const message = failureOf(() => fc.assert(small, { seed: 7, numRuns: 1000 }));
    const [found, ...more] = counterexamples({ testResults: [result('passed', ''), result('failed', message)] });
    expect(more).toEqual([]);
    expect(found).toMatchObject({ file: '/project/a.test.ts', test: 'a law holds', seed: 7 });
    const again = failureOf(() => fc.assert(small, { seed: 7, path: found?.path as string, endOnFailure: true }));
    const counterexample = (text: string) => /Counterexample: (.*)/.exec(text)?.[1];
    expect(counterexample(again)).toBe(counterexample(message));
    expect(counterexample(again)).toBe('[1000]');
  });

  it('has no seed where no law failed, and is the file itself where that could not be loaded', () => {
    const testResults = [
      result('failed', 'expected 1 to be 2'),
      { name: 'b.test.ts', message: 'Cannot find module', assertionResults: [] },
    ];
    expect(counterexamples({ testResults }).map((f) => [f.test, f.seed, f.path])).toEqual([
      ['a law holds', null, null],
      ['(the file itself)', null, null],
    ]);
  });
});
