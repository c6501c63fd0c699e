import { isAstray } from '../../../local/start/model-steps.ts';

const LINE = 'spindles/plant-a';
const serves = (packageDigest: string | null, modelLine = LINE) => ({
  modelLine,
  serving: packageDigest === null ? null : { packageDigest },
});

describe('a device is astray', () => {
  test('when it serves another package of its line than the champion', () => {
    expect(isAstray(serves('challenger'), LINE, 'champion', { modelLine: LINE })).toBe(true);
  });

  test('when it serves a package that the ledger has lost', () => {
    expect(isAstray(serves('challenger'), LINE, 'champion', null)).toBe(true);
  });

  test.each([
    ['serves the champion', serves('champion'), { modelLine: LINE }],
    ['serves nothing yet', serves(null), null],
    ['is of another line', serves('other', 'engines/plant-a'), null],
    ['serves what was released to another line', serves('other'), { modelLine: 'engines/plant-a' }],
  ])('but not when it %s', (_, report, known) => {
    expect(isAstray(report, LINE, 'champion', known)).toBe(false);
  });
});
