import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../lib/config/load-config.ts';
import { configOf, ROOT } from './synth.ts';

describe('the deployment config', () => {
  let root: string;
  const put = (stage: string, text: string) => writeFileSync(join(root, 'config', `${stage}.json`), text);
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mw-config-'));
    mkdirSync(join(root, 'config'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('of the local plant is read from its file', () => {
    expect(loadConfig(ROOT, 'local')).toEqual(configOf('local'));
  });
  it('that does not exist is refused with what to copy', () => {
    expect(() => loadConfig(root, 'prod')).toThrow(/config\/prod\.json .*copy config\/example-four-accounts\.json/);
  });
  it('that is not JSON is refused by name', () => {
    put('prod', '{');
    expect(() => loadConfig(root, 'prod')).toThrow(/config\/prod\.json .*is not JSON/);
  });
  it('with an unknown key is refused by the key', () => {
    put('prod', JSON.stringify({ ...configOf('local'), stage: 'prod', colour: 'red' }));
    expect(() => loadConfig(root, 'prod')).toThrow(/colour/);
  });
  it('with an account that is no account is refused by its field', () => {
    const config = configOf('local');
    put(
      'prod',
      JSON.stringify({
        ...config,
        stage: 'prod',
        planes: { ...config.planes, ml: { account: '1', region: 'us-east-1' } },
      }),
    );
    expect(() => loadConfig(root, 'prod')).toThrow(/planes\.ml\.account: expected a 12-digit AWS account id/);
  });
  it.each([
    [['plant-a', 'plant-b'], null],
    [['plant-a', 'plant-ab'], null],
    [['plant', 'plant-a'], /sites\.0\.id: .*"plant-a" begins with "plant-": .*rename one/],
    [['plant-a', 'plant'], /sites\.1\.id: .*"plant-a" begins with "plant-": .*rename one/],
    [['plant', 'plant'], /sites\.1\.id: .*"plant" is there twice/],
  ])('with the sites %j is refused when names of their devices could be the same', (ids, error) => {
    const config = configOf('local');
    put('local', JSON.stringify({ ...config, sites: ids.map((id) => ({ ...config.sites[0], id })) }));
    const load = () => loadConfig(root, 'local');
    if (error === null) expect(load).not.toThrow();
    else expect(load).toThrow(error);
  });
  it('with a hyphen in its stage is refused, for stages of one account could share names', () => {
    put('prod-a', JSON.stringify({ ...configOf('local'), stage: 'prod-a' }));
    expect(() => loadConfig(root, 'prod-a')).toThrow(/stage: expected a lower-case letter and up to 15 .*; a hyphen/);
  });
  it('named otherwise than its file is refused', () => {
    put('prod', JSON.stringify(configOf('local')));
    expect(() => loadConfig(root, 'prod')).toThrow(/stage: expected "prod"/);
  });
});
