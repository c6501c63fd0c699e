import semver from 'semver';
import type { Manifest, Recipe } from './recipe.ts';

export interface Candidate {
  readonly version: string;
  readonly recipe: Recipe;
}
export type Platform = Readonly<Record<string, string>>;

const isAny = (wanted: string): boolean => wanted === '*' || wanted === 'all' || wanted === 'any';

const attributeMatches = (wanted: string, given: string | undefined, lite: boolean): boolean => {
  if (isAny(wanted)) return true;
  if (given === undefined) return false;
  // The lite nucleus knows no regular expressions in manifests.
  if (wanted.length > 2 && wanted.startsWith('/') && wanted.endsWith('/') && !lite) {
    return new RegExp(`^(?:${wanted.slice(1, -1)})$`).test(given);
  }
  return wanted === given;
};

/** `true` when a device of this platform may use the manifest; a missing `runtime` means the classic nucleus only. */
export const manifestMatches = (manifest: Manifest, platform: Platform): boolean => {
  const lite = platform['runtime'] === 'aws_nucleus_lite';
  const wanted = manifest.Platform ?? {};
  if (lite && wanted['runtime'] === undefined) return false;
  return Object.entries(wanted).every(([key, value]) => attributeMatches(value, platform[key], lite));
};

/** No set of component versions meets every requirement; the codes are those a nucleus reports. */
export class ResolutionError extends Error {
  readonly errorStack: readonly string[];
  readonly component: string;
  constructor(component: string, message: string, code: string) {
    super(message);
    this.name = 'ResolutionError';
    this.component = component;
    this.errorStack = ['DEPLOYMENT_FAILURE', code];
  }
}

/**
 * The highest version of a component that meets all requirements and has a manifest for the platform.
 *
 * @param requirements who asks → npm range or version
 * @throws ResolutionError NO_AVAILABLE_COMPONENT_VERSION, naming who asked for what and the versions there are
 */
export const pickVersion = (
  name: string,
  requirements: Readonly<Record<string, string>>,
  candidates: readonly Candidate[],
  platform: Platform,
): Candidate => {
  const asked = Object.entries(requirements)
    .map(([who, range]) => `${range} (for ${who})`)
    .join(' and ');
  const satisfying = candidates
    .filter((c) => Object.values(requirements).every((range) => semver.satisfies(c.version, range)))
    .sort((a, b) => semver.rcompare(a.version, b.version));
  const found = satisfying.find((c) => c.recipe.Manifests.some((m) => manifestMatches(m, platform)));
  if (found !== undefined) return found;
  if (satisfying[0] !== undefined) {
    throw new ResolutionError(
      name,
      `The version ${satisfying[0].version} of component ${name} does not claim compatibility with platform ${JSON.stringify(platform)}; add a manifest for it (runtime "*" for the lite nucleus)`,
      'COMPONENT_VERSION_NOT_COMPATIBLE',
    );
  }
  const have = candidates.map((c) => c.version).sort(semver.compare);
  throw new ResolutionError(
    name,
    `No version of component ${name} satisfies ${asked}; ${have.length === 0 ? 'no version exists' : `there are ${have.join(', ')}`}`,
    'NO_AVAILABLE_COMPONENT_VERSION',
  );
};

export interface Resolved extends Candidate {
  readonly name: string;
  readonly isRoot: boolean;
}

/**
 * The closure of the root components: dependencies first, each at the highest version that everybody accepts.
 *
 * @param roots component → (who asks → version requirement)
 * @throws ResolutionError when requirements do not overlap, a version is missing, or dependencies form a cycle
 */
export const resolveClosure = (
  roots: Readonly<Record<string, Readonly<Record<string, string>>>>,
  candidatesOf: (name: string) => readonly Candidate[],
  platform: Platform,
): readonly Resolved[] => {
  let chosen = new Map<string, Candidate>();
  // Each round asks everybody reachable through the last round's choice what they need, until the choice settles.
  for (let round = 0; ; round += 1) {
    const requirements = new Map<string, Record<string, string>>();
    for (const [name, asked] of Object.entries(roots)) requirements.set(name, { ...asked });
    // A Map hands out keys added while it is walked, so this reaches dependencies of dependencies.
    for (const name of requirements.keys()) {
      for (const [dependency, d] of Object.entries(chosen.get(name)?.recipe.ComponentDependencies ?? {})) {
        requirements.set(dependency, { ...requirements.get(dependency), [name]: d.VersionRequirement });
      }
    }
    const next = new Map<string, Candidate>();
    for (const [name, asked] of requirements) next.set(name, pickVersion(name, asked, candidatesOf(name), platform));
    const same = next.size === chosen.size && [...next].every(([n, c]) => chosen.get(n)?.version === c.version);
    chosen = next;
    if (same) break;
    if (round > 20) {
      throw new ResolutionError(
        [...next.keys()].join(', '),
        'The version requirements of the components do not settle; pin the versions of shared dependencies',
        'COMPONENT_VERSION_REQUIREMENTS_NOT_MET',
      );
    }
  }
  const ordered: Resolved[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string, path: readonly string[]): void => {
    if (state.get(name) === 'done') return;
    if (state.get(name) === 'open') {
      throw new ResolutionError(
        name,
        `Components depend on each other in a circle: ${[...path, name].join(' → ')}`,
        'COMPONENT_CIRCULAR_DEPENDENCY_ERROR',
      );
    }
    state.set(name, 'open');
    const c = chosen.get(name)!;
    for (const dependency of Object.keys(c.recipe.ComponentDependencies ?? {})) visit(dependency, [...path, name]);
    state.set(name, 'done');
    ordered.push({ ...c, name, isRoot: name in roots });
  };
  for (const name of Object.keys(roots)) visit(name, []);
  return ordered;
};
