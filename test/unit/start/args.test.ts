import { parseStartArgs, USAGE } from '../../../local/start/args.ts';
import { explainStartError, StartError } from '../../../local/start/errors.ts';

describe('arguments of npm start', () => {
  test('have defaults', () => {
    expect(parseStartArgs([])).toMatchObject({ once: false, fresh: false, data: null, seed: 1, devices: 3 });
  });

  test.each([
    [['--devices', '0'], /--devices expects a whole number from 1 to 12, got "0"/],
    [['--devices', 'many'], /--devices expects a whole number/],
    [['--seed', '-1'], /seed/],
    [['--decisions', '1.5'], /--decisions expects a whole number/],
    [['--bogus'], /Unknown option '--bogus'/],
    [['once'], /Unexpected argument 'once'/],
  ])('%j is refused with what is expected', (args, message) => {
    expect(() => parseStartArgs(args)).toThrow(message);
    expect(() => parseStartArgs(args)).toThrow(StartError);
  });

  test('every option is in the usage', () => {
    for (const option of Object.keys(parseStartArgs([])))
      expect(USAGE).toContain(`--${option.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`);
  });
});

describe('errors of the system', () => {
  test.each([
    ['ENOSPC', /disk is full/],
    ['EACCES', /may not be written/],
    ['EMFILE', /too many open files/],
  ])('%s says what to do', (code, message) => {
    const told = explainStartError(Object.assign(new Error('write'), { code }));
    expect(told.message).toMatch(message);
    expect(told.advice).toMatch(/start again/);
  });

  test('a state folder that cannot be one says to choose another', () => {
    for (const [code, message] of [
      ['EROFS', /nothing can be written there/],
      ['EEXIST', /a file is where a folder is needed/],
      ['ENOTDIR', /a file is where a folder is needed/],
    ] as const) {
      const told = explainStartError(Object.assign(new Error('mkdir'), { code, syscall: 'mkdir' }));
      expect(told.message).toMatch(message);
      expect(told.advice).toMatch(/--state-dir/);
    }
  });

  test('any other keeps its own words', () => {
    expect(explainStartError(new TypeError('x is no y')).message).toBe('TypeError: x is no y');
    expect(explainStartError('odd').message).toBe('odd');
  });
});
