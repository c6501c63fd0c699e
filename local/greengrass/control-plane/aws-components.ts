import type { ComponentRow } from './store.ts';

/**
 * The components that AWS supplies and Millwright's depend on, so that recipes are the same here as in AWS. The token
 * exchange itself is part of the simulated device; a version of the component is only there to be resolved.
 */
export const awsComponents = (region: string): readonly ComponentRow[] => {
  const name = 'aws.greengrass.TokenExchangeService';
  const version = '2.0.3';
  return [
    {
      name,
      version,
      arn: `arn:aws:greengrass:${region}:aws:components:${name}:versions:${version}`,
      createdAt: Date.UTC(2021, 5, 1),
      recipe: {
        RecipeFormatVersion: '2020-01-25',
        ComponentName: name,
        ComponentVersion: version,
        ComponentType: 'aws.greengrass.generic',
        ComponentPublisher: 'AWS',
        Manifests: [{ Platform: { os: '*', runtime: '*' }, Lifecycle: {}, Artifacts: [] }],
        Lifecycle: {},
      },
    },
  ];
};
