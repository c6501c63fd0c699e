import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import type { platformNames } from '#core/contracts/names.ts';
import type { StartOptions } from './args.ts';
import { type Clients, type Services, writeWhole } from './plant.ts';
import type { RegistryView } from './registry.ts';
import { runCommand } from './run-command.ts';
import type { Played } from './source.ts';
import type { Teller } from './teller.ts';

export const STAGE = 'local';

/** What a start was told and given. */
export interface StartDeps {
  readonly root: string;
  readonly stateDir: string;
  readonly options: StartOptions;
  readonly teller: Teller;
  readonly signal: AbortSignal;
  readonly now: () => string;
  /** The last start did not end by itself. */
  readonly wasCut: boolean;
}

/** The running plant as every step of a start sees it. */
export interface Plant extends StartDeps {
  readonly config: DeploymentConfig;
  readonly site: string;
  readonly names: ReturnType<typeof platformNames>;
  readonly played: Played;
  readonly modelLine: string;
  readonly services: Services;
  readonly clients: Clients;
  readonly registry: RegistryView;
  /** Instant of this start. */
  readonly startedAt: string;
  /** Rows of the closing table. */
  readonly summary: (readonly [string, string])[];
}

/** Runs a command of the `millwright` CLI against this plant and returns its JSON answer. */
export const cli = async <T>(
  { root, stateDir, signal }: StartDeps,
  name: string,
  ...args: readonly string[]
): Promise<T> => {
  const out = await runCommand({
    name: `cli-${name}`,
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      join(root, 'cli', 'millwright.ts'),
      ...args,
      '--json',
      '--stage',
      STAGE,
      '--plant-dir',
      stateDir,
    ],
    cwd: root,
    stateDir,
    signal,
  });
  return JSON.parse(out) as T;
};

/** The newest report of each device. */
export const reportsOf = (deps: StartDeps): Promise<readonly Reported[]> => cli(deps, 'devices', 'devices');

const lapFile = (stateDir: string): string => join(stateDir, 'lap');

/** Number of the newest play of the machines; 0 before the first. */
export const lastLap = (stateDir: string): number => {
  const file = lapFile(stateDir);
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
};

/** Number of a play of the machines, rising over all starts: a frame is never mistaken for an earlier one. */
export const nextLap = (stateDir: string): number => {
  const lap = lastLap(stateDir) + 1;
  writeWhole(lapFile(stateDir), String(lap));
  return lap;
};

const livedFile = (stateDir: string): string => join(stateDir, 'lived-until');

/** Newest source time that a machine of the plant may have sent in all starts, ms since 1970; null before the first. */
export const livedUntil = (stateDir: string): number | null => {
  const file = livedFile(stateDir);
  return existsSync(file) ? Date.parse(readFileSync(file, 'utf8')) : null;
};

/** Keeps it before it is sent, so that no later start goes back behind it. @param until ms since 1970. */
export const keepLivedUntil = (stateDir: string, until: number): void =>
  writeWhole(livedFile(stateDir), new Date(until).toISOString());

/** What a device says in its newest report, as far as a start looks at it. */
export interface Reported {
  readonly device: string;
  readonly modelLine: string;
  readonly serving: { readonly packageDigest: string } | null;
}

/** A digest as people read it. */
export const short = (digest: string): string => digest.replace('sha256:', '').slice(0, 12);
