import semver from 'semver';
import { parse as parseYaml } from 'yaml';
import { invalid } from './service-error.ts';

/** Largest recipe the service accepts, bytes (AWS IoT Greengrass V2 quotas). */
export const MAX_RECIPE_BYTES = 16 * 1024;

export interface Artifact {
  readonly Uri: string;
  readonly Unarchive: string;
  readonly Permission: { readonly Read: string; readonly Execute: string };
  readonly Digest?: string;
  readonly Algorithm?: string;
}

export interface Manifest {
  readonly Name?: string;
  readonly Platform?: Readonly<Record<string, string>>;
  readonly Lifecycle: Readonly<Record<string, unknown>>;
  readonly Selections?: readonly string[];
  readonly Artifacts: readonly Artifact[];
}

/** A recipe as the service re-emits it: PascalCase keys, defaults filled in. */
export interface Recipe {
  readonly RecipeFormatVersion: '2020-01-25';
  readonly ComponentName: string;
  readonly ComponentVersion: string;
  readonly ComponentType: string;
  readonly ComponentDescription?: string;
  readonly ComponentPublisher?: string;
  readonly ComponentSource?: string;
  readonly ComponentConfiguration?: { readonly DefaultConfiguration: Readonly<Record<string, unknown>> };
  readonly ComponentDependencies?: Readonly<
    Record<string, { readonly VersionRequirement: string; readonly DependencyType: 'HARD' | 'SOFT' }>
  >;
  readonly Manifests: readonly Manifest[];
  readonly Lifecycle: Readonly<Record<string, unknown>>;
}

type Bag = Readonly<Record<string, unknown>>;
const STEPS = ['setenv', 'bootstrap', 'install', 'startup', 'run', 'shutdown', 'recover', 'uninstall'];
const STEP_KEYS = ['script', 'requiresprivilege', 'skipif', 'timeout', 'setenv', 'bootstraponrollback'];
const TYPES = ['generic', 'lambda', 'plugin', 'nucleus'].map((t) => `aws.greengrass.${t}`);

const refuse = (where: string, expected: string): never => {
  throw invalid(`The recipe is not valid: ${where}: ${expected}`, ['inlineRecipe']);
};
const isBag = (v: unknown): v is Bag => typeof v === 'object' && v !== null && !Array.isArray(v);

/** The members of `value` under their canonical names; keys are matched without regard to case, as the service does. */
const members = (value: unknown, where: string, names: readonly string[]): Bag => {
  if (!isBag(value)) return refuse(where, 'expected an object');
  const canonical = new Map(names.map((n) => [n.toLowerCase(), n]));
  const out: Record<string, unknown> = {};
  for (const [key, v] of Object.entries(value)) {
    const name = canonical.get(key.toLowerCase());
    if (name === undefined) refuse(`${where}.${key}`, `unknown key; expected one of ${names.join(', ')}`);
    else if (name in out) refuse(`${where}.${key}`, 'given twice in different case');
    else out[name] = v;
  }
  return out;
};

const text = (value: unknown, where: string, max: number): string =>
  typeof value === 'string' && value.length > 0 && value.length <= max
    ? value
    : refuse(where, `expected a string of 1 to ${max} characters`);

const oneOf = (value: unknown, where: string, allowed: readonly string[], fallback: string): string => {
  if (value === undefined || value === null) return fallback;
  const upper = String(value).toUpperCase();
  return allowed.includes(upper) ? upper : refuse(where, `expected one of ${allowed.join(', ')}`);
};

const checkStep = (value: unknown, where: string): void => {
  if (typeof value === 'string') return;
  if (!isBag(value)) refuse(where, 'expected a script or an object with Script');
  for (const key of Object.keys(value as Bag)) {
    if (!STEP_KEYS.includes(key.toLowerCase())) refuse(`${where}.${key}`, `unknown key of a lifecycle step`);
  }
};

const checkLifecycle = (value: unknown, where: string): Bag => {
  if (value === undefined || value === null) return {};
  if (!isBag(value)) return refuse(where, 'expected an object');
  const steps = new Set(Object.keys(value).map((k) => k.toLowerCase()));
  if (steps.has('run') && steps.has('startup')) refuse(where, 'expected run or startup, not both');
  for (const [key, step] of Object.entries(value)) {
    const lower = key.toLowerCase();
    if (lower === 'setenv') {
      if (!isBag(step)) refuse(`${where}.${key}`, 'expected a map of environment variables');
    } else if (STEPS.includes(lower)) checkStep(step, `${where}.${key}`);
    // Any other key is a selection (for example `linux`) that holds a lifecycle of its own.
    else if (isBag(step)) checkLifecycle(step, `${where}.${key}`);
    else refuse(`${where}.${key}`, `expected a lifecycle step (${STEPS.join(', ')}) or a selection holding steps`);
  }
  return value;
};

const parseArtifact = (value: unknown, where: string): Artifact => {
  const m = members(value, where, ['Uri', 'Unarchive', 'Permission', 'Digest', 'Algorithm']);
  const uri = text(m['Uri'], `${where}.Uri`, 2048);
  if (!/^(s3:\/\/[^/]+\/.+|docker:.+|greengrass:.+)$/.test(uri)) {
    refuse(`${where}.Uri`, `expected s3://bucket/key, docker:image or greengrass:name, got ${uri}`);
  }
  const p = members(m['Permission'] ?? {}, `${where}.Permission`, ['Read', 'Execute']);
  const who = ['NONE', 'OWNER', 'ALL'];
  return {
    Uri: uri,
    Unarchive: oneOf(m['Unarchive'], `${where}.Unarchive`, ['NONE', 'ZIP'], 'NONE'),
    Permission: {
      Read: oneOf(p['Read'], `${where}.Permission.Read`, who, 'OWNER'),
      Execute: oneOf(p['Execute'], `${where}.Permission.Execute`, who, 'NONE'),
    },
  };
};

const parseManifest = (value: unknown, where: string): Manifest => {
  const m = members(value, where, ['Name', 'Platform', 'Lifecycle', 'Selections', 'Artifacts']);
  const platform = m['Platform'];
  if (platform !== undefined && (!isBag(platform) || Object.values(platform).some((v) => typeof v !== 'string'))) {
    refuse(`${where}.Platform`, 'expected a map of strings');
  }
  for (const [key, wanted] of Object.entries((platform ?? {}) as Record<string, string>)) {
    if (!/^\/.+\/$/.test(wanted)) continue;
    try {
      new RegExp(wanted.slice(1, -1));
    } catch {
      refuse(`${where}.Platform.${key}`, `expected a value, * or a regular expression between slashes, got ${wanted}`);
    }
  }
  const artifacts = m['Artifacts'] ?? [];
  if (!Array.isArray(artifacts)) return refuse(`${where}.Artifacts`, 'expected a list');
  const parsed = artifacts.map((a, i) => parseArtifact(a, `${where}.Artifacts[${i}]`));
  const names = parsed.map((a) => a.Uri.slice(a.Uri.lastIndexOf('/') + 1));
  const twice = names.find((n, i) => names.indexOf(n) !== i);
  if (twice !== undefined) refuse(`${where}.Artifacts`, `two artifacts are both named ${twice}`);
  const selections = m['Selections'];
  if (selections !== undefined && !(Array.isArray(selections) && selections.every((s) => typeof s === 'string'))) {
    refuse(`${where}.Selections`, 'expected a list of strings');
  }
  return {
    ...(m['Name'] === undefined ? {} : { Name: text(m['Name'], `${where}.Name`, 255) }),
    ...(platform === undefined ? {} : { Platform: platform as Record<string, string> }),
    Lifecycle: checkLifecycle(m['Lifecycle'], `${where}.Lifecycle`),
    ...(selections === undefined ? {} : { Selections: selections as string[] }),
    Artifacts: parsed,
  };
};

const parseDependencies = (value: unknown): NonNullable<Recipe['ComponentDependencies']> => {
  if (!isBag(value)) return refuse('ComponentDependencies', 'expected a map from component name to its requirement');
  const out: Record<string, { VersionRequirement: string; DependencyType: 'HARD' | 'SOFT' }> = {};
  for (const [name, dependency] of Object.entries(value)) {
    const where = `ComponentDependencies.${name}`;
    const m = members(dependency, where, ['VersionRequirement', 'DependencyType']);
    const range = text(m['VersionRequirement'], `${where}.VersionRequirement`, 255);
    if (semver.validRange(range) === null) refuse(`${where}.VersionRequirement`, `expected an npm range, got ${range}`);
    out[name] = {
      VersionRequirement: range,
      DependencyType: oneOf(m['DependencyType'], `${where}.DependencyType`, ['HARD', 'SOFT'], 'HARD') as
        | 'HARD'
        | 'SOFT',
    };
  }
  return out;
};

/** `true` for versions that the service takes: semantic, at most 64 characters, each number at most 999999. */
export const isComponentVersion = (version: string): boolean =>
  version.length <= 64 &&
  semver.valid(version) === version.split('+')[0] &&
  version
    .split(/[-+]/)[0]!
    .split('.')
    .every((n) => Number(n) <= 999_999);

/**
 * Reads a recipe in YAML or JSON by the rules of the service (component recipe reference, format 2020-01-25).
 *
 * @param bytes the recipe as sent in `inlineRecipe`, at most 16 KiB
 * @returns the recipe with PascalCase keys and defaults; artifacts have no digest yet
 * @throws ServiceError ValidationException naming the field and what was expected
 */
export const parseRecipe = (bytes: Uint8Array): Recipe => {
  if (bytes.byteLength > MAX_RECIPE_BYTES) {
    throw invalid(
      `The recipe has ${bytes.byteLength} bytes; at most ${MAX_RECIPE_BYTES} are allowed. Move what is large to an artifact.`,
      ['inlineRecipe'],
    );
  }
  let document: unknown;
  try {
    document = parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    return refuse('(whole)', `expected YAML or JSON: ${(cause as Error).message}`);
  }
  const m = members(document, 'recipe', [
    'RecipeFormatVersion',
    'ComponentName',
    'ComponentVersion',
    'ComponentType',
    'ComponentDescription',
    'ComponentPublisher',
    'ComponentSource',
    'ComponentConfiguration',
    'ComponentDependencies',
    'Manifests',
    'Lifecycle',
  ]);
  // YAML reads an unquoted 2020-01-25 as text under the core schema, so no date arrives here.
  if (m['RecipeFormatVersion'] !== '2020-01-25') refuse('RecipeFormatVersion', 'expected 2020-01-25');
  const name = text(m['ComponentName'], 'ComponentName', 128);
  if (!/^[a-zA-Z0-9\-_.]+$/.test(name)) refuse('ComponentName', `expected letters, digits, -, _ and ., got ${name}`);
  const version = text(m['ComponentVersion'], 'ComponentVersion', 64);
  if (!isComponentVersion(version)) {
    refuse('ComponentVersion', `expected a semantic version with numbers up to 999999, got ${version}`);
  }
  const type = m['ComponentType'] ?? 'aws.greengrass.generic';
  if (!TYPES.includes(type as string)) refuse('ComponentType', `expected one of ${TYPES.join(', ')}`);
  const manifests = m['Manifests'];
  if (!Array.isArray(manifests) || manifests.length === 0) return refuse('Manifests', 'expected at least one manifest');
  const configuration =
    m['ComponentConfiguration'] === undefined
      ? undefined
      : members(m['ComponentConfiguration'], 'ComponentConfiguration', ['DefaultConfiguration']);
  const defaults = configuration?.['DefaultConfiguration'] ?? {};
  if (!isBag(defaults)) return refuse('ComponentConfiguration.DefaultConfiguration', 'expected an object');
  const optional = (key: 'ComponentDescription' | 'ComponentPublisher' | 'ComponentSource', max: number) =>
    m[key] === undefined ? {} : { [key]: text(m[key], key, max) };
  return {
    RecipeFormatVersion: '2020-01-25',
    ComponentName: name,
    ComponentVersion: version,
    ComponentType: type as string,
    ...optional('ComponentDescription', 500),
    ...optional('ComponentPublisher', 255),
    ...optional('ComponentSource', 2048),
    ...(configuration === undefined ? {} : { ComponentConfiguration: { DefaultConfiguration: defaults } }),
    ...(m['ComponentDependencies'] === undefined
      ? {}
      : { ComponentDependencies: parseDependencies(m['ComponentDependencies']) }),
    Manifests: manifests.map((v, i) => parseManifest(v, `Manifests[${i}]`)),
    Lifecycle: checkLifecycle(m['Lifecycle'], 'Lifecycle'),
  };
};
