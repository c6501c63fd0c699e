import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateComponentVersionCommand,
  DescribeComponentCommand,
  ListComponentVersionsCommand,
} from '@aws-sdk/client-greengrassv2';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { FeatureSetRecord } from '#core/contracts/feature-store.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { type LedgerRequest, type LineageEdge, nodeRef } from '#core/contracts/ledger.ts';
import { Digest } from '#core/contracts/primitives.ts';
import { componentName } from '#core/contracts/release.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { featureSetProblems, featureSetRecord } from '#core/feature-sets/record.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { declaredBias } from '#core/outcomes/policy-problems.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, type Output, paint, say, short } from '../output.ts';
import { sha256 } from '../sha256.ts';
import { loadDefinitions } from '../use-cases.ts';
import type { World } from '../world.ts';

export interface PublishOptions {
  readonly root: string;
  /** Only this use case; its code components go along. */
  readonly useCase?: string;
}

/** The use cases of every definition of the folder. @throws {ContractError} naming what is wrong in which use case. */
export const loadUseCases = async (root: string): Promise<readonly UseCase[]> =>
  (await loadDefinitions(root)).map((d) => d.useCase);

/**
 * The command that registers the feature set of a use case; none where the registry has it.
 * @throws {CliError} when it is retired, or means other numbers there.
 */
const registerFeatureSet = async (
  world: World,
  useCase: UseCase,
  digest: string,
  common: Pick<LedgerRequest['commands'][number], 'schema' | 'site' | 'actor' | 'reason'>,
): Promise<LedgerRequest['commands']> => {
  const known = await world.registry.latest('feature-set', digest);
  if (known === null)
    return [
      {
        ...common,
        commandId: `feature-set/${world.site}/${digest}`,
        record: { class: 'feature-set', id: digest, body: { ...featureSetRecord(useCase) } },
      },
    ];
  const record = parseAs(FeatureSetRecord, known.body, `registry record feature-set ${digest}`);
  const [problem] = featureSetProblems(record, useCase);
  if (problem !== undefined)
    throw new CliError(
      `use case ${useCase.id} cannot be published: ${problem}`,
      `see "millwright feature-set ${short(digest)}"`,
    );
  return [];
};

const publishUseCase = async (
  world: World,
  useCase: UseCase,
): Promise<{ modelLine: string; digest: string; status: 'published' | 'unchanged' }> => {
  const digest = digestOf(useCase);
  const modelLine = `${useCase.id}/${world.site}`;
  const known = await world.registry.latest('model-line', modelLine);
  const line = known === null ? null : parseAs(ModelLineRecord, known.body, `registry record model-line ${modelLine}`);
  const common = {
    schema: 'ledger-command/1' as const,
    site: world.site,
    actor: await world.actor(),
    reason: `use case ${useCase.id} version ${useCase.version} published`,
  };
  const setDigest = digestOf(useCase.featureSet);
  const featureSet = await registerFeatureSet(world, useCase, setDigest, common);
  const uses: LineageEdge = {
    from: nodeRef('use-case', digest),
    rel: 'used',
    to: nodeRef('feature-set', setDigest),
  };
  const registered = { class: 'use-case' as const, id: digest, body: { ...useCase } };
  if (line?.useCaseDigest === digest) {
    // Published before feature sets had records.
    if (featureSet.length > 0)
      await world.write([
        ...featureSet,
        { ...common, commandId: `use-case/${world.site}/${digest}/set`, record: registered, edges: [uses] },
      ]);
    return { modelLine, digest, status: 'unchanged' };
  }
  const next: ModelLineRecord = {
    schema: 'model-line/1',
    modelLine,
    site: world.site,
    useCaseDigest: digest,
    champion: line?.champion ?? null,
    lastReleaseNumber: line?.lastReleaseNumber ?? 0,
  };
  const commands: LedgerRequest['commands'] = [
    ...featureSet,
    { ...common, commandId: `use-case/${world.site}/${digest}`, record: registered, edges: [uses] },
    {
      ...common,
      commandId: commandIdOf('model-line', modelLine, known?.version ?? 0, digest),
      record: { class: 'model-line', id: modelLine, body: { ...next } },
      expectVersion: known?.version ?? 0,
      edges: [{ from: `model-line:${modelLine}`, rel: 'used', to: `use-case:${digest}` }],
    },
  ];
  await world.write(commands);
  return { modelLine, digest, status: 'published' };
};

interface Bundle {
  readonly name: string;
  readonly recipe: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly digest: string;
}

/** `artifacts.json` of a built component. */
const Artifacts = z.object({ files: z.array(z.object({ name: z.string(), digest: Digest })).min(1) });

const DIGEST_TAG = 'millwright:digest';

/** What `npm run build` made: one folder a component, its recipe template and its artifacts. */
export const readBundles = (root: string): readonly Bundle[] => {
  const folder = join(root, '.build', 'components');
  if (!existsSync(folder))
    throw new CliError('the code components are not built', 'run "npm run build" first', EXIT.notFound);
  return readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, 'recipe.yaml')))
    .map((name) => {
      const recipe = readFileSync(join(folder, name, 'recipe.yaml'), 'utf8');
      const listed = parseAs(
        Artifacts,
        JSON.parse(readFileSync(join(folder, name, 'artifacts.json'), 'utf8')),
        `.build/components/${name}/artifacts.json`,
      );
      const files = listed.files.map((f) => {
        const bytes = readFileSync(join(folder, name, f.name));
        const found = sha256(bytes);
        if (found !== f.digest)
          throw new CliError(
            `${f.name} is not what was built: ${found}, expected ${f.digest}`,
            'run "npm run build" again',
          );
        return { name: f.name, bytes, digest: f.digest };
      });
      const hash = createHash('sha256').update(recipe);
      for (const file of files) hash.update(`\0${file.name}\0${file.digest}`);
      return { name: componentName(name), recipe, files, digest: `sha256:${hash.digest('hex')}` };
    });
};

export const componentArn = (world: World, name: string, version?: string): string => {
  const { region, account } = world.config.planes.plant;
  return `arn:aws:greengrass:${region}:${account}:components:${name}${version === undefined ? '' : `:versions:${version}`}`;
};

/** Newest version of a component; null when there is none. */
export const newestVersion = async (world: World, name: string): Promise<string | null> => {
  try {
    const { componentVersions } = await world.greengrass.send(
      new ListComponentVersionsCommand({ arn: componentArn(world, name), maxResults: 100 }),
    );
    const numbers = (componentVersions ?? [])
      .flatMap((v) => (v.componentVersion === undefined ? [] : [v.componentVersion]))
      .sort((a, b) => Number(a.split('.')[2]) - Number(b.split('.')[2]));
    return numbers.at(-1) ?? null;
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return null;
    throw error;
  }
};

const publishBundle = async (
  world: World,
  bundle: Bundle,
): Promise<{ component: string; version: string; digest: string; status: 'published' | 'unchanged' }> => {
  const { name, digest } = bundle;
  const newest = await newestVersion(world, name);
  if (newest !== null) {
    const { tags } = await world.greengrass.send(
      new DescribeComponentCommand({ arn: componentArn(world, name, newest) }),
    );
    if (tags?.[DIGEST_TAG] === digest) return { component: name, version: newest, digest, status: 'unchanged' };
  }
  const version = `1.0.${newest === null ? 1 : Number(newest.split('.')[2]) + 1}`;
  const prefix = artifactKeys.component(name, version);
  await Promise.all(bundle.files.map((f) => world.artifacts.put(`${prefix}${f.name}`, f.bytes)));
  const recipe = bundle.recipe
    .replaceAll('{{version}}', version)
    .replaceAll('{{artifacts}}', `s3://${world.artifacts.name}/${prefix}`);
  const left = /\{\{[^}]*\}\}/.exec(recipe);
  if (left !== null)
    throw new CliError(
      `the recipe of ${name} has a placeholder that nothing fills: ${left[0]}`,
      'use {{version}} and {{artifacts}} only',
    );
  await world.greengrass.send(
    new CreateComponentVersionCommand({
      inlineRecipe: Buffer.from(recipe),
      tags: { [DIGEST_TAG]: digest },
      clientToken: createHash('sha256').update(`${name} ${version} ${digest}`).digest('hex'),
    }),
  );
  return { component: name, version, digest, status: 'published' };
};

/** Registers use cases and their model lines, and publishes the code components; what did not change is left alone. */
export const publish = async (world: World, out: Output, options: PublishOptions): Promise<void> => {
  const all = await loadUseCases(options.root);
  const chosen = all.filter((u) => options.useCase === undefined || u.id === options.useCase);
  if (chosen.length === 0)
    throw new CliError(
      `there is no use case "${options.useCase}"`,
      `use one of: ${all.map((u) => u.id).join(', ')}`,
      EXIT.notFound,
    );
  const bundles = readBundles(options.root);
  const useCases: Awaited<ReturnType<typeof publishUseCase>>[] = [];
  for (const useCase of chosen) useCases.push(await publishUseCase(world, useCase));
  const components: Awaited<ReturnType<typeof publishBundle>>[] = [];
  for (const bundle of bundles) components.push(await publishBundle(world, bundle));
  const warnings = chosen.flatMap((u) => {
    const bias = declaredBias(u.judging.outcomes);
    return bias === null ? [] : [`${u.id}: ${bias}`];
  });
  answer(out, { useCases, components, ...(warnings.length === 0 ? {} : { warnings }) }, () => {
    const mark = (status: string) => paint(out, status === 'published' ? 'green' : 'dim', status);
    for (const u of useCases) say(out, `use case   ${u.modelLine.padEnd(36)} ${short(u.digest)}  ${mark(u.status)}`);
    for (const c of components)
      say(out, `component  ${`${c.component} ${c.version}`.padEnd(36)} ${short(c.digest)}  ${mark(c.status)}`);
    for (const warning of warnings) say(out, `${paint(out, 'yellow', '!')} ${warning}`);
  });
};
