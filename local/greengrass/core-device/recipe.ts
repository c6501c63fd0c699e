import { basename, extname } from 'node:path';
import { z } from 'zod';
import type { Nucleus } from '../ipc/start-ipc.ts';
import { atPointer, type JsonObject } from './configuration.ts';

const Artifact = z.looseObject({
  Uri: z.string().optional(),
  URI: z.string().optional(),
  Unarchive: z.enum(['NONE', 'ZIP']).default('NONE'),
  Permission: z
    .object({ Read: z.enum(['NONE', 'OWNER', 'ALL']).optional(), Execute: z.enum(['NONE', 'OWNER', 'ALL']).optional() })
    .optional(),
  Digest: z.string().optional(),
  Algorithm: z.string().optional(),
});

const Manifest = z.looseObject({
  Name: z.string().optional(),
  Platform: z.record(z.string(), z.string()).optional(),
  Lifecycle: z.record(z.string(), z.unknown()).optional(),
  Artifacts: z.array(Artifact).default([]),
});

/** The part of a recipe that a device acts on. */
export const Recipe = z.looseObject({
  ComponentName: z.string(),
  ComponentVersion: z.string(),
  ComponentConfiguration: z
    .looseObject({ DefaultConfiguration: z.record(z.string(), z.unknown()).optional() })
    .optional(),
  ComponentDependencies: z
    .record(z.string(), z.looseObject({ DependencyType: z.enum(['HARD', 'SOFT']).default('HARD') }))
    .default({}),
  Manifests: z.array(Manifest).default([]),
  Lifecycle: z.record(z.string(), z.unknown()).optional(),
});
export type Recipe = z.infer<typeof Recipe>;

/** A recipe that this device cannot act on. */
export class RecipeError extends Error {
  constructor(component: string, detail: string) {
    super(`component ${component}: ${detail}`);
    this.name = 'RecipeError';
  }
}

export interface ArtifactPlan {
  readonly uri: string;
  readonly fileName: string;
  readonly unzip: boolean;
  /** File mode: read and execute as the recipe grants, write never. */
  readonly mode: number;
  /** SHA-256, base64. */
  readonly digest: string | undefined;
}

export interface Step {
  readonly script: string;
  readonly skipIf: string | undefined;
  /** Milliseconds; undefined = none. */
  readonly timeoutMs: number | undefined;
  readonly setenv: Readonly<Record<string, string>>;
}

export interface Lifecycle {
  readonly setenv: Readonly<Record<string, string>>;
  readonly install: Step | undefined;
  readonly startup: Step | undefined;
  readonly run: Step | undefined;
  readonly shutdown: Step | undefined;
  readonly recover: Step | undefined;
}

const CLASSIC_TIMEOUT_S = { install: 120, startup: 120, run: undefined, shutdown: 15, recover: 60 } as const;
type StepName = keyof typeof CLASSIC_TIMEOUT_S;
/** Steps and fields of which nucleus lite knows nothing. */
const LITE_STEPS: ReadonlySet<StepName> = new Set(['install', 'startup', 'run']);

const matchesPlatform = (
  wanted: Readonly<Record<string, string>>,
  platform: Readonly<Record<string, string>>,
  nucleus: Nucleus,
): boolean => {
  // A manifest that says nothing of the runtime is for the classic nucleus only.
  if (nucleus === 'lite' && wanted.runtime === undefined) return false;
  return Object.entries(wanted).every(([key, value]) => {
    const mine = platform[key];
    if (value === '*') return true;
    if (mine === undefined) return false;
    const regex = /^\/(.*)\/$/.exec(value)?.[1];
    if (regex !== undefined) return nucleus === 'classic' && new RegExp(`^(?:${regex})$`).test(mine);
    return value === mine;
  });
};

/** The first manifest that fits this device. */
export const selectManifest = (
  recipe: Recipe,
  platform: Readonly<Record<string, string>>,
  nucleus: Nucleus,
): z.infer<typeof Manifest> | undefined => {
  if (recipe.Manifests.length === 0) return Manifest.parse({});
  return recipe.Manifests.find((manifest) => matchesPlatform(manifest.Platform ?? {}, platform, nucleus));
};

const modeOf = (permission: { Read?: string | undefined; Execute?: string | undefined } | undefined): number => {
  const bits = (who: string | undefined, bit: number): number =>
    who === 'ALL' ? bit * 0o111 : who === 'NONE' ? 0 : bit * 0o100;
  const execute = permission?.Execute ?? 'NONE';
  return bits(permission?.Read ?? 'OWNER', 4) | bits(execute, 4) | bits(execute, 1);
};

/** Artifacts of the manifest that fits this device. @throws {RecipeError} when none fits, or a name is used twice. */
export const artifactsOf = (
  recipe: Recipe,
  platform: Readonly<Record<string, string>>,
  nucleus: Nucleus,
): ArtifactPlan[] => {
  const name = `${recipe.ComponentName} ${recipe.ComponentVersion}`;
  const manifest = selectManifest(recipe, platform, nucleus);
  if (manifest === undefined)
    throw new RecipeError(
      name,
      `no manifest fits ${JSON.stringify(platform)}${nucleus === 'lite' ? '; nucleus lite takes only manifests that name a runtime' : ''}`,
    );
  const seen = new Set<string>();
  return manifest.Artifacts.map((artifact) => {
    const uri = artifact.Uri ?? artifact.URI;
    if (uri === undefined || !/^s3:\/\/[^/]+\/.+/.test(uri))
      throw new RecipeError(
        name,
        `the artifact ${uri ?? '(without Uri)'} is not s3://bucket/key; this device reads S3 only`,
      );
    const fileName = basename(uri);
    if (seen.has(fileName)) throw new RecipeError(name, `two artifacts are called ${fileName}; names must differ`);
    seen.add(fileName);
    return {
      uri,
      fileName,
      unzip: artifact.Unarchive === 'ZIP',
      mode: modeOf(artifact.Permission),
      digest: artifact.Digest,
    };
  });
};

const field = (map: JsonObject, name: string, nucleus: Nucleus): unknown => {
  if (nucleus === 'lite') return map[name];
  const key = Object.keys(map).find((k) => k.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : map[key];
};

const StringMap = z.record(z.string(), z.coerce.string());

/** What a recipe's placeholders stand for. */
export interface Places {
  readonly configuration: unknown;
  readonly artifactsPath: string;
  readonly decompressedPath: string;
  readonly workPath: string;
  readonly rootPath: string;
  readonly thingName: string;
}

/** Replaces recipe variables; one that points nowhere stays as it is. `of` gives the places of a direct dependency. */
export const interpolate = (
  text: string,
  own: Places,
  nucleus: Nucleus,
  of: (component: string) => Places | undefined,
): string =>
  text.replace(
    /\{(?:([^{}:\s]+):)?(configuration|artifacts|work|kernel|iot):([^{}:\s]+)\}/g,
    (whole, other, space, key) => {
      if (other !== undefined && nucleus === 'lite') return whole;
      const places = other === undefined ? own : of(other as string);
      if (places === undefined) return whole;
      if (space === 'configuration') {
        const value = atPointer(places.configuration, key as string);
        if (value === undefined || value === null) return whole;
        return typeof value === 'object' ? JSON.stringify(value) : String(value);
      }
      const known: Record<string, string> = {
        'artifacts:path': places.artifactsPath,
        'artifacts:decompressedPath': places.decompressedPath,
        'work:path': places.workPath,
        'kernel:rootPath': own.rootPath,
        'iot:thingName': own.thingName,
      };
      return known[`${space}:${key}`] ?? whole;
    },
  );

/**
 * The lifecycle of the manifest that fits. On lite only lowercase `install`, `startup`, `run` with `Script`, `Timeout`,
 * `Setenv` count, as that nucleus reads them; the rest is passed over without a word.
 * @throws {RecipeError} on a step that is neither text nor a map with Script, or on both startup and run.
 */
export const lifecycleOf = (
  recipe: Recipe,
  platform: Readonly<Record<string, string>>,
  nucleus: Nucleus,
  fill: (text: string) => string,
): Lifecycle => {
  const name = `${recipe.ComponentName} ${recipe.ComponentVersion}`;
  const raw = selectManifest(recipe, platform, nucleus)?.Lifecycle ?? recipe.Lifecycle ?? {};
  const fillAll = (map: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(map).map(([key, value]) => [key, fill(value)]));
  const setenvOf = (value: unknown): Record<string, string> => {
    const parsed = StringMap.safeParse(value ?? {});
    if (!parsed.success) throw new RecipeError(name, 'setenv is not a map of texts');
    return fillAll(parsed.data);
  };
  const step = (stepName: StepName): Step | undefined => {
    if (nucleus === 'lite' && !LITE_STEPS.has(stepName)) return undefined;
    const value = field(raw, stepName, nucleus);
    if (value === undefined || value === null) return undefined;
    const map: JsonObject = typeof value === 'string' ? { Script: value } : (value as JsonObject);
    const script = typeof map === 'object' ? field(map, 'Script', nucleus) : undefined;
    if (typeof script !== 'string') throw new RecipeError(name, `the step ${stepName} has no Script`);
    const seconds = z.coerce
      .number()
      .positive()
      .optional()
      .safeParse(field(map, 'Timeout', nucleus));
    if (!seconds.success) throw new RecipeError(name, `the Timeout of ${stepName} is not a number of seconds`);
    const preset = CLASSIC_TIMEOUT_S[stepName];
    const skipIf = nucleus === 'lite' ? undefined : field(map, 'Skipif', nucleus);
    const timeout = seconds.data ?? preset;
    return {
      script: fill(script),
      skipIf: typeof skipIf === 'string' ? fill(skipIf) : undefined,
      timeoutMs: timeout === undefined ? undefined : timeout * 1000,
      setenv: setenvOf(field(map, 'Setenv', nucleus)),
    };
  };
  if (field(raw, 'bootstrap', nucleus) !== undefined)
    throw new RecipeError(name, 'bootstrap is not rehearsed by the simulated device; use install');
  const lifecycle: Lifecycle = {
    setenv: setenvOf(field(raw, 'setenv', nucleus)),
    install: step('install'),
    startup: step('startup'),
    run: step('run'),
    shutdown: step('shutdown'),
    recover: step('recover'),
  };
  if (lifecycle.startup !== undefined && lifecycle.run !== undefined)
    throw new RecipeError(name, 'it has both startup and run; a component has one of them');
  return lifecycle;
};

/** Folder name of an unpacked archive: the file name without its ending. */
export const archiveFolder = (fileName: string): string => basename(fileName, extname(fileName));
