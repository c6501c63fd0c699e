import { UseCase } from '#core/contracts/use-case.ts';
import type { RegistryReader } from '#core/ports/registry.ts';

/** Published use cases, newest of each; one that cannot be read is left out. */
export const publishedUseCases = async (registry: Pick<RegistryReader, 'list'>): Promise<readonly UseCase[]> =>
  (await registry.list('use-case')).flatMap(({ body }) => {
    const useCase = UseCase.safeParse(body);
    return useCase.success ? [useCase.data] : [];
  });
