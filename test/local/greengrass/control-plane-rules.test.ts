import { EventEmitter } from 'node:events';
import { componentOperations } from '../../../local/greengrass/control-plane/components.ts';
import { makeContext } from '../../../local/greengrass/control-plane/context.ts';
import { coreDeviceOperations } from '../../../local/greengrass/control-plane/core-devices.ts';
import { deploymentOperations } from '../../../local/greengrass/control-plane/deployments.ts';
import { parseRecipe, type Recipe } from '../../../local/greengrass/control-plane/recipe.ts';
import { manifestMatches, resolveClosure } from '../../../local/greengrass/control-plane/resolve.ts';
import { makeRollout } from '../../../local/greengrass/control-plane/rollout.ts';
import { openStore, type Store } from '../../../local/greengrass/control-plane/store.ts';

const PLATFORM = { os: 'linux', runtime: 'aws_nucleus_classic' };
const bytes = (text: string) => new TextEncoder().encode(text);
const recipe = (name: string, version: string, more: Record<string, unknown> = {}): Recipe =>
  parseRecipe(
    bytes(
      JSON.stringify({
        RecipeFormatVersion: '2020-01-25',
        ComponentName: name,
        ComponentVersion: version,
        Manifests: [{ Lifecycle: { run: 'true' } }],
        ...more,
      }),
    ),
  );
const needs = (dependencies: Record<string, string>) => ({
  ComponentDependencies: Object.fromEntries(
    Object.entries(dependencies).map(([n, r]) => [n, { VersionRequirement: r }]),
  ),
});

describe('a recipe', () => {
  it.each([
    ['a list for an object', { ComponentConfiguration: [] }, 'ComponentConfiguration: expected an object'],
    ['a configuration that is a list', { ComponentConfiguration: { DefaultConfiguration: [] } }, 'expected an object'],
    ['a key given twice', { manifests: [] }, 'given twice'],
    ['an empty description', { ComponentDescription: '' }, '1 to 500'],
    ['an unknown type', { ComponentType: 'mine' }, 'aws.greengrass.generic'],
    ['dependencies as a list', { ComponentDependencies: [] }, 'expected a map'],
    [
      'an unknown dependency type',
      { ComponentDependencies: { x: { VersionRequirement: '1', DependencyType: 'X' } } },
      'HARD',
    ],
    ['a platform of numbers', { Manifests: [{ Platform: { os: 1 } }] }, 'map of strings'],
    ['a broken regular expression', { Manifests: [{ Platform: { os: '/(/' } }] }, 'regular expression'],
    ['artifacts that are no list', { Manifests: [{ Artifacts: {} }] }, 'expected a list'],
    [
      'an unknown permission',
      { Manifests: [{ Artifacts: [{ URI: 's3://a/b', Permission: { Read: 'ME' } }] }] },
      'OWNER',
    ],
    ['selections that are no list', { Manifests: [{ Selections: 'x' }] }, 'list of strings'],
    ['a lifecycle that is text', { Manifests: [{ Lifecycle: 'run' }] }, 'expected an object'],
    ['a step that is a number', { Manifests: [{ Lifecycle: { run: 1 } }] }, 'expected a script'],
    ['an environment that is text', { Manifests: [{ Lifecycle: { setenv: 'A=b' } }] }, 'environment variables'],
    ['a selection that is text', { Manifests: [{ Lifecycle: { linux: 'x' } }] }, 'a selection holding steps'],
  ])('is refused with %s', (_what, more, words) => {
    expect(() => recipe('a', '1.0.0', more)).toThrow(words);
  });

  it('is refused when it is neither YAML nor JSON', () => {
    expect(() => parseRecipe(bytes('a: [1'))).toThrow('expected YAML or JSON');
  });

  it('keeps a lifecycle below a selection', () => {
    const lifecycle = { linux: { install: { Script: 'x', RequiresPrivilege: true } } };
    expect(recipe('a', '1.0.0', { Lifecycle: lifecycle }).Lifecycle).toEqual(lifecycle);
  });
});

describe('a manifest', () => {
  const matches = (wanted: Record<string, string> | undefined, more: Record<string, string> = {}) =>
    manifestMatches(
      { Platform: wanted, Lifecycle: {}, Artifacts: [] },
      { ...PLATFORM, architecture: 'amd64', ...more },
    );
  const lite = { runtime: 'aws_nucleus_lite' };

  it('without a runtime is for the classic nucleus only', () => {
    expect([matches({ os: 'linux' }), matches({ os: 'linux' }, lite), matches({ runtime: '*' }, lite)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('may use a regular expression on the classic nucleus only', () => {
    const wanted = { architecture: '/amd64|arm/', runtime: '*' };
    expect([matches(wanted), matches(wanted, lite), matches(wanted, { architecture: 'amd64x' })]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('that names what the device does not have is not for it', () => {
    expect([matches({ vnni: 'true' }), matches({ vnni: '*' }), matches(undefined)]).toEqual([false, true, true]);
  });
});

describe('the closure of components', () => {
  const among =
    (...recipes: Recipe[]) =>
    (name: string) =>
      recipes.filter((r) => r.ComponentName === name).map((r) => ({ version: r.ComponentVersion, recipe: r }));

  it('refuses components that depend on each other in a circle', () => {
    const of = among(recipe('a', '1.0.0', needs({ b: '*' })), recipe('b', '1.0.0', needs({ a: '*' })));
    expect(() => resolveClosure({ a: { t: '1.0.0' } }, of, PLATFORM)).toThrow('a → b → a');
  });

  it('refuses requirements that never settle', () => {
    const of = among(
      recipe('x', '1.0.0'),
      recipe('x', '1.1.0', needs({ y: '^1.0.0' })),
      recipe('y', '1.0.0', needs({ x: '<1.1.0' })),
    );
    expect(() => resolveClosure({ x: { t: '*' } }, of, PLATFORM)).toThrow('do not settle');
  });

  it('names the versions there are when none fits', () => {
    const of = among(recipe('a', '1.0.0', needs({ b: '^2.0.0' })), recipe('b', '1.0.0'));
    expect(() => resolveClosure({ a: { t: '1.0.0' } }, of, PLATFORM)).toThrow(
      'No version of component b satisfies ^2.0.0 (for a); there are 1.0.0',
    );
  });
});

describe('time', () => {
  let now: number;
  let store: Store;
  let id: number;
  const group = 'arn:aws:iot:us-east-1:000000000000:thinggroup/ring';
  const plane = () => {
    const ctx = makeContext({
      store,
      artifacts: { sha256: async () => null, presign: async () => '' },
      things: {
        thingExists: async () => true,
        groupExists: async () => true,
        thingsInGroup: async () => ['edge'],
        groupsOfThing: async () => ['ring'],
      },
      account: '000000000000',
      region: 'us-east-1',
      now: () => now,
      newId: () => `id-${id++}`,
      events: new EventEmitter(),
    });
    const rollout = makeRollout(ctx);
    const operations = { ...componentOperations(ctx), ...deploymentOperations(ctx, rollout) };
    return { rollout, devices: coreDeviceOperations(ctx, rollout), ask: (o: string, i = {}) => operations[o]!(i) };
  };
  beforeEach(() => {
    now = 1_700_000_000_000;
    id = 0;
    store = openStore(':memory:');
  });
  afterEach(() => store.close());

  it('forgets a client token after eight hours', async () => {
    const { ask } = plane();
    const once = () => ask('CreateDeployment', { targetArn: group, clientToken: 't' });
    const first = await once();
    now += 8 * 3_600_000 - 1;
    expect((await once())['deploymentId']).toBe(first['deploymentId']);
    now += 1;
    expect((await once())['deploymentId']).not.toBe(first['deploymentId']);
  });

  it('ends a device that does not finish in the minutes it was given', async () => {
    const { ask, rollout } = plane();
    const iotJobConfiguration = { timeoutConfig: { inProgressTimeoutInMinutes: 5 } };
    const { deploymentId } = await ask('CreateDeployment', { targetArn: group, iotJobConfiguration });
    rollout.report('edge', deploymentId as string, { status: 'IN_PROGRESS', reason: '' });
    now += 5 * 60_000;
    expect((await rollout.refresh('edge'))[0]?.status).toBe('IN_PROGRESS');
    now += 1;
    expect((await rollout.refresh('edge'))[0]).toMatchObject({
      status: 'TIMED_OUT',
      reason: expect.stringContaining('5'),
    });
  });

  it('remembers when a component last changed its state', async () => {
    const { devices } = plane();
    const tell = (state: 'RUNNING' | 'BROKEN') =>
      devices.reportStatus('edge', {
        sentAt: 0,
        trigger: 'CADENCE',
        status: 'HEALTHY',
        coreVersion: '2.18.2',
        platform: 'linux',
        architecture: 'amd64',
        runtime: 'aws_nucleus_classic',
        components: [{ name: 'c', version: '1.0.0', state, isRoot: true }],
      });
    const changed = () => (store.device('edge')?.changedAt['c'] ?? 0) - 1_700_000_000_000;
    await tell('RUNNING');
    now += 10;
    await tell('RUNNING');
    expect(changed()).toBe(0);
    await tell('BROKEN');
    expect(changed()).toBe(10);
  });

  it('refuses a report about a deployment the device was never given', () => {
    const { rollout } = plane();
    expect(() => rollout.report('edge', 'none', { status: 'SUCCEEDED', reason: '' })).toThrow('none of edge');
  });

  it('takes nothing but inline recipes, and candidates only with a name', async () => {
    const { ask } = plane();
    await expect(ask('CreateComponentVersion', { lambdaFunction: {} })).rejects.toThrow('inlineRecipe');
    await expect(ask('CreateComponentVersion')).rejects.toThrow('Either inlineRecipe');
    await expect(ask('ResolveComponentCandidates', { componentCandidates: [{}] })).rejects.toThrow('componentName');
  });

  it('undoes a transaction that fails', () => {
    const row = { name: 'a', version: '1.0.0', arn: 'x', createdAt: 0, recipe: recipe('a', '1.0.0') };
    const fail = () =>
      store.transaction(() => {
        store.putComponent(row);
        throw new Error('power cut');
      });
    expect(fail).toThrow('power cut');
    expect(store.component('a', '1.0.0')).toBeUndefined();
  });
});
