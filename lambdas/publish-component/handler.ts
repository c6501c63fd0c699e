import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { renderModelRecipe } from '#core/policy/model-recipe.ts';
import { Refused } from '../shared/errors.ts';
import type { FleetControl } from '../shared/greengrass.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';
import { ReleasePlan } from '../shared/release-run.ts';

export interface Deps {
  readonly artifacts: ObjectStore;
  readonly fleet: Pick<FleetControl, 'recipe' | 'createVersion'>;
}

const Input = z.strictObject({ plan: ReleasePlan });

/**
 * Makes the weights component of a package, once: a version that is there with the same package is used as it is.
 * @throws {Refused} when the version is there with another package: bytes under a version never change.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ name: string; version: string; reused: boolean }> => {
    const { plan } = parseAs(Input, event, 'input of publish-component');
    const { request, componentName: name, componentVersion: version } = plan;
    const there = await deps.fleet.recipe(name, version);
    if (there !== null) {
      if (!there.includes(request.packageDigest))
        throw new Refused(
          `component ${name} ${version} exists with another package than ${request.packageDigest}; a version is never changed, retrain for a new number`,
        );
      return { name, version, reused: true };
    }
    const key = `${request.packagePrefix}manifest.json`;
    const manifest = parseAs(ModelPackageManifest, await getJson(deps.artifacts, key), key);
    const recipe = renderModelRecipe({
      modelLine: request.modelLine,
      version,
      packageDigest: request.packageDigest,
      artifacts: `s3://${deps.artifacts.bucket}/${request.packagePrefix}`,
      files: [
        'manifest.json',
        'signature.json',
        ...manifest.variants.map((v) => v.file),
        manifest.golden.file,
        manifest.baseline.file,
      ],
    });
    await deps.fleet.createVersion(recipe, digestOf({ name, version, recipe }).slice('sha256:'.length), {
      'millwright:package': request.packageDigest,
      'millwright:model-line': request.modelLine,
    });
    return { name, version, reused: false };
  };
