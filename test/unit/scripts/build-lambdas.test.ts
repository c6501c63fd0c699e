import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishBuild } from '../../../scripts/build-lambdas.ts';

describe('a finished build', () => {
  let folder: string;
  let link: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mw-build-'));
    link = join(folder, 'lambdas');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const build = (text: string): void => {
    const made = join(folder, 'lambdas.1');
    mkdirSync(join(made, 'gate/node_modules/x'), { recursive: true });
    writeFileSync(join(made, 'gate/index.mjs'), 'same');
    writeFileSync(join(made, 'gate/node_modules/x/x.node'), text);
    publishBuild(made, link);
  };
  const seen = (): string => readFileSync(join(link, 'gate/node_modules/x/x.node'), 'utf8');
  const kept = (): string[] => readdirSync(folder).filter((f) => f !== 'lambdas');

  it('is what the link names, and leaves nothing aside', () => {
    build('a');
    expect(seen()).toBe('a');
    expect(kept()).toEqual([expect.stringMatching(/^lambdas-[0-9a-f]{16}$/)]);
  });

  it('changes nothing when its bytes are those of the one before', () => {
    build('a');
    const before = kept();
    build('a');
    expect(kept()).toEqual(before);
  });

  it('keeps the one before for those who read it, and none older', () => {
    build('a');
    const [a] = kept();
    build('b');
    expect(seen()).toBe('b');
    expect(kept()).toContain(a);
    build('c');
    expect(kept()).toHaveLength(2);
    expect(existsSync(join(folder, a as string))).toBe(false);
  });

  it('takes the place of a folder that is no link', () => {
    mkdirSync(join(link, 'gate'), { recursive: true });
    build('a');
    expect(seen()).toBe('a');
  });
});
