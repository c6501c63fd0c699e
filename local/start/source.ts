import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { PlantSource, UseCaseDefinition } from '#core/contracts/source.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { StartError } from './errors.ts';

/** First instant of all history: fixed, so that the same seed gives the same bytes on every day. */
const HISTORY_START = '2025-01-01T00:00:00.000Z';

/** Definitions of all use cases, by folder name. */
export const discoverDefinitions = async (root: string): Promise<readonly UseCaseDefinition[]> => {
  const folder = join(root, 'use-cases');
  const found: UseCaseDefinition[] = [];
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name, 'use-case.ts');
    if (!existsSync(file)) continue;
    const module = (await import(pathToFileURL(file).href)) as { definitions: readonly UseCaseDefinition[] };
    found.push(...module.definitions);
  }
  return found;
};

const filesOf = (data: string): readonly string[] => {
  if (!existsSync(data) || !statSync(data).isDirectory())
    throw new StartError(`--data ${data}: there is no such folder`, 'give the folder that holds the recorded files');
  return readdirSync(data);
};

/**
 * The definition to play: the first that needs no data, or the one that knows the files in `data`.
 * @throws {StartError} when no definition fits.
 */
export const chooseDefinition = (definitions: readonly UseCaseDefinition[], data: string | null): UseCaseDefinition => {
  const files = data === null ? null : filesOf(data);
  const found = definitions.find((d) => (files === null ? !d.needsData : (d.recognises?.(files) ?? false)));
  if (found !== undefined) return found;
  throw new StartError(
    data === null
      ? 'no use case brings simulated machines'
      : `no use case knows the files in ${data} (${files?.slice(0, 6).join(', ') || 'it is empty'})`,
    data === null
      ? 'give recorded data with --data DIR'
      : `for NASA's C-MAPSS the folder holds train_FD001.txt, test_FD001.txt and RUL_FD001.txt, each plain or .gz`,
  );
};

/** Reads a recorded file, plain or gzip. @throws {StartError} when neither is there. */
export const dataReader =
  (data: string) =>
  (name: string): Uint8Array => {
    const plain = resolve(data, name);
    if (existsSync(plain)) return readFileSync(plain);
    if (existsSync(`${plain}.gz`)) return gunzipSync(readFileSync(`${plain}.gz`));
    throw new StartError(`${data} has neither ${name} nor ${name}.gz`, 'complete the folder, then start again');
  };

export interface Played {
  readonly useCase: UseCase;
  readonly source: PlantSource;
}

export const openSource = (
  definition: UseCaseDefinition,
  options: { readonly site: string; readonly seed: number; readonly data: string | null },
): Played => ({
  useCase: definition.useCase,
  source: definition.source({
    site: options.site,
    seed: options.seed,
    start: HISTORY_START,
    ...(options.data === null ? {} : { readData: dataReader(options.data) }),
  }),
});
