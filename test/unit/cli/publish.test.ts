import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePlan, ringComposition, trustedKeys } from '../../../cli/commands/commission.ts';
import { loadUseCases, publish, readBundles } from '../../../cli/commands/publish.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { featureSetRecord } from '../../../core/feature-sets/record.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const ROOT = join(__dirname, '../../..');
const LINE = 'predictive-maintenance/plant-a';
const out = { json: true, colour: false, write: () => {} };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mw-publish-'));
  mkdirSync(join(root, 'use-cases'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const bundle = (name: string, recipe: string, bytes = 'zip'): void => {
  const folder = join(root, '.build', 'components', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  writeFileSync(join(folder, 'a.zip'), bytes);
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  writeFileSync(join(folder, 'artifacts.json'), JSON.stringify({ files: [{ name: 'a.zip', digest: found }] }));
};
const RECIPE = "ComponentVersion: '{{version}}'\nUri: '{{artifacts}}a.zip'\n";
const absent = () => {
  throw Object.assign(new Error('none'), { name: 'ResourceNotFoundException' });
};

const withUseCases = async (): Promise<void> => {
  // The repository's own use cases, through a folder that has its bundles faked.
  mkdirSync(join(root, 'use-cases', 'pm'));
  writeFileSync(
    join(root, 'use-cases', 'pm', 'use-case.ts'),
    `export { definitions } from ${JSON.stringify(join(ROOT, 'use-cases/predictive-maintenance/use-case.ts'))};\n`,
  );
};

const aLine = (useCaseDigest: string, lastReleaseNumber: number) => ({
  class: 'model-line' as const,
  id: LINE,
  body: { ...aModelLine(LINE, useCaseDigest, null, { lastReleaseNumber }) },
});

const define = (wrong: object): void => {
  mkdirSync(join(root, 'use-cases', 'wrong'));
  writeFileSync(
    join(root, 'use-cases', 'wrong', 'use-case.ts'),
    `export const definitions = [{ useCase: ${JSON.stringify(wrong)} }];`,
  );
};

describe('publish', () => {
  test('finds every use case by the name of its file', async () => {
    expect((await loadUseCases(ROOT)).map((u) => u.id)).toContain('predictive-maintenance');
  });

  test('refuses a use case whose features are not there or do not fit its signals', async () => {
    const [useCase] = await loadUseCases(ROOT);
    const features = [{ name: 'x', feature: 'cepstrum', signal: 'speed', window: 1, params: {} }];
    define({ ...useCase, featureSet: { ...useCase?.featureSet, features } });
    await expect(loadUseCases(root)).rejects.toThrow('of use-cases/wrong does not match its contract: feature x:');
  });

  test('refuses a use case whose signals cannot be framed as it says', async () => {
    const [useCase] = await loadUseCases(ROOT);
    const framing = { everySeconds: 60, latenessSeconds: 0, scalars: { vibration: { take: 'mean' } } };
    define({ ...useCase, framing });
    await expect(loadUseCases(root)).rejects.toThrow('framing.scalars names "vibration", which is a waveform');
  });

  const withOutcomes = (outcomes: UseCase['judging']['outcomes']): object => {
    const [definition] = definitions;
    const useCase = definition?.useCase as UseCase;
    return { ...useCase, judging: { ...useCase.judging, outcomes } };
  };

  test('refuses a use case that draws by lot where every unit is inspected', async () => {
    define(withOutcomes({ quota: 0.1 }));
    await expect(loadUseCases(root)).rejects.toThrow('judging.outcomes.quota is 0.1, but every unit is inspected');
  });

  test('says by how much the mean loss may be off where weights are bounded above the quota', async () => {
    define(withOutcomes({ inspected: 'rejects', quota: 0.1, leastPropensity: 0.4 }));
    bundle('runtime', RECIPE);
    const said: string[] = [];
    const tell = (json: boolean) => ({ json, colour: false, write: (text: string) => void said.push(text) });
    const world = () => fakeWorld({ sends: { ListComponentVersions: absent } });
    await publish(world(), tell(false), { root });
    expect(said.join('')).toMatch(/! predictive-maintenance: .*leastPropensity 0.4 .* may be off by 0.75/);
    said.length = 0;
    await publish(world(), tell(true), { root });
    expect(JSON.parse(said.join(''))).toMatchObject({ warnings: [expect.stringContaining('may be off by 0.75')] });
  });

  test('asks to build first when there are no bundles', () => {
    expect(() => readBundles(root)).toThrow(/not built/);
  });

  test('refuses a bundle whose bytes are not those that were built', () => {
    bundle('runtime', RECIPE);
    writeFileSync(join(root, '.build/components/runtime/a.zip'), 'other');
    expect(() => readBundles(root)).toThrow(/a.zip is not what was built/);
  });

  test('names the use cases when there is no such one', async () => {
    await withUseCases();
    bundle('runtime', RECIPE);
    await expect(publish(fakeWorld(), out, { root, useCase: 'absent' })).rejects.toThrow(/no use case "absent"/);
  });

  test('registers use case and model line, and a first version with its artifacts and digest', async () => {
    await withUseCases();
    bundle('runtime', RECIPE);
    const world = fakeWorld({ sends: { ListComponentVersions: absent } });
    await publish(world, out, { root, useCase: 'predictive-maintenance' });
    const commands = world.calls[0]?.payload as { record: { class: string; id: string }; expectVersion?: number }[];
    expect(commands.map((c) => c.record.class)).toEqual(['feature-set', 'use-case', 'model-line']);
    expect(commands[2]).toMatchObject({ record: { id: 'predictive-maintenance/plant-a' }, expectVersion: 0 });
    expect(Object.keys(world.artifactFiles)).toEqual(['components/millwright.runtime/1.0.1/a.zip']);
    const created = world.sent.find((s) => s.command === 'CreateComponentVersion')?.input as {
      inlineRecipe: Buffer;
      tags: Record<string, string>;
    };
    expect(created.inlineRecipe.toString()).toBe(
      "ComponentVersion: '1.0.1'\nUri: 's3://artifacts/components/millwright.runtime/1.0.1/a.zip'\n",
    );
    expect(created.tags['millwright:digest']).toBe(readBundles(root)[0]?.digest);
  });

  const featureSet = (useCase: UseCase, more: object = {}) => ({
    class: 'feature-set' as const,
    id: digestOf(useCase.featureSet),
    body: { ...featureSetRecord(useCase), ...more },
  });
  const theUseCase = async (): Promise<UseCase> =>
    (await loadUseCases(root)).find((u) => u.id === 'predictive-maintenance') as UseCase;

  test('registers the feature set of a use case that was published before, with its edge', async () => {
    await withUseCases();
    bundle('runtime', RECIPE);
    const useCase = await theUseCase();
    const world = fakeWorld({
      registry: memoryRegistry([aLine(digestOf(useCase), 4)]),
      sends: { ListComponentVersions: absent },
    });
    await publish(world, out, { root, useCase: useCase.id });
    const commands = world.calls[0]?.payload as { record: { class: string }; edges?: { to: string }[] }[];
    expect(commands.map((c) => c.record.class)).toEqual(['feature-set', 'use-case']);
    expect(commands[1]?.edges?.map((e) => e.to)).toEqual([`feature-set:${digestOf(useCase.featureSet)}`]);
  });

  test.each([
    [
      'is retired',
      { retired: { by: 'cli:ann', reason: 'sensor gone', at: '2026-01-01T00:00:00.000Z', breaks: [] } },
      /was retired by cli:ann: sensor gone/,
    ],
    [
      'meant other signals where it was published first',
      { signals: [{ name: 'other', unit: '1', kind: 'scalar', range: [0, 1] }] },
      /is defined otherwise than where feature set .* was published first/,
    ],
  ])('refuses a use case whose feature set %s', async (_, more, says) => {
    await withUseCases();
    bundle('runtime', RECIPE);
    const useCase = await theUseCase();
    const world = fakeWorld({ registry: memoryRegistry([featureSet(useCase, more)]) });
    await expect(publish(world, out, { root, useCase: useCase.id })).rejects.toThrow(says);
    expect(world.calls).toEqual([]);
  });

  test('leaves alone what did not change', async () => {
    await withUseCases();
    bundle('runtime', RECIPE);
    const useCase = await theUseCase();
    const world = fakeWorld({
      registry: memoryRegistry([featureSet(useCase), aLine(digestOf(useCase), 4)]),
      sends: {
        ListComponentVersions: () => ({
          componentVersions: [{ componentVersion: '1.0.9' }, { componentVersion: '1.0.10' }],
        }),
        DescribeComponent: () => ({ tags: { 'millwright:digest': readBundles(root)[0]?.digest } }),
      },
    });
    await publish(world, out, { root, useCase: 'predictive-maintenance' });
    expect(world.calls).toEqual([]);
    expect(world.sent.map((s) => s.command)).toEqual(['ListComponentVersions', 'DescribeComponent']);
    expect(world.sent[1]?.input['arn']).toMatch(/:versions:1\.0\.10$/);
  });

  test('refuses a placeholder that nothing fills', async () => {
    await withUseCases();
    bundle('runtime', "X: '{{secret}}'\n");
    const world = fakeWorld({ sends: { ListComponentVersions: absent } });
    await expect(publish(world, out, { root })).rejects.toThrow(/placeholder that nothing fills: \{\{secret\}\}/);
  });
});

const WEIGHTS = 'millwright.model.predictive-maintenance.plant-a';
const component = (version: string, merge: Record<string, unknown> = {}) => ({
  componentVersion: version,
  configurationUpdate: { merge: JSON.stringify(merge) },
});
const mergeOf = (c: { configurationUpdate?: { merge?: string } } | undefined) =>
  JSON.parse(c?.configurationUpdate?.merge ?? '{}');

describe('the composition of a ring', () => {
  const code = { 'millwright.runtime': component('1.0.2', { modelLine: LINE }) };

  test('keeps foreign components and the weights of its line, and takes new code', () => {
    const current = {
      'aws.greengrass.Cli': component('2.0.0'),
      'millwright.runtime': component('1.0.1', { revertTo: 'x', modelLine: 'old/plant-a' }),
      [WEIGHTS]: component('1.0.3'),
    };
    const next = ringComposition(current, code, { modelLine: LINE, champion: null });
    expect(Object.keys(next).sort()).toEqual(['aws.greengrass.Cli', WEIGHTS, 'millwright.runtime'].sort());
    expect(next['millwright.runtime']?.componentVersion).toBe('1.0.2');
    expect(mergeOf(next['millwright.runtime'])).toEqual({ revertTo: 'x', modelLine: LINE });
  });

  test('keeps the machines of devices that are commissioned already, and takes those of devices in the plan', () => {
    const CONNECTOR = 'millwright.connector-jsonl';
    const wired = (machines: Record<string, unknown>) =>
      component('1.0.1', { site: 'plant-a', machines: JSON.stringify(machines) });
    const at = (port: number) => [{ asset: 'm', host: '10.0.0.5', port }];
    const current = { [CONNECTOR]: wired({ 'edge-1': at(7001), 'edge-2': at(7002) }) };
    const next = ringComposition(
      current,
      { [CONNECTOR]: wired({ 'edge-2': at(7003), 'edge-3': [] }) },
      { modelLine: LINE, champion: null },
    );
    expect(JSON.parse(mergeOf(next[CONNECTOR])['machines'])).toEqual({
      'edge-1': at(7001),
      'edge-2': at(7003),
      'edge-3': [],
    });
  });

  test('drops the weights of another line', () => {
    const current = { 'millwright.model.other.plant-a': component('1.0.1') };
    expect(ringComposition(current, code, { modelLine: LINE, champion: null })).toEqual(code);
  });

  test('places the champion of its line where there are no weights, and lets devices go back to it', () => {
    const champion = { packageDigest: digest('a'), packagePrefix: 'p/', releaseNumber: 3, releaseId: 'rel-3' };
    const next = ringComposition({}, code, { modelLine: LINE, champion });
    expect(next[WEIGHTS]?.componentVersion).toBe('1.0.3');
    expect(mergeOf(next['millwright.runtime'])['revertTo']).toBe(digest('a'));
  });
});

describe('commission', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mw-commission-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const modelLine = aLine(digest('1'), 0);
  const [{ useCase: lineUseCase }] = definitions as unknown as [{ useCase: UseCase }];
  const framed = { ...lineUseCase, framing: { everySeconds: 60, latenessSeconds: 5 } };
  const published = { class: 'use-case' as const, id: digest('1'), body: { ...framed } };
  const PLAN = JSON.stringify({
    devices: [
      { device: 'edge-1', ring: 0, deviceClass: 'x86-64', machines: [{ asset: 'm', host: '10.0.0.5', port: 7001 }] },
    ],
  });
  const sends = () => {
    const principals: string[] = [];
    return {
      ListComponentVersions: () => ({ componentVersions: [{ componentVersion: '1.0.1' }] }),
      ListAliases: () => ({ Aliases: [{ AliasName: 'alias/mw-local-package-signing', TargetKeyId: 'key-1' }] }),
      GetPublicKey: () => ({ KeyId: 'arn:aws:kms:::key/key-1', PublicKey: Buffer.from('spki') }),
      ListThingPrincipals: () => ({ principals }),
      CreateKeysAndCertificate: () => ({
        certificateArn: 'arn:cert/1',
        certificatePem: 'CERT',
        keyPair: { PrivateKey: 'KEY' },
      }),
      AttachThingPrincipal: () => {
        principals.push('arn:cert/1');
      },
      ListDeployments: () => ({ deployments: [] }),
      CreateDeployment: () => ({ deploymentId: 'd-1' }),
    };
  };

  test('makes identity, group and deployment once, and keeps them the second time', async () => {
    const world = fakeWorld({ registry: memoryRegistry([modelLine, published]), sends: sends() });
    const args = ['commission', 'plan.json', '--out', folder];
    expect((await runWith(world, args, { 'plan.json': PLAN })).code).toBe(0);
    expect(readFileSync(join(folder, 'edge-1', 'private.pem.key'), 'utf8')).toBe('KEY');
    expect(readFileSync(join(folder, 'edge-1', 'ca.pem'), 'utf8')).toBe('CA');
    const commands = world.sent.map((s) => s.command);
    for (const one of [
      'CreateThing',
      'AttachPolicy',
      'AttachThingPrincipal',
      'AddThingToThingGroup',
      'CreateDeployment',
    ])
      expect(commands.filter((c) => c === one)).toHaveLength(1);
    const deployment = world.sent.find((s) => s.command === 'CreateDeployment')?.input as {
      targetArn: string;
      components: Record<string, { configurationUpdate: { merge: string } }>;
    };
    expect(deployment.targetArn).toBe('arn:aws:iot:us-east-1:000000000000:thinggroup/local-plant-a-x86-64-ring0');
    expect(JSON.parse(mergeOf(deployment.components['millwright.connector-jsonl'])['machines'])).toEqual({
      'edge-1': [{ asset: 'm', host: '10.0.0.5', port: 7001 }],
    });
    const connector = mergeOf(deployment.components['millwright.connector-jsonl']);
    expect(JSON.parse(connector['intake'])).toEqual({ signals: framed.signals, framing: framed.framing });
    expect(connector['observations']).toBe('false');
    const { out: again } = await runWith(world, args, { 'plan.json': PLAN });
    expect(again).toContain('kept');
    expect(world.sent.filter((s) => s.command === 'CreateKeysAndCertificate')).toHaveLength(1);
  });

  test('has single values sent to the lake where the plan says so', async () => {
    const world = fakeWorld({ registry: memoryRegistry([modelLine, published]), sends: sends() });
    const plan = JSON.stringify({ ...JSON.parse(PLAN), observations: true });
    await runWith(world, ['commission', 'plan.json', '--out', folder], { 'plan.json': plan });
    const deployment = world.sent.find((s) => s.command === 'CreateDeployment')?.input as {
      components: Record<string, { configurationUpdate: { merge: string } }>;
    };
    expect(mergeOf(deployment.components['millwright.connector-jsonl'])['observations']).toBe('true');
  });

  test('asks to publish again where the use case of the line is not in the registry', async () => {
    const world = fakeWorld({ registry: memoryRegistry([modelLine]), sends: sends() });
    const { code, err } = await runWith(world, ['commission', 'plan.json', '--out', folder], { 'plan.json': PLAN });
    expect(code).toBe(3);
    expect(err).toContain('run "millwright publish" again');
  });

  test('trusts the signing key by its id and by its ARN', async () => {
    const keys = await trustedKeys(fakeWorld({ sends: sends() }));
    expect(Object.keys(keys)).toEqual(['key-1', 'arn:aws:kms:::key/key-1']);
    expect(keys['key-1']).toMatch(/^-----BEGIN PUBLIC KEY-----\nc3BraQ==\n-----END PUBLIC KEY-----\n$/);
  });

  test('without a signing key asks to deploy first', async () => {
    await expect(trustedKeys(fakeWorld({ sends: { ListAliases: () => ({ Aliases: [] }) } }))).rejects.toThrow(
      /package-signing is not there/,
    );
  });

  test('without published components asks to publish first', async () => {
    const world = fakeWorld({
      registry: memoryRegistry([modelLine]),
      sends: { ...sends(), ListComponentVersions: absent },
    });
    const { code, err } = await runWith(world, ['commission', 'p', '--out', folder], { p: PLAN });
    expect(code).toBe(3);
    expect(err).toContain('millwright publish');
  });

  test('a plan that is none is refused by field', () => {
    expect(() => parsePlan('{', 'p')).toThrow(/p is not JSON/);
    expect(() => parsePlan('{"devices":[{"device":"E 1","ring":0,"deviceClass":"x"}]}', 'p')).toThrow(
      /devices.0.device/,
    );
  });
});
