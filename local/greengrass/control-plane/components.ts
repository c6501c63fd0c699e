import semver from 'semver';
import { stringify as toYaml } from 'yaml';
import type { Context, Operations } from './context.ts';
import { page } from './paging.ts';

import { artifactLocation } from './ports.ts';
import { type Manifest, parseRecipe, type Recipe } from './recipe.ts';
import { pickVersion, ResolutionError } from './resolve.ts';
import { conflict, invalid, notFound, ServiceError } from './service-error.ts';
import { type ComponentRow, tagsOf } from './store.ts';

const DEPLOYABLE = { componentState: 'DEPLOYABLE', message: 'NONE', errors: {}, vendorGuidance: 'ACTIVE' };
const encoder = new TextEncoder();

const platformsOf = (recipe: Recipe) =>
  recipe.Manifests.map((m) => ({
    ...(m.Name === undefined ? {} : { name: m.Name }),
    attributes: { ...(m.Platform ?? {}) },
  }));

/** Sort key: highest version first; a pre-release comes after its release. */
const versionKey = (version: string): string => {
  const v = semver.parse(version);
  if (v === null) return version;
  const numbers = [v.major, v.minor, v.patch].map((n) => String(999_999 - n).padStart(6, '0')).join('.');
  return `${numbers}-${v.prerelease.length === 0 ? '' : `~${version}`}`;
};

/** The component operations of the control plane. */
export const componentOperations = (ctx: Context): Operations => {
  const { store } = ctx;
  const prefix = `arn:aws:greengrass:${ctx.region}:${ctx.account}:components:`;
  const rowOf = (arn: string): ComponentRow => {
    const match = /:components:([^:]+):versions:([^:]+)$/.exec(arn);
    const row = match === null || !arn.startsWith(prefix) ? undefined : store.component(match[1]!, match[2]!);
    if (row === undefined) throw notFound('component', arn);
    return row;
  };

  const withDigests = async (recipe: Recipe): Promise<Recipe> => {
    const known = new Map<string, string>();
    const manifests: Manifest[] = [];
    for (const manifest of recipe.Manifests) {
      const artifacts = [];
      for (const artifact of manifest.Artifacts) {
        const at = artifactLocation(artifact.Uri);
        if (at === null) {
          artifacts.push(artifact);
          continue;
        }
        const digest = known.get(artifact.Uri) ?? (await ctx.artifacts.sha256(at.bucket, at.key));
        if (digest === null) {
          throw invalid(
            `The artifact ${artifact.Uri} cannot be read: there is no such object. Upload it before creating the component version.`,
            ['inlineRecipe'],
          );
        }
        known.set(artifact.Uri, digest);
        artifacts.push({ ...artifact, Digest: digest, Algorithm: 'SHA-256' });
      }
      manifests.push({ ...manifest, Artifacts: artifacts });
    }
    return { ...recipe, Manifests: manifests };
  };

  return {
    CreateComponentVersion: (input) =>
      ctx.idempotent('CreateComponentVersion', input, async () => {
        if (input['lambdaFunction'] !== undefined) {
          throw invalid('The local plant makes no components from Lambda functions; send inlineRecipe', [
            'lambdaFunction',
          ]);
        }
        if (!(input['inlineRecipe'] instanceof Uint8Array) || input['inlineRecipe'].byteLength === 0) {
          throw invalid('Either inlineRecipe or lambdaFunction must be given', ['inlineRecipe']);
        }
        const parsed = parseRecipe(input['inlineRecipe']);
        const { ComponentName: name, ComponentVersion: version } = parsed;
        const arn = `${prefix}${name}:versions:${version}`;
        const refuseTwin = () => {
          if (store.component(name, version) !== undefined) {
            throw conflict(
              `Component [${name} : ${version}] for account [${ctx.account}] already exists`,
              'component',
              arn,
            );
          }
        };
        refuseTwin();
        const recipe = await withDigests(parsed);
        const createdAt = ctx.now();
        store.transaction(() => {
          // Reading the artifacts took time: somebody else may have made this version meanwhile.
          refuseTwin();
          store.putComponent({ name, version, arn, createdAt, recipe });
          for (const [k, v] of Object.entries((input['tags'] ?? {}) as Record<string, string>)) store.putTag(arn, k, v);
        });
        return {
          arn,
          componentName: name,
          componentVersion: version,
          creationTimestamp: createdAt / 1000,
          // The service answers before it has checked everything; DescribeComponent tells when it is DEPLOYABLE.
          status: { componentState: 'REQUESTED', message: 'NONE', errors: {} },
        };
      }),

    DescribeComponent: async (input) => {
      const row = rowOf(input['arn'] as string);
      return {
        arn: row.arn,
        componentName: row.name,
        componentVersion: row.version,
        creationTimestamp: row.createdAt / 1000,
        publisher: row.recipe.ComponentPublisher ?? '',
        description: row.recipe.ComponentDescription ?? '',
        status: DEPLOYABLE,
        platforms: platformsOf(row.recipe),
        tags: tagsOf(store, row.arn),
      };
    },

    GetComponent: async (input) => {
      const row = rowOf(input['arn'] as string);
      const format = (input['recipeOutputFormat'] as string | undefined) ?? 'JSON';
      const text = format === 'YAML' ? toYaml(row.recipe) : JSON.stringify(row.recipe);
      return { recipeOutputFormat: format, recipe: encoder.encode(text), tags: tagsOf(store, row.arn) };
    },

    GetComponentVersionArtifact: async (input) => {
      const row = rowOf(input['arn'] as string);
      const wanted = input['artifactName'] as string;
      const uri = row.recipe.Manifests.flatMap((m) => m.Artifacts)
        .map((a) => a.Uri)
        .find((u) => u.endsWith(`/${wanted}`));
      const at = uri === undefined ? null : artifactLocation(uri);
      if (at === null) throw notFound('artifact', `${row.arn}/${wanted}`);
      return { preSignedUrl: await ctx.artifacts.presign(at.bucket, at.key) };
    },

    ListComponents: async (input) => {
      // The components that AWS supplies (scope PUBLIC) are not rehearsed.
      const rows = input['scope'] === 'PUBLIC' ? [] : store.components();
      const latest = new Map<string, ComponentRow>();
      for (const row of rows) {
        const best = latest.get(row.name);
        if (best === undefined || semver.gt(row.version, best.version)) latest.set(row.name, row);
      }
      const { items, nextToken } = page([...latest.values()], (r) => r.name, `components/${input['scope']}`, input);
      return {
        components: items.map((r) => ({
          arn: `${prefix}${r.name}`,
          componentName: r.name,
          latestVersion: {
            arn: r.arn,
            componentVersion: r.version,
            creationTimestamp: r.createdAt / 1000,
            ...(r.recipe.ComponentDescription === undefined ? {} : { description: r.recipe.ComponentDescription }),
            ...(r.recipe.ComponentPublisher === undefined ? {} : { publisher: r.recipe.ComponentPublisher }),
            platforms: platformsOf(r.recipe),
          },
        })),
        nextToken,
      };
    },

    ListComponentVersions: async (input) => {
      const arn = input['arn'] as string;
      const name = /:components:([^:]+)$/.exec(arn)?.[1];
      const rows = name === undefined || !arn.startsWith(prefix) ? [] : store.versions(name);
      const { items, nextToken } = page(rows, (r) => versionKey(r.version), `versions/${arn}`, input);
      return {
        componentVersions: items.map((r) => ({ arn: r.arn, componentName: r.name, componentVersion: r.version })),
        nextToken,
      };
    },

    DeleteComponent: async (input) => {
      const row = rowOf(input['arn'] as string);
      store.transaction(() => {
        for (const key of Object.keys(store.tags(row.arn))) store.deleteTag(row.arn, key);
        store.deleteComponent(row.name, row.version);
      });
      return {};
    },

    ResolveComponentCandidates: async (input) => {
      const platform = ((input['platform'] as { attributes?: Record<string, string> } | undefined)?.attributes ??
        {}) as Record<string, string>;
      const candidates = (input['componentCandidates'] ?? []) as readonly {
        readonly componentName?: string;
        readonly componentVersion?: string;
        readonly versionRequirements?: Readonly<Record<string, string>>;
      }[];
      return {
        resolvedComponentVersions: candidates.map((candidate, i) => {
          const name = candidate.componentName;
          if (name === undefined) {
            throw invalid(`componentCandidates.${i + 1}.member.componentName is missing`, ['componentCandidates']);
          }
          const asked = { ...candidate.versionRequirements };
          // A version the device already has is asked for like any other requirement.
          if (candidate.componentVersion !== undefined) asked['the device'] = candidate.componentVersion;
          try {
            const found = store.versions(name);
            const { version } = pickVersion(name, asked, found, platform);
            const row = found.find((r) => r.version === version)!;
            return {
              arn: row.arn,
              componentName: name,
              componentVersion: version,
              recipe: encoder.encode(JSON.stringify(row.recipe)),
              vendorGuidance: 'ACTIVE',
            };
          } catch (error) {
            if (!(error instanceof ResolutionError)) throw error;
            throw new ServiceError('ResourceNotFoundException', error.message, {
              resourceId: name,
              resourceType: 'component',
            });
          }
        }),
      };
    },
  };
};
