import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { LiveRun, PlantSource, UseCaseDefinition } from '#core/contracts/source.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { StartError } from './errors.ts';

/**
 * First instant of all history: fixed, so that the same seed gives the same bytes on every day, and long ago, because
 * machines that send an hour each second live through a year in two and a half hours, and never into the future.
 */
export const HISTORY_START = '2000-01-01T00:00:00.000Z';

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
    throw new StartError(
      `--data ${data}: ${existsSync(data) ? 'this is a file, not a folder' : 'there is no such folder'}`,
      'give the folder that holds the recorded files',
    );
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

const MEND_DATA = 'fetch the file again, or mend it, then start again';

/** Reads a recorded file, plain or gzip. @throws {StartError} when neither is there, or it cannot be unpacked. */
export const dataReader =
  (data: string) =>
  (name: string): Uint8Array => {
    const plain = resolve(data, name);
    if (existsSync(plain)) return readFileSync(plain);
    if (existsSync(`${plain}.gz`))
      try {
        return gunzipSync(readFileSync(`${plain}.gz`));
      } catch (error) {
        throw new StartError(`${plain}.gz cannot be unpacked: ${(error as Error).message}`, MEND_DATA);
      }
    throw new StartError(`${data} has neither ${name} nor ${name}.gz`, 'complete the folder, then start again');
  };

export interface Played {
  readonly useCase: UseCase;
  readonly source: PlantSource;
}

const SINCE = HISTORY_START.slice(0, 10);

/** How a start gets the machines that a plant has the history of. @param identity as {@link openSource} gave it then. */
export const sameMachines = (identity: string): string => {
  const [, seed, since] = /^seed (\d+)(?: since (.+))?$/.exec(identity) ?? [];
  const anew = 'begin anew with --fresh, or give another --state-dir';
  if (seed === undefined) return `give the same files, or ${anew}`;
  return since === SINCE ? `use --seed ${seed}, or ${anew}` : anew;
};

/**
 * The machines of a definition. Recorded ones are read once to their end: what is wrong with them shows before anything
 * is started. `identity` says which machines they are: their seed and first instant, or a digest of all
 * their frames.
 * @throws {StartError} naming the folder and what is wrong in it.
 */
export const openSource = (
  definition: UseCaseDefinition,
  options: { readonly site: string; readonly seed: number; readonly data: string | null },
): Played & { readonly identity: string } => {
  const { site, seed, data } = options;
  const source = definition.source({
    site,
    seed,
    start: HISTORY_START,
    ...(data === null ? {} : { readData: dataReader(data) }),
  });
  if (data === null) return { useCase: definition.useCase, source, identity: `seed ${seed} since ${SINCE}` };
  const hash = createHash('sha256');
  const count = { history: 0, live: 0, story: 0 };
  const take = (part: keyof typeof count, { asset, run, frames }: Pick<LiveRun, 'asset' | 'run' | 'frames'>): void => {
    count[part]++;
    hash.update(`${part} ${asset} ${run} ${JSON.stringify(frames)}\n`);
  };
  try {
    for (const run of source.history()) take('history', run);
    for (const run of source.live(1).flat()) take('live', run);
    const story = source.story?.(1);
    if (story !== undefined && 'runs' in story) for (const run of story.runs.flat()) take('story', run);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${data}: ${(error as Error).message}`, MEND_DATA);
  }
  for (const [part, what] of [
    ['history', 'history to learn from'],
    ['live', 'machines to replay'],
  ] as const)
    if (count[part] === 0) throw new StartError(`${data} holds no ${what}: its files are empty`, MEND_DATA);
  return { useCase: definition.useCase, source, identity: `data ${hash.digest('hex').slice(0, 12)}` };
};
