import { renderModelRecipe } from '#core/policy/model-recipe.ts';

const input = {
  modelLine: 'predictive-maintenance/plant-a',
  version: '1.0.7',
  packageDigest: `sha256:${'a'.repeat(64)}`,
  artifacts: 's3://bucket/packages/x',
  files: ['manifest.json', 'model.fp32.onnx'],
};

describe('the recipe of a weights component', () => {
  it('asks the runtime to adopt exactly this package, on both nuclei', () => {
    const recipe = JSON.parse(renderModelRecipe(input));
    expect(recipe.ComponentName).toBe('millwright.model.predictive-maintenance.plant-a');
    expect(recipe.ComponentDependencies['millwright.runtime'].DependencyType).toBe('SOFT');
    const [manifest] = recipe.Manifests;
    expect(manifest.Platform).toEqual({ os: 'linux', runtime: '*' });
    expect(manifest.Lifecycle.startup.Script).toContain(`set -e\nnode "{kernel:rootPath}/millwright/bin/adopt.mjs"`);
    expect(manifest.Lifecycle.startup.Script).toContain(`--digest ${input.packageDigest}`);
    expect(manifest.Artifacts.map((a: { Uri: string }) => a.Uri)).toEqual([
      's3://bucket/packages/x/manifest.json',
      's3://bucket/packages/x/model.fp32.onnx',
    ]);
  });

  it('is refused without files, with a file in a folder, and when it is too large', () => {
    expect(() => renderModelRecipe({ ...input, files: [] })).toThrow('got none');
    expect(() => renderModelRecipe({ ...input, files: ['a/b'] })).toThrow('expected a plain file name');
    const many = Array.from({ length: 200 }, (_, i) => `file-${i}.bin`);
    expect(() => renderModelRecipe({ ...input, files: many })).toThrow('Greengrass takes at most 16384');
  });
});
