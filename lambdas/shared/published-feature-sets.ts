import { parseAs } from '#core/contracts/errors.ts';
import { FeatureSetRecord } from '#core/contracts/feature-store.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import { featureSetRecord } from '#core/feature-sets/record.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { readUseCase } from './retrain-run.ts';

export interface PublishedFeatureSet {
  readonly digest: string;
  readonly definition: Pick<FeatureSetRecord, 'featureSet' | 'signals'>;
}

/** What the registry says of a feature set; null when it has no such record. */
export const readFeatureSet = async (
  registry: Pick<RegistryReader, 'latest'>,
  digest: string,
): Promise<FeatureSetRecord | null> => {
  const record = await registry.latest('feature-set', digest);
  return record === null ? null : parseAs(FeatureSetRecord, record.body, `feature set ${digest}`);
};

/** Feature sets that published use cases of a site have, by digest; without those that are retired. */
export const publishedFeatureSets = async (
  registry: Pick<RegistryReader, 'latest' | 'list'>,
  site: string,
): Promise<readonly PublishedFeatureSet[]> => {
  const lines = (await registry.list('model-line'))
    .map((r) => parseAs(ModelLineRecord, r.body, `model line ${r.id}`))
    .filter((line) => line.site === site);
  const found = new Map<string, PublishedFeatureSet>();
  for (const useCaseDigest of [...new Set(lines.map((l) => l.useCaseDigest))].sort()) {
    const useCase = await readUseCase(registry, useCaseDigest);
    const digest = digestOf(useCase.featureSet);
    if (found.has(digest)) continue;
    const record = await readFeatureSet(registry, digest);
    if (record === null || record.retired === null)
      found.set(digest, { digest, definition: record ?? featureSetRecord(useCase) });
  }
  return [...found.values()];
};
