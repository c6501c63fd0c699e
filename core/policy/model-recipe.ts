import { componentName, modelComponentName } from '../contracts/release.ts';

export interface ModelRecipeInput {
  readonly modelLine: string;
  readonly version: string;
  readonly packageDigest: string;
  /** URI of the folder that holds the files, for example `s3://bucket/packages/line/hex/`. */
  readonly artifacts: string;
  /** Plain names of the package's files. */
  readonly files: readonly string[];
}

/** Greengrass refuses larger recipes. */
const MAX_RECIPE_BYTES = 16 * 1024;
const STATE = '{kernel:rootPath}/millwright';

/**
 * Recipe of a weights component, as JSON. It carries a signed package and asks the runtime to adopt it: the component
 * comes up only if the device itself accepts the model.
 * @throws {Error} when a file name is not plain, none is given, or the recipe becomes too large for Greengrass.
 */
export const renderModelRecipe = (input: ModelRecipeInput): string => {
  if (input.files.length === 0) throw new Error(`recipe of ${input.modelLine}: expected the package's files, got none`);
  for (const file of input.files)
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(file))
      throw new Error(
        `recipe of ${input.modelLine}: expected a plain file name, got ${JSON.stringify(file)}; a component keeps its artifacts in one folder`,
      );
  const folder = input.artifacts.endsWith('/') ? input.artifacts : `${input.artifacts}/`;
  // The digest stands in the script, not in the configuration: configuration outlives an update of the component.
  const adopt = `node "${STATE}/bin/adopt.mjs" --state-dir "${STATE}" --package "{artifacts:path}" --digest ${input.packageDigest}`;
  const recipe = {
    RecipeFormatVersion: '2020-01-25',
    ComponentName: modelComponentName(input.modelLine),
    ComponentVersion: input.version,
    ComponentDescription: `Model of ${input.modelLine}, package ${input.packageDigest}`,
    ComponentPublisher: 'Millwright',
    ComponentConfiguration: {
      DefaultConfiguration: { packageDigest: input.packageDigest, modelLine: input.modelLine },
    },
    ComponentDependencies: {
      [componentName('runtime')]: { VersionRequirement: '>=1.0.0 <2.0.0', DependencyType: 'SOFT' },
    },
    Manifests: [
      {
        Name: 'linux',
        // The lite nucleus takes only manifests that name a runtime.
        Platform: { os: 'linux', runtime: '*' },
        // Not `exec`: the lite nucleus reports readiness after the script; `set -e` keeps it from doing so on a refusal.
        Lifecycle: { startup: { Script: `set -e\n${adopt}\n`, Timeout: 110 } },
        Artifacts: input.files.map((file) => ({ Uri: `${folder}${file}`, Permission: { Read: 'OWNER' } })),
      },
    ],
  };
  const text = `${JSON.stringify(recipe, null, 2)}\n`;
  // Every character is ASCII: names and digests allow nothing else.
  if (text.length > MAX_RECIPE_BYTES)
    throw new Error(
      `recipe of ${input.modelLine} has ${text.length} bytes; Greengrass takes at most ${MAX_RECIPE_BYTES}: use fewer files or a shorter artifacts URI`,
    );
  return text;
};
